import { FORMATS, invalidPatch } from './invalid-patch.ts';
import type { PatchFile, PatchFormat } from './model.ts';
import { parseCodex } from './parse-codex.ts';
import { parseUnified } from './parse-unified.ts';
import { unwrapPatch } from './unwrap.ts';

export interface ParsedPatch {
  readonly format: PatchFormat;
  readonly files: readonly PatchFile[];
}

/**
 * Reads a patch in either notation, whatever a chat or a shell put around it.
 * @throws {CodedError} INVALID_PATCH (unreadable, empty, binary), UNSUPPORTED_FILE (symbolic link, submodule)
 */
export function parsePatch(text: string): ParsedPatch {
  const unwrapped = unwrapPatch(text);
  const files = unwrapped.format === 'codex' ? parseCodex(unwrapped) : parseUnified(unwrapped);
  if (files.length === 0) throw invalidPatch(undefined, 'The patch is empty: it changes no file.', FORMATS);
  return { format: unwrapped.format, files };
}
