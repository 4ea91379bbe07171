import type { ApprovalAnswer, ApprovalDesk, ApprovalRequest } from '../access/index.ts';
import type { Log } from '../runtime/log.ts';
import { colours, forTerminal } from '../runtime/terminal.ts';

/** Keys pressed before somebody can have read the question are not an answer to it. */
const READ_MS = 400;

/** Rows of a question beside its subject. What scrolls away unseen would be approved unseen. */
const ROWS_AROUND = 8;

const KEYS: Readonly<Record<string, ApprovalAnswer>> = {
  a: 'allow',
  d: 'deny',
  t: 'always-tool',
  c: 'always-call',
  p: 'always-prefix',
};

/**
 * Shows calls that wait for approval where somebody can answer; returns the function that ends it.
 * @param hasPage the local page is there to answer on, too
 */
export function askForApproval(approvals: ApprovalDesk, log: Log, hasPage: boolean): () => void {
  if (approvals.policy === 'never') return () => {};
  if (!process.stdin.isTTY || !process.stderr.isTTY) {
    log.warn(
      hasPage
        ? `--approve ${approvals.policy}: there is no terminal to ask on here; such calls wait ten minutes for an answer on the local page, to which "local-coder page" on a terminal gives the link`
        : `--approve ${approvals.policy}: there is no terminal to ask on, so every such call is denied after ten minutes`,
    );
    return () => {};
  }
  return approveOnTerminal(approvals, process.stdin, process.stderr);
}

/**
 * Shows calls that wait for approval on the terminal, one at a time, and takes the owner's answer as one key.
 * @returns the function that gives the terminal back
 */
export function approveOnTerminal(
  desk: ApprovalDesk,
  input: NodeJS.ReadStream,
  output: NodeJS.WriteStream,
): () => void {
  const { bold, dim, red } = colours(output);
  let shown: ApprovalRequest | undefined;
  let shownAtMs = 0;

  const show = () => {
    const waiting = desk.waiting();
    if (shown !== undefined && !waiting.some(({ id }) => id === shown?.id)) {
      shown = undefined; // answered, elsewhere or here, or cancelled
      output.write(dim('  settled\n'));
    }
    const next = waiting[0];
    if (shown !== undefined || next === undefined) return;
    shown = next;
    shownAtMs = performance.now();
    const more = waiting.length > 1 ? dim(` (${waiting.length - 1} more wait)`) : '';
    const lines = next.subject.split('\n').map((line) => `  ${forTerminal(line)}`);
    const columns = output.columns ?? 80;
    const rowCount = lines.reduce((sum, line) => sum + Math.ceil(widthOf(line) / columns), 0);
    const isLong = rowCount > (output.rows ?? 24) - ROWS_AROUND;
    const client = next.client === undefined ? '' : ` for ${forTerminal(next.client)}`;
    output.write(
      [
        '',
        `  ${red('Approve?')} ${bold(forTerminal(next.tool))}${client}${more}`,
        ...lines,
        dim(`  in ${forTerminal(next.folder)}${next.access === undefined ? '' : ` (access ${next.access})`}`),
        ...(isLong
          ? [`  ${red('All of it:')} ${lines.length} lines, more than fit here. Scroll up to its beginning.`]
          : []),
        `  [a]llow   [d]eny   always this [t]ool   always exactly this [c]all here`,
        ...(next.prefix === undefined
          ? []
          : [`  always commands here that begin with [p]  ${bold(next.prefix)} …`]),
        '',
      ].join('\n'),
    );
  };
  const onKey = (key: Buffer) => {
    const text = key.toString('utf8');
    if (text === '\u0003') return void process.kill(process.pid, 'SIGINT'); // raw mode hands Ctrl-C over as a key
    const answer = KEYS[text.toLowerCase()];
    if (shown === undefined || answer === undefined || performance.now() - shownAtMs < READ_MS) return;
    if (answer === 'always-prefix' && shown.prefix === undefined) return; // it was not offered
    desk.answer(shown.id, answer);
  };

  const stopListening = desk.onChange(show);
  input.setRawMode(true);
  input.resume();
  input.on('data', onKey);
  return () => {
    stopListening();
    input.off('data', onKey);
    input.setRawMode(false);
    input.pause();
  };
}

/** Columns at most: what is not ASCII may be twice as wide. */
function widthOf(text: string): number {
  return text.length + (text.match(/[^\u0000-\u007f]/g)?.length ?? 0);
}
