import { type ChildProcess, spawn } from 'node:child_process';
import { isWindows } from '../runtime/platform.ts';
import { MARKER_VARIABLE } from '../runtime/process-tree.ts';
import { temporaryFolders } from '../runtime/run-folder.ts';

/**
 * What the guard runs: it waits for the end of its input, which comes when the server ends in whatever way, then
 * kills everything that carries the server's marker (Linux) and every session, group or process that is still open, and
 * removes the server's temporary folders. Lines "+N" and "-N" tell which sessions are, "=PATH" which folders. It ignores
 * the signals that may end the server.
 *
 * It finds neither a process that left its session with a cleaned environment (`setsid env -i …`) nor, outside of
 * Linux, one that left its process group.
 */
const GUARD_SCRIPT = `
trap '' HUP INT TERM PIPE
open=' '
folders=
newline='
'
while IFS= read -r line; do
  case $line in
    =*) folders="$folders\${line#=}$newline" ;;
    +*) open="$open\${line#+} " ;;
    -*) number=\${line#-}; case $open in *" $number "*) open="\${open%% "$number" *} \${open#* "$number" }" ;; esac ;;
  esac
done
for round in 1 2 3 4 5 6 7 8; do
  found=
  if [ -r /proc/self/environ ]; then
    for file in $(grep -lsF "$1" /proc/[0-9]*/environ); do
      number=\${file#/proc/}; number=\${number%/environ}
      [ "$number" = $$ ] || { kill -9 "$number" && found=1; }
    done
    for file in /proc/[0-9]*/stat; do
      read -r stat < "$file" || continue
      number=\${file#/proc/}; number=\${number%/stat}
      set -f; set -- "$1" \${stat##*)}; set +f
      case $open in *" $5 "*|*" $4 "*|*" $number "*) [ "$2" = Z ] || { kill -9 "$number" && found=1; } ;; esac
    done
  else
    for number in $open; do { kill -9 "-$number" || kill -9 "$number"; } && found=1; done
  fi
  [ -n "$found" ] || break
done 2>/dev/null
set -f
IFS=$newline
[ -z "$folders" ] || rm -rf -- $folders
`;

/**
 * A small `sh` that outlives the server by a moment and cleans up after it, also after `kill -9`. Started with the
 * first command; about 1 MB of memory, no work until the end. Windows has none: what runs there when the server is
 * killed by force stays.
 */
export class Guard {
  readonly #name: () => string;
  #child: ChildProcess | undefined;
  readonly #open = new Set<number>();
  #closed = false;

  /** @param name what all markers of this server begin with */
  constructor(name: () => string) {
    this.#name = name;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Something with the marker was started: from now on it is to be found. */
  begin(): void {
    this.#start();
  }

  /** A session, or a process without one of its own, that must not outlive the server. */
  watch(leaderPid: number): void {
    this.#open.add(leaderPid);
    if (!this.#start()) this.#tell(`+${leaderPid}\n`);
  }

  /** The session is empty: its number may come to belong to somebody else. */
  unwatch(leaderPid: number): void {
    if (this.#open.delete(leaderPid)) this.#tell(`-${leaderPid}\n`);
  }

  /** Ends the guard without a last look; for an orderly end, after everything was stopped. */
  close(): void {
    this.#closed = true;
    this.#child?.removeAllListeners('exit');
    this.#child?.kill('SIGKILL');
    this.#child = undefined;
  }

  /** Starts the guard where there is none; true when it was started just now, and so knows every open session. */
  #start(): boolean {
    if (this.#child || this.#closed || isWindows) return this.#child === undefined;
    // Its arguments carry the marker, its environment does not: it must not find itself.
    const marker = `${MARKER_VARIABLE}=${this.#name()}`;
    const child = spawn('/bin/sh', ['-c', GUARD_SCRIPT, 'local-coder-guard', marker], {
      cwd: '/',
      env: { PATH: '/usr/local/bin:/usr/bin:/bin' },
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
    });
    this.#child = child;
    child.once('error', () => {
      this.#child = undefined;
    });
    // Killed by somebody: the next command starts another.
    child.once('exit', () => {
      this.#child = undefined;
    });
    child.stdin?.on('error', () => {});
    child.unref();
    const input = child.stdin;
    if (input && 'unref' in input && typeof input.unref === 'function') input.unref();
    const folders = temporaryFolders().filter((path) => !path.includes('\n'));
    this.#tell(
      [...[...this.#open].map((pid) => `+${pid}\n`), ...folders.map((path) => `=${path}\n`)].join(''),
    );
    return true;
  }

  #tell(lines: string): void {
    this.#child?.stdin?.write(lines);
  }
}
