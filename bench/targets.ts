/** What was set out to be reached, and whether one run has reached it. */
import { BARE, LOCAL_CODER, LOCAL_CODER_STDIO, RAW } from './adapters/names.ts';
import type { OperationName } from './operations.ts';
import type { Results } from './results.ts';
import { median, shownMs } from './statistics.ts';

export interface Verdict {
  readonly what: string;
  readonly limit: string;
  readonly measured: string;
  readonly met: boolean;
  /** Why it cannot be met, or is not yet; only of targets that were missed. */
  readonly why?: string | undefined;
}

/** Resident memory moves by this much per connect without anything being kept: pages of the heap come and go. */
const CONNECT_NOISE_KB = 10;

/** The verdicts on all targets whose measures the run holds. */
export function verdicts(results: Results): Verdict[] {
  const found = [
    ...(
      ['grep_rare', 'grep_common', 'glob', 'glob_narrow', 'git_status', 'git_diff', 'git_log'] as const
    ).map((name) => atMostMore(results, name, 5)),
    atMostMore(results, 'shell_true', 3),
    atMostTimes(results, 'shell_seq', 1.5, 'raw'),
    ...(['read', 'write', 'edit'] as const).map((name) => halfOfFastestPeer(results, name)),
    atMostTimes(results, 'read_x32', 8, 'the raw reads'),
    ...processVerdicts(results),
    ...largeVerdicts(results),
  ];
  return found.filter((verdict) => verdict !== undefined);
}

/** Median of an operation in milliseconds; undefined when it was not measured or went wrong. */
export function p50(results: Results, contestant: string, name: OperationName): number | undefined {
  const cell = results.contestants.find((each) => each.name === contestant)?.cells[name];
  return cell === undefined ? undefined : median(cell.samplesMs);
}

function atMostMore(results: Results, name: OperationName, allowedMs: number): Verdict | undefined {
  const [raw, ours] = [p50(results, RAW, name), p50(results, LOCAL_CODER, name)];
  if (raw === undefined || ours === undefined) return undefined;
  return {
    what: name,
    limit: `raw + ${allowedMs} ms`,
    measured: `raw ${signed(ours - raw)} ms (${shownMs(ours)} and ${shownMs(raw)})`,
    met: ours - raw <= allowedMs,
  };
}

function atMostTimes(
  results: Results,
  name: OperationName,
  factor: number,
  whom: string,
): Verdict | undefined {
  const [raw, ours] = [p50(results, RAW, name), p50(results, LOCAL_CODER, name)];
  if (raw === undefined || ours === undefined) return undefined;
  return {
    what: name,
    limit: `${factor} × ${whom}`,
    measured: `${(ours / raw).toFixed(1)} × (${shownMs(ours)} and ${shownMs(raw)} ms)`,
    met: ours <= factor * raw,
  };
}

/** Compared over HTTP, as clients mostly come; the share over stdio, the peers' only transport, stands beside it. */
function halfOfFastestPeer(results: Results, name: OperationName): Verdict | undefined {
  const own: readonly string[] = [RAW, BARE, LOCAL_CODER, LOCAL_CODER_STDIO];
  const peers = results.contestants.flatMap((each) =>
    own.includes(each.name) ? [] : (p50(results, each.name, name) ?? []),
  );
  const [http, stdio] = [p50(results, LOCAL_CODER, name), p50(results, LOCAL_CODER_STDIO, name)];
  const ours = http ?? stdio;
  if (peers.length === 0 || ours === undefined) return undefined;
  const fastest = Math.min(...peers);
  const share = (ms: number | undefined, transport: string) =>
    ms === undefined ? [] : [`${Math.round((ms / fastest) * 100)} % over ${transport}`];
  return {
    what: name,
    limit: 'half of the fastest peer',
    measured: `${[...share(http, 'HTTP'), ...share(stdio, 'stdio')].join(', ')} (peer ${shownMs(fastest)} ms)`,
    met: ours <= fastest / 2,
    why: ours <= fastest / 2 ? undefined : whySlowerThanPeers(results, name, fastest),
  };
}

