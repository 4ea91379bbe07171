import { compileGlob } from '../../search/index.ts';

/**
 * Which files a list of globs means: those that match one of them and none of those that begin with `!`. A glob
 * without a slash holds at every depth, one with a slash from the top of the workspace.
 * @throws {CodedError} INVALID_PATTERN
 */
export function fileFilter(globs: readonly string[] | undefined): (path: string) => boolean {
  if (globs === undefined || globs.length === 0) return () => true;
  const compiled = globs.map((glob) => ({
    excludes: glob.startsWith('!'),
    pattern: compileGlob(anchored(glob.replace(/^!/, '')), { dot: true }),
  }));
  const wanted = compiled.filter(({ excludes }) => !excludes);
  const unwanted = compiled.filter(({ excludes }) => excludes);
  return (path) =>
    (wanted.length === 0 || wanted.some(({ pattern }) => pattern.matches(path))) &&
    !unwanted.some(({ pattern }) => pattern.matches(path));
}

function anchored(glob: string): string {
  const plain = glob.replace(/^\.\//, '');
  if (plain.startsWith('/')) return plain.slice(1);
  if (plain.endsWith('/'))
    return `${plain.includes('/', 0) && plain.indexOf('/') < plain.length - 1 ? '' : '**/'}${plain}**`;
  return plain.includes('/') ? plain : `**/${plain}`;
}
