import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';
import { Miniflare } from 'miniflare';
import type { D1Database } from '../../../src/relay/adapters/cloudflare/runtime.ts';
import { d1Sql } from '../../../src/relay/adapters/cloudflare/sql.ts';
import { hashPassword } from '../../../src/relay/identity/password.ts';
import { startGitHub } from '../core/support/github.ts';
import { environment, type Harness, REVIEW_PASSWORD } from '../core/support/harness.ts';

const ADAPTER = join(import.meta.dirname, '../../../src/relay/adapters/cloudflare');

export interface WorkerHarness extends Harness {
  /** Changes when the Durable Object of an agent was built anew. */
  life(agentId: string): Promise<string>;
}

/** The Worker in the real runtime (workerd), with D1 and Durable Objects, offline. */
export async function startWorker(): Promise<WorkerHarness> {
  const config = JSON.parse(withoutComments(await readFile(join(ADAPTER, 'wrangler.jsonc'), 'utf8')));
  const github = await startGitHub();
  const mf = new Miniflare({
    host: '127.0.0.1',
    port: 0,
    cf: false,
    telemetry: { enabled: false },
    modules: [{ type: 'ESModule', path: 'relay.mjs', contents: await bundle(join(ADAPTER, config.main)) }],
    compatibilityDate: config.compatibility_date,
    compatibilityFlags: config.compatibility_flags,
    d1Databases: { DB: 'relay' },
    durableObjects: { AGENTS: { className: 'AgentSession', useSQLite: true } },
    bindings: environment(github, await hashPassword(REVIEW_PASSWORD)),
  });
  const { origin } = await mf.ready;
  const database = await mf.getD1Database('DB');
  const migration = await readFile(join(ADAPTER, 'migrations/0001_tables.sql'), 'utf8');
  for (const line of migration.split('\n')) {
    if (line !== '' && !line.startsWith('--')) await database.prepare(line).run();
  }
  // Miniflare declares its proxies by the types of @cloudflare/workers-types, which are not installed.
  const agents = (await mf.getDurableObjectNamespace('AGENTS')) as unknown as {
    idFromName(name: string): unknown;
    get(id: unknown): { life(): Promise<string> };
  };
  return {
    url: origin,
    // The proxy of the binding has the methods that the adapter uses; miniflare declares them by its own types.
    sql: d1Sql(database as unknown as D1Database),
    github,
    async life(agentId) {
      return agents.get(agents.idFromName(agentId)).life();
    },
    async close() {
      await mf.dispose();
      await github.close();
    },
  };
}

/** As wrangler does it: one module, the runtime's own left outside. */
async function bundle(entry: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [entry],
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
