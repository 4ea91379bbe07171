import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { isPortable } from '../../config/portable.ts';
import { systemCode } from '../../runtime/errors.ts';
import { type Check, fail, ok, warn } from './check.ts';

/** Where history, audit log, logins and programs are kept, and whether that can be written. */
export const state: Check = async ({ settings }) => {
  const folder = settings['state-dir'];
  const portable = isPortable(settings);
  const code = await access(folder, constants.R_OK | constants.W_OK | constants.X_OK).then(
    () => undefined,
    (error: unknown) => systemCode(error) ?? String(error),
  );
  const what = portable ? `portable: ${folder}` : folder;
  if (code === undefined) return ok(portable ? `${what}, nothing on this computer` : what);
  if (code === 'ENOENT') return ok(`${what}, made with the first start`);
  if (portable)
    return warn(
      `${what} cannot be written (${code}): history, audit log and logins of a run are not kept`,
      'make the medium writable, or name a folder with --state-dir',
    );
  return fail(`${what} cannot be used (${code})`, 'name a folder that you can write with --state-dir');
};
