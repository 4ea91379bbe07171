import { isWindows } from '../runtime/platform.ts';
import { fileProblem, type Problem } from './problems.ts';
import type { VirtualFile } from './virtual-files.ts';

/** What a patch leaves as a file and uses as a folder of another file at the same time. */
export function nestedFiles(files: readonly VirtualFile[]): Problem[] {
  const left = new Map(files.filter(({ content }) => content !== undefined).map((file) => [file.key, file]));
  const problems: Problem[] = [];
  for (const file of left.values()) {
    const above = fileAbove(file.key, left);
    if (!above) continue;
    problems.push(
      fileProblem(
        'INVALID_PATCH',
        file.path,
        `${file.path} cannot be created: the patch also makes ${above.path} a file, which it would have to be a folder for.`,
        'Give one of the two another name.',
        { other_file: above.path },
      ),
    );
  }
  return problems;
}

/** Keys are paths: real ones, or as they stand in the patch. */
function fileAbove(key: string, files: ReadonlyMap<string, VirtualFile>): VirtualFile | undefined {
  for (let end = lastSeparator(key, key.length); end > 0; end = lastSeparator(key, end)) {
    const above = files.get(key.slice(0, end));
    if (above) return above;
  }
  return undefined;
}

function lastSeparator(path: string, before: number): number {
  const slash = path.lastIndexOf('/', before - 1);
  return isWindows ? Math.max(slash, path.lastIndexOf('\\', before - 1)) : slash;
}
