import { access, realpath, stat } from 'node:fs/promises';
import { temporaryFolder } from '../../runtime/run-folder.ts';
import { runProgram } from '../../runtime/run-program.ts';
import { defined } from './environment.ts';
import { isWithin, realPathOf } from './paths.ts';
import { toolChains } from './tool-chains.ts';
import type { ConfinedRun, NoSandbox, Sandbox, SandboxOptions } from './types.ts';

const PROGRAM = '/usr/bin/sandbox-exec';
const PROBE_TIMEOUT_MS = 10_000;

/** Programs, libraries and developer tools of macOS. */
const SYSTEM = [
  '/bin',
  '/sbin',
  '/usr',
  '/System',
  '/Library/Apple',
  '/Library/Developer',
  '/Library/Frameworks',
  '/Library/Java',
  '/Applications/Xcode.app',
  '/opt/homebrew',
  '/opt/local',
  '/private/var/db/dyld',
  '/private/var/db/timezone',
  '/private/var/select',
  '/private/var/db/xcode_select_link',
];
const ETC = [
  'bashrc',
  'group',
  'hosts',
  'localtime',
  'passwd',
  'paths',
  'paths.d',
  'profile',
  'protocols',
  'resolv.conf',
  'services',
  'shells',
  'ssl',
  'zprofile',
  'zshrc',
];
const DEVICES = ['/dev/null', '/dev/zero', '/dev/random', '/dev/urandom', '/dev/tty', '/dev/dtracehelper'];
/** Looking up users and hosts, certificates, time zones; neither the pasteboard nor the keychain nor the window server. */
const SERVICES = [
  'com.apple.system.opendirectoryd.libinfo',
  'com.apple.system.opendirectoryd.membership',
  'com.apple.system.notification_center',
  'com.apple.system.logger',
  'com.apple.trustd.agent',
  'com.apple.trustd',
  'com.apple.dnssd.service',
  'com.apple.SystemConfiguration.configd',
];

export interface ProfileParts {
  readonly roots: readonly string[];
  readonly readDirs: readonly string[];
  /** A folder for temporary files, of this server alone. */
  readonly scratch: string;
  readonly stateDir: string;
  readonly protectedFiles: readonly string[];
  readonly network: boolean;
  readonly read: readonly string[];
  readonly write: readonly string[];
  readonly rootsOnly: boolean;
}

/**
 * A profile in the language of sandbox-exec: what is not allowed is denied, and of two rules the later one holds, so
 * the state folder is closed after the roots are opened and single files of it are opened after that.
 */
export function seatbeltProfile(parts: ProfileParts): string {
  const { roots, readDirs, scratch, stateDir, protectedFiles, network, read, write, rootsOnly } = parts;
  const machine = rootsOnly ? ['/usr/lib', '/System', '/private/var/db/dyld'] : [...SYSTEM, ...readDirs];
  const writable = rootsOnly ? [] : [...roots, scratch];
  return [
    '(version 1)',
    '(deny default)',
    '(allow process-fork)',
    '(allow process-exec)',
    '(allow signal (target same-sandbox))',
    '(allow process-info* (target same-sandbox))',
    '(allow sysctl-read)',
    '(allow file-ioctl)',
    '(allow ipc-posix-sem)',
    `(allow mach-lookup ${SERVICES.map((name) => `(global-name ${text(name)})`).join(' ')})`,
    '(allow file-read-metadata)',
    `(allow file-read* (literal "/") ${paths('subpath', [...machine, ...roots])})`,
    ...(rootsOnly
      ? []
      : [
          `(allow file-read* ${paths(
            'subpath',
            ETC.map((name) => `/private/etc/${name}`),
          )})`,
        ]),
    `(allow file-read* file-write* ${paths('literal', DEVICES)})`,
    '(allow file-read* file-write* (regex #"^/dev/ttys[0-9]+$"))',
    ...(writable.length > 0 ? [`(allow file-read* file-write* ${paths('subpath', writable)})`] : []),
    `(deny file-read* file-write* ${paths('subpath', [stateDir, ...protectedFiles])})`,
    ...(read.length > 0 ? [`(allow file-read* ${paths('subpath', read)})`] : []),
    ...(write.length > 0 ? [`(allow file-read* file-write* ${paths('literal', write)})`] : []),
    ...(network && !rootsOnly
      ? [
          '(allow network-outbound (remote ip))',
          '(allow network-inbound (local ip))',
          '(allow network-bind (local ip))',
          '(allow network-outbound (literal "/private/var/run/mDNSResponder"))',
          '(allow system-socket)',
        ]
      : []),
    '',
  ].join('\n');
}

function paths(kind: 'subpath' | 'literal', values: readonly string[]): string {
  return values.map((value) => `(${kind} ${text(value)})`).join(' ');
}

/** A string of the profile language. */
function text(value: string): string {
  return `"${value.replace(/[\\"]/g, '\\$&')}"`;
}

/** sandbox-exec of macOS, tried once. */
export async function createSeatbelt(options: SandboxOptions): Promise<Sandbox | NoSandbox> {
  const hint =
    'Start local-coder with --access full to run commands unconfined, or run it in a container; the file and search tools work without it.';
  const isThere = await access(PROGRAM).then(
    () => true,
    () => false,
  );
  if (!isThere) return { unavailable: 'sandbox-exec is not there', hint };
  const { env, roots, readDirs, stateDir, network } = options;
  const protectedFiles = [...(options.hidden ?? []), ...(options.protectedFiles ?? [])];
  const scratch = await realpath(await temporaryFolder());
  const chains = await toolChains(env, [...SYSTEM, ...roots]);
  const common = { roots, readDirs: [...chains, ...readDirs], scratch, stateDir, protectedFiles, network };
  const sandbox: Sandbox = {
    name: 'sandbox-exec',
    network,
    wrap(file: string, args: readonly string[], run: ConfinedRun) {
      const profile = seatbeltProfile({
        ...common,
        read: run.read ?? [],
        write: run.write ?? [],
        rootsOnly: run.rootsOnly === true,
      });
      const confined = { ...defined(run.env), TMPDIR: scratch, HOME: scratch, PWD: run.cwd };
      return { file: PROGRAM, args: ['-p', profile, file, ...args], env: confined };
    },
    async canEnter(folder) {
      const real = await realPathOf(folder);
      if (real === undefined || isWithin(real, stateDir)) return false;
      const isVisible = [...roots, ...common.readDirs, ...SYSTEM, scratch].some((each) =>
        isWithin(real, each),
      );
      return isVisible && (await stat(real)).isDirectory();
    },
  };
  const run = sandbox.wrap('/bin/sh', ['-c', 'exit 0'], { cwd: roots[0], env });
  const probe = await runProgram(run.file, run.args, {
    cwd: roots[0],
    env: run.env,
    timeoutMs: PROBE_TIMEOUT_MS,
  });
  if (probe.exitCode === 0) return sandbox;
  const reason = probe.stderr.trim().split('\n')[0] ?? '';
  return { unavailable: `sandbox-exec does not work here: ${reason}`, hint };
}
