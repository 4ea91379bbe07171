/** What a run says: one table of times, one of targets. */
import { OPERATIONS, type OperationName } from './operations.ts';
import type { Results } from './results.ts';
import { median, percentile, shownMs } from './statistics.ts';
import { verdicts } from './targets.ts';

export function markdown(results: Results): string {
  const notes: string[] = [];
  const missed = verdicts(results).filter(({ met }) => !met);
  const parts = [
    heading(results),
    operationTable(results, notes),
    ...(notes.length > 0 ? [notes.map((note, index) => `${index + 1}. ${note}`).join('\n')] : []),
    targetTable(results),
  ];
  if (missed.length > 0) {
    const lines = missed.map(
      ({ what, measured, limit, why }) =>
        `- ${what}: ${measured}; at most ${limit} was wanted${why ? `. ${capital(why)}` : ''}.`,
    );
    parts.push(`Missed in this run:\n\n${lines.join('\n')}`);
  }
  return parts.join('\n\n');
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function heading({ date, machine, load, iterations, fixture }: Results): string {
  return (
    `Measured on ${date.slice(0, 10)}: ${machine.cores} cores of ${machine.cpu}, ${machine.platform}, Node ${machine.node}; ` +
    `load average ${load.before.toFixed(1)} before and ${load.after.toFixed(1)} after. ` +
    `A repository of ${fixture.files.toLocaleString('en')} files, ${Math.round(fixture.bytes / 1e6)} MB. ` +
    `${iterations} rounds in which all take turns, every answer checked; milliseconds, median / 95th percentile, ` +
    'the client (the MCP SDK’s) included.'
  );
}

function operationTable({ contestants }: Results, notes: string[]): string {
  const names = Object.keys(OPERATIONS) as OperationName[]; // the table's own keys
  const measured = names.filter((name) => contestants.some(({ cells }) => cells[name]));
  const rows = measured.map((name) => [
    OPERATIONS[name].title,
    ...contestants.map(({ name: contestant, cells }) => {
      const cell = cells[name];
      if (cell === undefined) return '–';
      const said = [cell.remark, cell.failures > 0 ? `${cell.failures} times ${cell.error}` : undefined];
      const remark = said.filter((part) => part !== undefined).join('; ');
      const mark = remark === '' ? '' : ` <sup>${notes.push(`${contestant}, ${name}: ${remark}`)}</sup>`;
      const [middle, high] = [median(cell.samplesMs), percentile(cell.samplesMs, 0.95)];
      if (middle === undefined || high === undefined) return `wrong${mark}`;
      return `${shownMs(middle)} / ${shownMs(high)}${mark}`;
    }),
  ]);
  const factRow = (
    title: string,
    shown: (facts: Results['contestants'][number]['facts']) => string | undefined,
  ) => rows.push([title, ...contestants.map(({ facts }) => shown(facts) ?? '–')]);
  factRow('cold start to tools/list, median / best', ({ coldStartsMs }) => {
    const middle = median(coldStartsMs);
    return middle === undefined ? undefined : `${shownMs(middle)} / ${shownMs(Math.min(...coldStartsMs))}`;
  });
  factRow('idle memory, MB', ({ idleMb }) => median(idleMb)?.toFixed(0));
  factRow('memory after the run, MB', ({ afterRunMb }) => afterRunMb?.toFixed(0));
  factRow('tools, and kB of tools/list', ({ tools, toolsListBytes }) =>
    tools === undefined ? undefined : `${tools}, ${((toolsListBytes ?? 0) / 1e3).toFixed(0)}`,
  );
  return table(['', ...contestants.map(({ name }) => name)], rows);
}

function targetTable(results: Results): string {
  const rows = verdicts(results).map(({ what, limit, measured, met }) => [
    what,
    limit,
    measured,
    met ? 'met' : '**missed**',
  ]);
  return table(['target', 'at most', 'measured', ''], rows);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), `|${head.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n');
}
