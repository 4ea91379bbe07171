import { SIMPLE_PROGRAMS, type SimpleProgram } from './simple-commands.ts';

/**
 * "Always what begins with these words." A command is more than its words to a shell, so that a prefix is offered and
 * matched for simple commands alone: one program and its words, of plain characters, split at spaces. What a shell of
 * any kind (sh, PowerShell, cmd) could take for anything else (quotes, `;`, `|`, `&`, `<`, `>`, `$`, `%`, backticks,
 * globs, `~`, line ends, an assignment before the program) makes a command one that is asked for each time, and so does
 * each option that is not known to be harmless (simple-commands.ts).
 */

const MAX_CHARACTERS = 1_000;
const SIMPLE = /^[A-Za-z0-9_./:+-][A-Za-z0-9_./:=+@-]*( +[A-Za-z0-9_./:+-][A-Za-z0-9_./:=+@-]*)*$/;
const NAME = /^[A-Za-z0-9][A-Za-z0-9:._-]*$/;

/**
 * The leading words of a command that "always" may cover, such as `npm test` or `git status`.
 * @returns undefined where none can be offered safely; this very command can still be allowed for good
 */
export function commandPrefix(command: string): string | undefined {
  const words = simpleWords(command);
  const [program = '', second, third] = words ?? [];
  const known = Object.hasOwn(SIMPLE_PROGRAMS, program) ? SIMPLE_PROGRAMS[program] : undefined;
  if (words === undefined || known === undefined) return undefined;
  const prefix = prefixWords(program, known.sub, second, third);
  return prefix !== undefined && words.slice(prefix.length).every(harmlessIn(known))
    ? prefix.join(' ')
    : undefined;
}

/** The program and its subcommand; undefined for one that is not known. */
function prefixWords(
  program: string,
  sub: string | undefined,
  second: string | undefined,
  third: string | undefined,
): string[] | undefined {
  if (sub === undefined) return [program];
  const known = sub.split(' ');
  if (second === undefined) return undefined;
  if (known.includes(second)) return [program, second];
  if (third === undefined || !NAME.test(third)) return undefined;
  const isKnown = known.includes(`${second}:*`) || known.includes(`${second}:${third}`);
  return isKnown ? [program, second, third] : undefined;
}

/** Looks at the words after the prefix one after another. */
function harmlessIn({ options = '', letters = '', passedOn = options, words }: SimpleProgram) {
  let allowed = new Set(options.split(' '));
  let together = letters;
  return (word: string): boolean => {
    if (word === '--') {
      allowed = new Set(passedOn.split(' '));
      if (passedOn !== options) together = '';
      return true;
    }
    if (!word.startsWith('-')) return words === undefined || (words === 'names' && NAME.test(word));
    const [name = ''] = word.split('=', 1);
    if (allowed.has(name)) return true;
    const [, short = '', number = ''] = /^-([A-Za-z]*)(\d*)$/.exec(word) ?? [];
    if (short === '') return number !== '' && together.includes('#');
    return [...short].every((letter) => together.includes(letter));
  };
}

/** The words of a simple command; undefined for any other. */
function simpleWords(command: string): string[] | undefined {
  if (command.length > MAX_CHARACTERS || !SIMPLE.test(command)) return undefined;
  return command.split(/ +/);
}
