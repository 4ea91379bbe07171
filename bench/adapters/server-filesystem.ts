import { peerFile } from '../peers.ts';
import type { Adapter, Call } from './adapter.ts';

/** Folders that git ignores; this server reads no .gitignore. */
const EXCLUDED = ['node_modules', 'dist', '.cache', 'scratch'].flatMap((name) => [name, `${name}/**`]);

const search = ({ pattern, folder }: { pattern: string; folder: string }, call: Call) =>
  call('search_files', { path: folder, pattern, excludePatterns: EXCLUDED });

export function serverFilesystem(root: string): Adapter {
  return {
    name: 'server-filesystem',
    description: '@modelcontextprotocol/server-filesystem over stdio; it has no shell, git, patches or grep',
    launch: async (fixture, home) => ({
      transport: 'stdio',
      command: process.execPath,
      args: [await peerFile(root, '@modelcontextprotocol/server-filesystem/dist/index.js'), fixture.root],
      cwd: fixture.root,
      env: { HOME: home },
    }),
    operations: {
      read: ({ absolute }, call) => call('read_text_file', { path: absolute }),
      write: ({ absolute, content }, call) => call('write_file', { path: absolute, content }),
      edit: ({ absolute, oldText, newText }, call) =>
        call('edit_file', { path: absolute, edits: [{ oldText, newText }] }),
      glob: search,
      glob_narrow: search,
      list: ({ absolute }, call) => call('list_directory', { path: absolute }),
    },
  };
}
