import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { CommandRequest } from '../operations.ts';
import { peerFile } from '../peers.ts';
import type { Adapter, Call } from './adapter.ts';

const COMMAND_LIMIT_MS = 30_000;
const POLL_MS = 5;
/** More results than any search here has. */
const EVERYTHING = 5_000;

export function desktopCommander(root: string): Adapter {
  return {
    name: 'Desktop Commander',
    description:
      '@wonderwhy-er/desktop-commander over stdio; git through its shell, searches polled until done',
    async launch(fixture, home) {
      const settings = join(home, '.claude-server-commander');
      await mkdir(settings, { recursive: true });
      const config = {
        allowedDirectories: [fixture.root],
        telemetryEnabled: false,
        blockedCommands: [],
        defaultShell: 'bash',
        fileReadLineLimit: 1_000,
        fileWriteLineLimit: 1_000,
      };
      await writeFile(join(settings, 'config.json'), JSON.stringify(config));
      return {
        transport: 'stdio',
        command: process.execPath,
        args: [await peerFile(root, '@wonderwhy-er/desktop-commander/dist/index.js'), '--no-onboarding'],
        cwd: fixture.root,
        env: { HOME: home },
      };
    },
    operations: {
      read: ({ absolute }, call) => call('read_file', { path: absolute }),
      read_range: ({ absolute, first, count }, call) =>
        call('read_file', { path: absolute, offset: first - 1, length: count }),
      write: ({ absolute, content }, call) =>
        call('write_file', { path: absolute, content, mode: 'rewrite' }),
      edit: ({ absolute, oldText, newText }, call) =>
        call('edit_block', { file_path: absolute, old_string: oldText, new_string: newText }),
      glob: ({ pattern, folder }, call) =>
        search(call, { path: folder, pattern, searchType: 'files', ignoreCase: false }, EVERYTHING),
      glob_narrow: ({ pattern, folder }, call) =>
        search(call, { path: folder, pattern, searchType: 'files', ignoreCase: false }, EVERYTHING),
      grep_rare: ({ pattern, folder, limit }, call) =>
        search(call, { ...content(pattern, folder), literalSearch: true }, limit),
      grep_common: ({ pattern, folder, limit }, call) => search(call, content(pattern, folder), limit, limit),
      shell_true: command,
      shell_seq: command,
      git_status: command,
      git_diff: command,
      git_log: command,
      list: ({ absolute }, call) => call('list_directory', { path: absolute, depth: 1 }),
    },
  };
}

function command({ command, folder }: CommandRequest, call: Call): Promise<string> {
  return call('start_process', { command: `cd '${folder}' && ${command}`, timeout_ms: COMMAND_LIMIT_MS });
}

function content(pattern: string, folder: string) {
  return { path: folder, pattern, searchType: 'content', contextLines: 0, ignoreCase: false };
}

/** @param enough results that end the search; without it, its own end does */
async function search(
  call: Call,
  args: Record<string, unknown>,
  length: number,
  enough = Infinity,
): Promise<string> {
  const sessionId = /session: (\S+)/.exec(await call('start_search', args))?.[1];
  for (;;) {
    const page = await call('get_more_search_results', { sessionId, offset: 0, length });
    if (/Status: COMPLETED/.test(page)) return page;
    if (Number(/Total results found: (\d+)/.exec(page)?.[1] ?? 0) >= enough) {
      await call('stop_search', { sessionId });
      return page;
    }
    await delay(POLL_MS);
  }
}
