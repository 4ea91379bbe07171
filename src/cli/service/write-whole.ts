import { rename, rm, writeFile } from 'node:fs/promises';
import { EXIT, UsageError } from '../../config/usage-error.ts';
import { systemCode } from '../../runtime/errors.ts';

/** Writes a definition whole or not at all. @throws {UsageError} */
export async function writeWhole(file: string, content: string | Uint8Array): Promise<void> {
  const temporary = `${file}.${process.pid}.tmp`;
  try {
    await writeFile(temporary, content, { mode: 0o644 });
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw new UsageError(`${file} cannot be written (${systemCode(error) ?? String(error)}).`, EXIT.failed);
  }
}