function whySlowerThanPeers(results: Results, name: OperationName, fastestMs: number): string {
  const bareMs = p50(results, BARE, 'read');
  const http =
    bareMs === undefined
      ? []
      : [
          `over HTTP the SDK’s client and Node’s server take ${shownMs(bareMs)} ms by themselves (a bare server’s read), ` +
            `over stdio the peer takes ${shownMs(fastestMs)} ms for all`,
        ];
  const safety =
    name === 'read'
      ? []
      : [
          'every change is recorded for undo and checked against changes by others, which the peers leave out',
        ];
  return [...http, ...safety].join('; ');
}

function processVerdicts(results: Results): (Verdict | undefined)[] {
  const facts = (name: string) => results.contestants.find((each) => each.name === name)?.facts;
  const [ours, bare] = [facts(LOCAL_CODER), facts(BARE)];
  const [startMs, bareStartMs] = [median(ours?.coldStartsMs ?? []), median(bare?.coldStartsMs ?? [])];
  const [idleMb, bareIdleMb] = [median(ours?.idleMb ?? []), median(bare?.idleMb ?? [])];
  const { connects } = results;
  return [
    startMs === undefined || bareStartMs === undefined
      ? undefined
      : {
          what: 'cold start to tools/list',
          limit: '2.5 × a bare Node HTTP server on the same base',
          measured: `${(startMs / bareStartMs).toFixed(2)} × (${shownMs(startMs)} and ${shownMs(bareStartMs)} ms)`,
          met: startMs <= 2.5 * bareStartMs,
        },
    idleMb === undefined || bareIdleMb === undefined
      ? undefined
      : {
          what: 'idle memory',
          limit: 'that server + 30 MB',
          measured: `${signed(idleMb - bareIdleMb)} MB (${idleMb.toFixed(0)} and ${bareIdleMb.toFixed(0)})`,
          met: idleMb - bareIdleMb <= 30,
        },
    connects && {
      what: 'kept per client that went away',
      limit: `nothing (noise: ${CONNECT_NOISE_KB} kB)`,
      measured: `${(((connects.afterAgainMb - connects.afterMb) * 1_000) / connects.count).toFixed(1)} kB in the second ${connects.count} connects`,
      met: ((connects.afterAgainMb - connects.afterMb) * 1_000) / connects.count <= CONNECT_NOISE_KB,
    },
  ];
}

function largeVerdicts({ large }: Results): Verdict[] {
  if (large === undefined) return [];
  const rows: readonly [what: string, ms: number, limitMs: number][] = [
    ['a patch matched in 5,000 lines', large.matchIn5000LinesMs, 1],
    ['a patch of 1,000 files', large.patchOf1000FilesMs, 5_000],
    ['outline of 5,000 lines of TypeScript, first', large.outlineFirstMs, 150],
    ['outline of the same, later', large.outlineLaterMs, 50],
    ['process_output after 100 MB', large.outputAfter100MbMs, 5],
    ['list of 10,000 checkpoints', large.listOf10000CheckpointsMs, 20],
    ['restore of 20 MB', large.restoreOf20MbMs, 1_000],
  ];
  const { closedMs, openMs } = large.page;
  return [
    ...rows.map(([what, ms, limitMs]) => ({
      what,
      limit: `${limitMs} ms`,
      measured: `${shownMs(ms)} ms`,
      met: ms <= limitMs,
    })),
    {
      what: 'a call while the local page is open',
      limit: '1.05 × one while it is not',
      measured: `${(openMs / closedMs).toFixed(2)} × (${shownMs(openMs)} and ${shownMs(closedMs)} ms)`,
      met: openMs / closedMs <= 1.05,
    },
  ];
}

function signed(value: number): string {
  return `${value < 0 ? '−' : '+'} ${shownMs(Math.abs(value))}`;
}
