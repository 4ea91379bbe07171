import { CodedError } from '../runtime/errors.ts';
import { isLinux, isWindows } from '../runtime/platform.ts';

/** Files of processes that would hand out secrets or a way around every check (access.md, "Access modes"). */
const PROCESS_SECRETS =
  /^\/proc\/(?:[^/]+\/(?:task\/[^/]+\/)?(?:environ|mem|fd|fdinfo|root|cwd|map_files|auxv|syscall|stack)(?:\/|$)|k(?:core|msg)$)/;

/** True for a file of /proc that shows what a process keeps to itself. Always false where there is no /proc. */
export function isProcessSecret(path: string): boolean {
  return isLinux && path.startsWith('/proc/') && PROCESS_SECRETS.test(path);
}

/** True for a folder in which such files can turn up below. */
export function mayHoldProcessSecrets(folder: string): boolean {
  return isLinux && (folder === '/' || folder === '/proc' || folder.startsWith('/proc/'));
}

/** A path on another machine: merely looking at one hands the user's credentials to that machine. */
export function isNetworkPath(path: string): boolean {
  return /^[\\/]{2}(?![?.][\\/])/.test(path) || /^[\\/]{2}\?[\\/]unc[\\/]/i.test(path);
}

/** Reserved in every folder of Windows, with any extension: `NUL`, `con.txt`, `COM1`. */
const DEVICE_NAME = /^(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9\u00b9\u00b2\u00b3])(?:[ .].*)?$/i;

/**
 * Names of Windows that mean another file than they say, by which a check of names is walked around: other streams of
 * a file, dots and spaces at the end (dropped by the system), devices, and the prefixes that switch all of this off.
 *
 * @param path as the caller wrote it
 * @throws {CodedError} DENIED
 */
export function refuseDeceptiveName(path: string, onWindows = isWindows): void {
  if (!onWindows) return;
  const reason = deception(path);
  if (reason === undefined) return;
  throw new CodedError('DENIED', `"${path}" ${reason}.`, 'Give the plain path of a file or folder.');
}

function deception(path: string): string | undefined {
  if (/^[\\/]{2}[?.][\\/]/.test(path)) return 'is a device path';
  if (/^[a-z]:(?![\\/])/i.test(path)) return 'is relative to the current folder of a drive';
  const names = path.replace(/^[a-z]:/i, '').split(/[\\/]/);
  for (const name of names) {
    if (name === '' || name === '.' || name === '..') continue;
    if (name.includes(':')) return 'names an alternate data stream';
    if (/[. ]$/.test(name)) return 'has a name that ends in a dot or a space, which Windows drops';
    if (DEVICE_NAME.test(name)) return 'names a device';
  }
  return undefined;
}
