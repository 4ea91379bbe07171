/** Text for the fixture, the same for a seed on every machine. */

export type Random = () => number;

const TERMS = [
  'account', 'batch', 'channel', 'cursor', 'delivery', 'digest', 'editor', 'filter', 'gateway', 'handle', 'invoice',
  'journal', 'ledger', 'mirror', 'notice', 'order', 'packet', 'quota', 'region', 'sample', 'ticket', 'update', 'vector',
  'window',
] as const; // biome-ignore format: a list of words

/** A small seeded generator (xorshift32) of numbers from 0 up to 1. */
export function seededRandom(seed: number): Random {
  let state = seed | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

export function padded(value: number, width: number): string {
  return String(value).padStart(width, '0');
}

function term(random: Random): string {
  return TERMS[Math.floor(random() * TERMS.length)] ?? TERMS[0];
}

function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}

/** A module of `count` functions; each has one line that COMMON_PATTERN of fixture.ts finds. */
export function moduleText(random: Random, label: string, count: number): string {
  let text = `// Module ${label}: ${term(random)} and ${term(random)}.\n\n`;
  for (let n = 0; n < count; n++) {
    const [subject, field] = [term(random), term(random)];
    const limit = Math.floor(random() * 9_000) + 100;
    text += `export function on${capital(subject)}Changed${n}(items, context) {
  const known = items.filter((item) => item.${field} !== null && item.size < ${limit});
  for (const item of known) {
    context.report('${label}', item.${field}, { position: ${n}, limit: ${limit} });
  }
  return known.length > 0 ? { ${field}: known[0].${field}, of: '${subject}' } : undefined;
}

`;
  }
  return text;
}

export function proseText(random: Random, lines: number): string {
  let text = '';
  for (let n = 0; n < lines; n++) {
    text += `${Array.from({ length: 11 }, () => term(random)).join(' ')}.\n`;
  }
  return text;
}

export function jsonText(random: Random, entries: number): string {
  const rows = Array.from({ length: entries }, (_, n) => ({
    id: n,
    name: `${term(random)}-${n}`,
    amount: Math.floor(random() * 100_000),
  }));
  return `${JSON.stringify(rows, null, 2)}\n`;
}

/** Bytes that no program takes for text: the first one is 0. */
export function binaryBytes(random: Random, size: number): Buffer {
  const bytes = Buffer.alloc(size);
  for (let at = 4; at + 4 <= size; at += 4) bytes.writeUInt32LE(Math.floor(random() * 2 ** 32), at);
  return bytes;
}
