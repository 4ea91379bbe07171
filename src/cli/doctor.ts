import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { SettingName } from '../config/definitions.ts';
import { loadSettings, type Settings } from '../config/load.ts';
import { isPortable } from '../config/portable.ts';
import { EXIT, type ExitCode, UsageError } from '../config/usage-error.ts';
import { homeFolder } from '../runtime/platform.ts';
import { findRipgrep } from '../runtime/ripgrep-asset.ts';
import { runFolder } from '../runtime/run-folder.ts';
import { colours, forTerminal } from '../runtime/terminal.ts';
import type { Check, DoctorContext, Finding } from './doctor/check.ts';
import * as machine from './doctor/machine.ts';
import * as network from './doctor/network.ts';
import * as server from './doctor/server.ts';
import { state } from './doctor/state.ts';

const TIMEOUT_MS = 10_000;

/** Every line, in the order in which they are printed. */
export const CHECKS: readonly (readonly [name: string, check: Check])[] = [
  ['workspace', machine.workspace],
  ['state', state],
  ['access', machine.accessMode],
  ['git', machine.git],
  ['ripgrep', machine.ripgrep],
  ['shell', machine.shell],
  ['sandbox', machine.sandbox],
  ['port', server.port],
  ['server', server.server],
  ['calls', server.calls],
  ['prompts', machine.prompts],
  ['proxy', network.proxy],
  ['reachability', network.reachability],
  ['clock', network.clock],
  ['tunnel', network.tunnelProgram],
  ['address', network.address],
];

interface Output {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

/**
 * `local-coder doctor`: what is missing, one line each, with the fix. Changes nothing.
 * @returns 1 when a line failed, 0 else (a warning may be meant that way)
 */
export async function doctor(
  flags: ReadonlyMap<SettingName, unknown>,
  output: Output = process.stdout,
): Promise<ExitCode> {
  const { settings, missing } = await settingsOrMissing(flags);
  const context: DoctorContext = {
    settings,
    stateDir: await stateDirOf(settings),
    env: process.env,
    outside: outsideOf(settings),
    timeoutMs: TIMEOUT_MS,
    findRipgrep,
  };
  let failed = false;
  for (const [name, check] of CHECKS) {
    const finding =
      name === 'workspace' && missing !== undefined ? missing : await check(context).catch(brokenCheck);
    if (finding.state === 'fail') failed = true;
    output.write(`${findingLine(name, finding, output)}\n`);
  }
  return failed ? EXIT.failed : EXIT.ok;
}

export function findingLine(
  name: string,
  { state, says, fix }: Finding,
  output: { readonly isTTY?: boolean },
): string {
  const { bold, red } = colours(output);
  const label = state === 'fail' ? red('FAIL') : state === 'warn' ? bold('warn') : 'ok  ';
  const end = fix === undefined ? '' : `. Fix: ${fix}`;
  return `${label}  ${name.padEnd(12)}  ${forTerminal(`${says.replace(/\.$/, '')}${end}`)}`;
}

/** Doctor makes no data folder: where a portable one is missing, what has to be tried is tried in a temporary one. */
async function stateDirOf(settings: Settings): Promise<string> {
  const folder = settings['state-dir'];
  if (!isPortable(settings) || (await exists(folder))) return folder;
  return join(await runFolder(), 'state');
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** A workspace that is missing is a line of doctor and not its end. */
async function settingsOrMissing(
  flags: ReadonlyMap<SettingName, unknown>,
): Promise<{ settings: Settings; missing: Finding | undefined }> {
  try {
    return { settings: await loadSettings(flags, process.env, process.cwd()), missing: undefined };
  } catch (error) {
    if (!(error instanceof UsageError) || error.exitCode !== EXIT.nothingToServe) throw error;
    const [says = '', ...rest] = error.message.split(/(?<=\.) /);
    const elsewhere = new Map(flags).set('workspace', [homeFolder()]);
    return {
      settings: await loadSettings(elsewhere, process.env, process.cwd()),
      missing: { state: 'fail', says, fix: rest.join(' ') || 'name an existing folder with --workspace' },
    };
  }
}

function brokenCheck(error: unknown): Finding {
  const why = error instanceof Error ? error.message : String(error);
  return { state: 'fail', says: `cannot be checked: ${why}`, fix: 'report this as a defect' };
}

/** What the chosen tunnel talks to. */
function outsideOf(settings: Settings): DoctorContext['outside'] {
  const at = (url: string, why: string) => ({ url: new URL(url), why });
  switch (settings.tunnel) {
    case 'cloudflare':
      return at('https://api.trycloudflare.com', 'where quick tunnels are made');
    case 'ngrok':
      return at('https://ngrok.com', 'the service of the tunnel');
    case 'tailscale':
      return at('https://controlplane.tailscale.com', 'the service of the tunnel');
    case 'openai': {
      const base = settings['tunnel-base-url'];
      const url = base !== undefined && URL.canParse(base) ? base : 'https://api.openai.com';
      return at(url, 'the control plane of the tunnel');
    }
    default:
      return at('https://chatgpt.com', 'as a sign of life of the internet');
  }
}
