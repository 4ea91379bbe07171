import type { SettingName } from '../config/definitions.ts';
import { loadSettings } from '../config/load.ts';
import { EXIT, type ExitCode, UsageError } from '../config/usage-error.ts';
import { forTerminal } from '../runtime/terminal.ts';
import { inspectTunnel, LISTED_TUNNELS } from './tunnel-inspection.ts';

interface Output {
  write(text: string): unknown;
}

/**
 * `local-coder tunnel list`: what is installed and what is configured. `tunnel init openai` asks for the credentials.
 * @param words what follows `tunnel` on the command line
 */
export async function tunnel(
  words: readonly string[],
  flags: ReadonlyMap<SettingName, unknown>,
  output: Output = process.stdout,
): Promise<ExitCode> {
  if (words[0] === 'init' && words[1] === 'openai' && words.length === 2) {
    return (await import('./tunnel-init-openai.ts')).tunnelInitOpenAi(flags);
  }
  if (words.length > 1 || (words[0] ?? 'list') !== 'list') {
    throw new UsageError('Usage: local-coder tunnel list | init openai.');
  }
  const settings = await loadSettings(flags, process.env, process.cwd());
  const width = Math.max(...LISTED_TUNNELS.map((name) => name.length));
  const rows = await Promise.all(
    LISTED_TUNNELS.map(async (name) => {
      const found = await inspectTunnel(name, settings, settings['state-dir'], process.env);
      const label = found.ready ? 'ready  ' : 'missing';
      const fix = found.ready || found.fix === undefined ? '' : ` ${found.fix}`;
      const chosen = settings.tunnel === name ? '*' : ' ';
      return `${chosen} ${name.padEnd(width)}  ${label}  ${forTerminal(`${found.summary.replace(/\.$/, '')}.${fix}`)}\n`;
    }),
  );
  output.write(rows.join(''));
  return EXIT.ok;
}
