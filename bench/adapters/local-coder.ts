/** local-coder's executable, over both transports. */
import { join } from 'node:path';
import type { Adapter } from './adapter.ts';
import { LOCAL_CODER, LOCAL_CODER_STDIO } from './names.ts';

/** More than any list here holds: the whole answer is wanted. */
const EVERYTHING = 5_000;

const operations: Adapter['operations'] = {
  read: ({ path }, call) => call('read_text_file', { path }),
  read_range: ({ path, first, count }, call) => call('read_text_file', { path, offset: first, limit: count }),
  write: ({ path, content }, call) => call('write_file', { path, content }),
  edit: ({ path, oldText, newText }, call) =>
    call('edit_file', { path, old_text: oldText, new_text: newText }),
  patch: ({ patch }, call) => call('apply_patch', { patch }),
  glob: ({ pattern }, call) => call('glob', { pattern, max_results: EVERYTHING }),
  glob_narrow: ({ pattern }, call) => call('glob', { pattern, max_results: EVERYTHING }),
  grep_rare: ({ pattern, limit }, call) => call('grep', { pattern, fixed_strings: true, head_limit: limit }),
  grep_common: ({ pattern, limit }, call) => call('grep', { pattern, head_limit: limit }),
  shell_true: ({ command }, call) => call('run_command', { command }),
  shell_seq: ({ command }, call) => call('run_command', { command }),
  git_status: (_, call) => call('git_status', {}),
  git_diff: (_, call) => call('git_diff', {}),
  git_log: (_, call) => call('git_log', { count: 20 }),
  list: ({ path }, call) => call('list_directory', { path }),
};

/**
 * @param executable absolute path
 * @param stateDir the same one after every start, so that only the first start makes it; a fresh one when left out
 */
export function localCoder(executable: string, transport: 'http' | 'stdio', stateDir?: string): Adapter {
  return {
    name: transport === 'http' ? LOCAL_CODER : LOCAL_CODER_STDIO,
    description: `the executable over ${transport === 'http' ? 'HTTP on loopback' : 'stdio'}, all tools`,
    launch: async ({ root }, home) => ({
      transport,
      command: executable,
      args: [
        ...(transport === 'http' ? ['--port', '0'] : ['--stdio']),
        ...['--workspace', root, '--shell', 'bash', '--state-dir', stateDir ?? join(home, 'state')],
      ],
      cwd: root,
      env: { HOME: home },
    }),
    operations,
  };
}
