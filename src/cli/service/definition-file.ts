import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { EXIT, UsageError } from '../../config/usage-error.ts';
import { systemCode } from '../../runtime/errors.ts';

/** An installed definition; undefined where there is none. @throws {UsageError} */
export async function readDefinition(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw new UsageError(`${file} cannot be read (${systemCode(error) ?? String(error)}).`, EXIT.failed);
  }
}

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
