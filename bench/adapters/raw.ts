/** The bare means: fs, ripgrep, git and bash called directly. */
import { execFile, spawn } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { rgPath } from '@vscode/ripgrep';
import type { Adapter } from './adapter.ts';
import { RAW } from './names.ts';

const MAX_OUTPUT_BYTES = 256 * 1024 * 1024;

export const raw: Adapter = {
  name: RAW,
  description: 'fs, ripgrep, git and bash called directly, without any server',
  operations: {
    read: ({ absolute }) => readFile(absolute, 'utf8'),
    read_range: ({ absolute, first, count }) => linesOf(absolute, first, count),
    async write({ absolute, content }) {
      await writeFile(absolute, content);
      return '';
    },
    async edit({ absolute, oldText, newText }) {
      const text = await readFile(absolute, 'utf8');
      await writeFile(
        absolute,
        text.replace(oldText, () => newText),
      );
      return '';
    },
    patch: ({ patch }, _, fixture) => withInput('git', ['apply', '-'], fixture.root, patch),
    glob: ({ pattern, folder }) => output(rgPath, ['--files', '-g', pattern], folder),
    glob_narrow: ({ pattern, folder }) => output(rgPath, ['--files', '-g', pattern], folder),
    grep_rare: ({ pattern, folder }) => output(rgPath, ['-n', '-F', pattern, '.'], folder),
    grep_common: ({ pattern, folder, limit }) => firstLines(rgPath, ['-n', pattern, '.'], folder, limit),
    shell_true: ({ command, folder }) => output('bash', ['-c', command], folder),
    shell_seq: ({ command, folder }) => output('bash', ['-c', command], folder),
    git_status: ({ command, folder }) => output('git', command.split(' ').slice(1), folder),
    git_diff: ({ command, folder }) => output('git', command.split(' ').slice(1), folder),
    git_log: ({ command, folder }) => output('git', command.split(' ').slice(1), folder),
    list: async ({ absolute }) => (await readdir(absolute)).join('\n'),
  },
};

async function output(program: string, args: readonly string[], cwd: string): Promise<string> {
  return (await promisify(execFile)(program, args, { cwd, maxBuffer: MAX_OUTPUT_BYTES })).stdout;
}

function withInput(program: string, args: readonly string[], cwd: string, input: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, stdio: ['pipe', 'ignore', 'inherit'] });
    child.once('error', reject);
    child.once('close', (code) =>
      code === 0 ? resolve('') : reject(new Error(`${program} ended with ${code}`)),
    );
    child.stdin.end(input);
  });
}

/** Ends the program as soon as it has printed `count` lines. */
function firstLines(program: string, args: readonly string[], cwd: string, count: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, stdio: ['ignore', 'pipe', 'inherit'] });
    const lines: string[] = [];
    const done = () => resolve(lines.join('\n'));
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (lines.length < count && lines.push(line) === count) {
        child.kill();
        done();
      }
    });
    child.once('error', reject);
    child.once('close', done);
  });
}

async function linesOf(path: string, first: number, count: number): Promise<string> {
  const lines: string[] = [];
  let number = 0;
  for await (const line of createInterface({ input: createReadStream(path) })) {
    if (++number >= first) lines.push(line);
    if (lines.length === count) break;
  }
  return lines.join('\n');
}
