/**
 * Preloaded into a child: kills it (SIGKILL) right before its Nth changing file operation, N from the environment.
 * Beyond the last step the child simply ends, which tells the test that every step was tried.
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const killAt = Number(process.env['KILL_AT_STEP']);
let step = 0;
for (const name of ['rename', 'link', 'unlink', 'mkdir', 'open', 'copyFile', 'symlink', 'rmdir']) {
  const original = fs.promises[name];
  fs.promises[name] = async (...args) => {
    if (name !== 'open' || /^[wr]?[wx+]/.test(String(args[1]).replace(/^r$/, ''))) {
      if (++step === killAt) process.kill(process.pid, 'SIGKILL');
    }
    return original(...args);
  };
}
syncBuiltinESMExports();
