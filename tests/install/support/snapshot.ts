import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

/** Everything below a folder: path, kind, mode and content, one line each; equal texts mean byte-identical trees. */
export function snapshot(folder: string): string {
  const lines: string[] = [];
  const walk = (path: string, shown: string) => {
    const stat = lstatSync(path);
    const mode = (stat.mode & 0o7777).toString(8);
    if (stat.isSymbolicLink()) lines.push(`${shown} -> ${readlinkSync(path)}`);
    else if (stat.isDirectory()) {
      lines.push(`${shown}/ ${mode}`);
      for (const name of readdirSync(path).sort()) walk(join(path, name), `${shown}/${name}`);
    } else {
      const digest = stat.isFile()
        ? createHash('sha256').update(readFileSync(path)).digest('hex')
        : 'special';
      lines.push(`${shown} ${mode} ${digest}`);
    }
  };
  walk(folder, '.');
  return lines.join('\n');
}
