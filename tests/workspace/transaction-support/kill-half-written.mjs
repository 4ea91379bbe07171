/**
 * Preloaded into a child: kills it (SIGKILL) in the middle of overwriting the file that HALF_WRITTEN names: half of the
 * new bytes have reached it.
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const { open } = fs.promises;
fs.promises.open = async (path, flags, mode) => {
  const handle = await open(path, flags, mode);
  const isWritten = typeof flags === 'number' && (flags & fs.constants.O_RDWR) !== 0;
  if (path === process.env['HALF_WRITTEN'] && isWritten) {
    handle.write = async (bytes, offset, length, position) => {
      fs.writeSync(handle.fd, bytes, offset, Math.ceil(length / 2), position);
      process.kill(process.pid, 'SIGKILL');
    };
  }
  return handle;
};
syncBuiltinESMExports();
