/**
 * The program of the regex worker, as text: a worker made from text needs no file, so it runs the same from the sources,
 * inside the bundle and the single executable, and under Deno. It answers one job at a time.
 *
 * The pieces of the replacement template are put together here rather than by String.replace, because the positions of
 * what changed are needed for the diff, and because a template such as $` can make the result grow quadratically.
 */
export const REGEX_WORKER_SOURCE = `
'use strict';
const { parentPort } = process.getBuiltinModule('node:worker_threads');

function expand(template, match, groups, offset, text, named) {
  if (!template.includes('$')) return template;
  return template.replace(/\\$(?:([$&\`'])|(\\d{1,2})|<([^>]*)>)/g, (whole, sign, digits, name) => {
    if (sign === '$') return '$';
    if (sign === '&') return match;
    if (sign === '\`') return text.slice(0, offset);
    if (sign === "'") return text.slice(offset + match.length);
    if (digits !== undefined) {
      const two = Number(digits);
      if (two >= 1 && two <= groups.length) return groups[two - 1] ?? '';
      const one = Number(digits[0]);
      if (digits.length === 2 && one >= 1 && one <= groups.length) return (groups[one - 1] ?? '') + digits[1];
      return whole;
    }
    return named === undefined ? whole : String(named[name] ?? '');
  });
}

function replace({ text, pattern, flags, replacement, maxChars, maxRegions }) {
  const regex = new RegExp(pattern, flags);
  const regions = [];
  const pieces = [];
  let copied = 0;
  let length = 0;
  let matches = 0;
  text.replace(regex, (match, ...rest) => {
    const named = typeof rest.at(-1) === 'object' ? rest.pop() : undefined;
    rest.pop();
    const offset = rest.pop();
    const inserted = expand(replacement, match, rest, offset, text, named);
    matches++;
    if (inserted === match) return '';
    pieces.push(text.slice(copied, offset), inserted);
    length += offset - copied;
    regions.push(offset, offset + match.length, length, length + inserted.length);
    length += inserted.length;
    copied = offset + match.length;
    if (regions.length > maxRegions * 4) throw Object.assign(new Error('too many'), { tooMany: true });
    if (length > maxChars) throw Object.assign(new Error('too large'), { tooLarge: true });
    return '';
  });
  pieces.push(text.slice(copied));
  return { text: pieces.join(''), matches, regions };
}

parentPort.on('message', (job) => {
  try {
    parentPort.postMessage({ ok: true, ...replace(job) });
  } catch (error) {
    parentPort.postMessage({ ok: false, message: error.message, tooLarge: error.tooLarge === true, tooMany: error.tooMany === true });
  }
});
`;
