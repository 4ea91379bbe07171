/** Runs npm: the one that started this script, else the one on PATH. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;

/**
 * @param {readonly string[]} args  none of which needs quoting: on Windows npm is a batch file, which only a shell starts
 * @param {{ cwd: string }} options
 * @returns {Promise<string>} what it printed
 * @throws {Error} with what it complained about
 */
export async function npm(args, { cwd }) {
  const options = { cwd, maxBuffer: MAX_OUTPUT_BYTES };
  const script = process.env['npm_execpath'];
  const isWindows = process.platform === 'win32';
  try {
    const { stdout } =
      script !== undefined && /npm-cli\.js$/.test(script)
        ? await run(process.execPath, [script, ...args], options)
        : await run(isWindows ? 'npm.cmd' : 'npm', args, { ...options, shell: isWindows });
    return stdout;
  } catch (error) {
    throw new Error(`npm ${args[0]} failed: ${error.stderr?.trim() || error.message}`);
  }
}
