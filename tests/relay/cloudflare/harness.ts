import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { build } from 'esbuild';
import { Miniflare } from 'miniflare';
import type { D1Database } from '../../../src/relay/adapters/cloudflare/runtime.ts';
import { d1Sql } from '../../../src/relay/adapters/cloudflare/sql.ts';
import { hashPassword } from '../../../src/relay/identity/password.ts';
import { startGitHub } from '../core/support/github.ts';
import { environment, type Harness, REVIEW_PASSWORD } from '../core/support/harness.ts';

const ADAPTER = join(import.meta.dirname, '../../../src/relay/adapters/cloudflare');

const LIFE_PATH = '/test/life/';

export interface WorkerHarness extends Harness {
  /** What the Worker or the runtime complained of; connections that clients dropped left out. */
  readonly defects: string[];
  /** Changes when the Durable Object of an agent was built anew. */
  life(agentId: string): Promise<string>;
}

/** The Worker in the real runtime (workerd), with D1 and Durable Objects, offline. */
export async function startWorker(options: { readonly maxToolMs?: number } = {}): Promise<WorkerHarness> {
  const config = JSON.parse(withoutComments(await readFile(join(ADAPTER, 'wrangler.jsonc'), 'utf8')));
  const github = await startGitHub();
  const defects: string[] = [];
  const listen = (stream: Readable) => {
    createInterface(stream).on('line', (line) => {
      if (!/disconnected|^stack:/.test(line)) defects.push(line);
    });
  };
  const mf = new Miniflare({
    handleRuntimeStdio: (stdout: Readable, stderr: Readable) => [stdout, stderr].forEach(listen),
    host: '127.0.0.1',
    port: 0,
    cf: false,
    telemetry: { enabled: false },
    modules: [{ type: 'ESModule', path: 'relay.mjs', contents: await bundle(config.main) }],
    compatibilityDate: config.compatibility_date,
    compatibilityFlags: config.compatibility_flags,
    d1Databases: { DB: 'relay' },
    durableObjects: { AGENTS: { className: 'AgentSession', useSQLite: true } },
    bindings: environment(github, await hashPassword(REVIEW_PASSWORD), options.maxToolMs),
  });
  const { origin } = await mf.ready;
  const database = await mf.getD1Database('DB');
  const migration = await readFile(join(ADAPTER, 'migrations/0001_tables.sql'), 'utf8');
  for (const line of migration.split('\n')) {
    if (line !== '' && !line.startsWith('--')) await database.prepare(line).run();
  }
  return {
    url: origin,
    // The proxy of the binding has the methods that the adapter uses; miniflare declares them by its own types.
    sql: d1Sql(database as unknown as D1Database),
    github,
    defects,
    life: async (agentId) => (await mf.dispatchFetch(`${origin}${LIFE_PATH}${agentId}`)).text(),
    async close() {
      await mf.dispose();
      await github.close();
    },
  };
}

/**
 * The Worker as wrangler bundles it: one module, the runtime's own left outside. A path is put in front that tells the
 * life of a Durable Object. A stub outside of a request would not do: while it is held, the object stays awake.
 */
async function bundle(main: string): Promise<string> {
  const { outputFiles } = await build({
    stdin: {
      contents: `
        import relay from './${main}';
        export { AgentSession } from './${main}';
        export default {
          async fetch(request, env, context) {
            const { pathname } = new URL(request.url);
            if (!pathname.startsWith('${LIFE_PATH}')) return relay.fetch(request, env, context);
            return new Response(await env.AGENTS.getByName(pathname.slice(${LIFE_PATH.length})).life());
          },
        };`,
      resolveDir: ADAPTER,
    },
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2024',
    platform: 'neutral',
    mainFields: ['module', 'main'],
    conditions: ['workerd', 'worker', 'browser', 'import'],
    external: ['cloudflare:*', 'node:*'],
    logLevel: 'error',
  });
  return outputFiles[0]?.text ?? '';
}

function withoutComments(jsonc: string): string {
  return jsonc.replace(/^\s*\/\/.*$/gm, '');
}
