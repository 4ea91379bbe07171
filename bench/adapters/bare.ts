import { buildBareServer } from '../bare/build.ts';
import type { Adapter } from './adapter.ts';
import { BARE } from './names.ts';

/** Node's own HTTP server with one tool that reads a file: what client, transport and Node cost by themselves. */
export function bare(root: string): Adapter {
  return {
    name: BARE,
    description:
      'a bare Node HTTP server on the same base, with one tool that reads a file and checks nothing',
    launch: async (fixture, home) => ({
      transport: 'http',
      command: await buildBareServer(root),
      args: [],
      cwd: fixture.root,
      env: { HOME: home },
    }),
    operations: { read: ({ absolute }, call) => call('read', { path: absolute }) },
  };
}
