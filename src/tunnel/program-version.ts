import { runProgram } from '../runtime/run-program.ts';
import { programEnvironment } from './provider-context.ts';

/** The first line that `PROGRAM --version` (or the given words) prints, for `tunnel list` and doctor. */
export async function programVersion(file: string, args: readonly string[] = ['--version']): Promise<string> {
  try {
    const result = await runProgram(file, args, {
      cwd: '/',
      env: programEnvironment(process.env),
      timeoutMs: 5_000,
      maxBytes: 4_096,
    });
    const text = `${result.stdout.toString('utf8')}\n${result.stderr}`.trim();
    return text.split('\n', 1)[0]?.trim().slice(0, 100) || 'version unknown';
  } catch {
    return 'it does not start';
  }
}
