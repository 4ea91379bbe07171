/**
 * Preloaded into every test file's process by tests/run.ts: gives it a home folder of its own, so that no test
 * reads or touches the state, the settings or the git configuration of whoever runs the tests.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A file that is not done by then hangs: better one failed file than a run that never ends. */
const FILE_LIMIT_MINUTES = process.env['LOCAL_CODER_TEST_FULL'] === '1' ? 15 : 4;

const home = mkdtempSync(join(process.env['LOCAL_CODER_TEST_HOMES'] ?? tmpdir(), 'home-'));
process.on('exit', () => {
  try {
    rmSync(home, { recursive: true, force: true, maxRetries: 3 });
  } catch {
    // A process that outlived its test holds a file open (Windows); tests/run.ts removes the parent folder.
  }
});

for (const name of Object.keys(process.env)) {
  if (isSetting(name)) delete process.env[name];
}
for (const name of ['HOME', 'USERPROFILE', 'APPDATA', 'LOCALAPPDATA']) process.env[name] = home;
for (const name of ['STATE', 'CONFIG', 'CACHE', 'DATA']) process.env[`XDG_${name}_HOME`] = join(home, name);

setTimeout(() => {
  const open = process.getActiveResourcesInfo().join(', ');
  process.stderr.write(
    `Not done after ${FILE_LIMIT_MINUTES} minutes: ${process.argv[1]}. Still open: ${open}.\n`,
  );
  process.exit(1);
}, FILE_LIMIT_MINUTES * 60_000).unref();

/** The product's settings in the environment (spec: cli.md), and npm's and git's that would change a test. */
function isSetting(name: string): boolean {
  if (name.startsWith('LOCAL_CODER_TEST_')) return false;
  return /^(LOCAL_CODER_|GIT_|OPENAI_TUNNEL_|CONTROL_PLANE_)|^(PORT|WORKSPACE_PATH|FULL_DISK_ACCESS|SHELL_TIMEOUT|CHATGPT_AUTO_APPROVE|MCP_SESSION_RECOVERY|AUDIT_LOG_PATH|NODE_OPTIONS)$/.test(
    name,
  );
}
