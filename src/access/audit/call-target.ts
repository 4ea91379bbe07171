import { maskSecrets } from './mask-secrets.ts';

const MAX_CHARACTERS = 500;
/** Of the arguments no more is looked at: this is done for every call, and one may bring a megabyte. */
const MAX_LOOKED_AT = 8_000;
/** Ends a quoted secret that was cut, which would not be taken for one without its end. */
const ENDS_OF_QUOTES = `"'`;
/** Arguments that say what a call was about. File contents, patches and prompts are not among them. */
const TELLING = [
  'command',
  'path',
  'source',
  'destination',
  'files',
  'pattern',
  'name',
  'args',
  'id',
  'branch',
  'ref',
  'remote',
  'action',
  'checkpoint_id',
  'mode',
  'working_directory',
  'shell',
] as const;

/**
 * What a call was about, for the audit trail and recent_calls: the command or the target paths, with secrets masked.
 * @returns one line; empty when the arguments say nothing
 */
export function callTarget(args: unknown): string {
  if (typeof args !== 'object' || args === null) return '';
  const values = args as Record<string, unknown>; // any object can be looked into
  const parts = TELLING.flatMap((name) => {
    const text = asText(values[name]);
    return text === undefined ? [] : [text];
  });
  if (typeof values['patch'] === 'string') parts.push(...patchedFiles(values['patch']));
  if (Array.isArray(values['calls']))
    parts.push(...values['calls'].map((call) => asText((call as { tool?: unknown })?.tool) ?? '?'));
  const whole = parts.join(' ');
  const isCut = whole.length > MAX_LOOKED_AT;
  const line = oneLine(maskSecrets(isCut ? whole.slice(0, MAX_LOOKED_AT) + ENDS_OF_QUOTES : whole));
  if (line.length > MAX_CHARACTERS) return `${line.slice(0, MAX_CHARACTERS)}…`;
  if (!isCut) return line;
  const shown = line.endsWith(ENDS_OF_QUOTES) ? line.slice(0, -ENDS_OF_QUOTES.length) : line;
  return `${shown.trimEnd()}…`;
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}

function asText(value: unknown): string | undefined {
  if (typeof value === 'string') return value === '' ? undefined : value;
  if (Array.isArray(value)) return value.filter((entry) => typeof entry === 'string').join(' ') || undefined;
  return undefined;
}

/** The file names in a patch's own headers. */
function patchedFiles(patch: string): string[] {
  const names = new Set<string>();
  for (const match of patch
    .slice(0, 100_000)
    .matchAll(/^(?:\*\*\* (?:Add|Update|Delete) File: |\+\+\+ (?:b\/)?)(.+)$/gm)) {
    if (match[1] !== '/dev/null') names.add(match[1]!.trim());
  }
  return [...names].slice(0, 20);
}
