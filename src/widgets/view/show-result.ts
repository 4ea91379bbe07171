import { element } from './dom.ts';
import { type Words, wordsFor } from './messages.ts';
import { type Fields, fields, readResult, type ShownResult, textOf } from './result.ts';
import { commandState, showOutput, showOutputs } from './show-command.ts';
import { counts, showDiff } from './show-diff.ts';
import { cut, visible } from './text.ts';

/** Everything that the host has told so far. */
export interface ViewState {
  readonly locale: string;
  readonly tool: string;
  readonly input: Fields;
  readonly isCancelled: boolean;
  /** Undefined until there is one. */
  readonly result: unknown;
}

const MAX_COMMAND_CHARS = 2_000;
const MAX_SENTENCE_CHARS = 4_000;
/** Of a command's fields, those that its sentence explains. */
const NOTABLE = ['running', 'truncated', 'attached', 'timed_out', 'non_utf8'];

/** The whole view for what is known. */
export function showState(state: ViewState): { nodes: Node[]; words: Words } {
  const words = wordsFor(state.locale);
  if (state.result === undefined) return { nodes: showWaiting(state, words), words };
  const result = readResult(state.result);
  return { nodes: showResult(result, state, words), words };
}

function showWaiting({ tool, input, isCancelled }: ViewState, words: Words): Node[] {
  const about = textOf(input['command']) || textOf(input['path']) || textOf(input['file']);
  return [
    element('h1', {}, title(tool, words), about !== '' && ' ', about !== '' && code(about)),
    element('p', { class: 'quiet', role: 'status' }, words.say(isCancelled ? 'cancelled' : 'waiting')),
  ];
}

function showResult(result: ShownResult, state: ViewState, words: Words): Node[] {
  const tool = result.tool || state.tool;
  if (!result.ok) return showError(result, tool, state, words);
  if (tool === 'run_command' && result.tool !== '') return showCommand(result, state, words);
  if (typeof result.data['diff'] === 'string' || Array.isArray(result.data['files'])) {
    return [...diffHead(result, tool, words), ...showDiff(result.data, words), ...foot(result, words)];
  }
  const nodes = [element('h1', {}, title(tool, words)), ...sentence(result.summary)];
  if (result.text !== '')
    nodes.push(...(showOutput(result.text, words.say('stdout'), false, words) as HTMLElement[]));
  if (result.text === '' && result.summary === '') nodes.push(quiet(words.say('nothing')));
  return nodes;
}

function diffHead({ data, summary }: ShownResult, tool: string, words: Words): Node[] {
  const [added, removed] = [data['added'], data['removed']];
  const total = typeof added === 'number' && typeof removed === 'number' ? counts(added, removed, words) : [];
  const head = element(
    'h1',
    {},
    title(tool, words),
    ...total,
    data['dry_run'] === true && badge(words.say('dryRun'), 'open'),
  );
  return [head, ...sentence(summary)];
}

function showCommand(result: ShownResult, state: ViewState, words: Words): Node[] {
  const { data } = result;
  const ended = commandState(data, words);
  const command = textOf(data['command']) || textOf(state.input['command']);
  const folder = textOf(data['cwd']);
  const time = data['duration_ms'];
  const id = textOf(data['process_id']);
  const isPlain = id === '' && !NOTABLE.some((name) => data[name] === true);
  return [
    element('h1', {}, code(command === '' ? title('run_command', words) : command)),
    element(
      'p',
      { class: 'facts' },
      badge(ended.text, ended.kind),
      typeof time === 'number' && element('span', {}, words.duration(time)),
      folder !== '' && folder !== '.' && element('span', { class: 'path' }, visible(folder)),
      id !== '' && data['running'] === true && element('span', {}, words.say('process', id)),
    ),
    // What the facts above do not say: how to go on, what is cut, what was left running.
    ...(isPlain ? [] : sentence(result.summary)),
    ...showOutputs(data, words),
  ];
}

function showError(result: ShownResult, tool: string, state: ViewState, words: Words): Node[] {
  const error = fields(result.data['error']);
  const hint = textOf(error['hint']);
  const message = textOf(error['message']) || result.summary || result.text || words.say('nothing');
  const about = textOf(state.input['command']) || textOf(state.input['path']);
  return [
    element(
      'h1',
      {},
      title(tool, words),
      about !== '' && ' ',
      about !== '' && code(about),
      badge(textOf(error['code']) || words.say('error'), 'bad'),
    ),
    ...sentence(message),
    ...(hint === '' ? [] : [element('p', {}, element('b', {}, `${words.say('hint')}: `), bounded(hint))]),
  ];
}

/** What a result says of itself besides its content. */
function foot({ data }: ShownResult, words: Words): Node[] {
  const next = textOf(data['next']);
  const checkpoint = textOf(data['checkpoint_id']);
  const nodes: Node[] = [];
  if (data['truncated'] === true) {
    nodes.push(
      element(
        'p',
        { class: 'note' },
        words.say('cut'),
        next !== '' && ` ${words.say('next')} `,
        next !== '' && code(next),
      ),
    );
  }
  if (checkpoint !== '') nodes.push(quiet(words.say('undo', checkpoint)));
  return nodes;
}

function title(tool: string, words: Words): string {
  return tool === 'apply_patch' || tool === 'edit_file' || tool === 'git_diff' || tool === 'run_command'
    ? words.say(tool)
    : visible(tool) || 'local-coder';
}

function sentence(text: string): HTMLElement[] {
  return text === '' ? [] : [element('p', {}, bounded(text))];
}

function bounded(text: string): string {
  const { text: kept, more } = cut(text, MAX_SENTENCE_CHARS);
  return visible(kept) + (more > 0 ? '…' : '');
}

function quiet(text: string): HTMLElement {
  return element('p', { class: 'quiet' }, visible(text));
}

function badge(text: string, kind: string): HTMLElement {
  return element('span', { class: `badge ${kind}` }, visible(text));
}

function code(text: string): HTMLElement {
  const { text: kept, more } = cut(text, MAX_COMMAND_CHARS);
  return element('code', {}, visible(kept) + (more > 0 ? '…' : ''));
}
