import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { glob, mkdtemp, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { type RunningServer, shapesUnderTest, startServer } from '../support/programs.ts';
import expectedFailures from './conformance-expected-failures.json' with { type: 'json' };

const SCENARIOS = [
  ['server-initialize', '2025-11-25'],
  ['ping', '2025-11-25'],
  ['tools-list', '2025-11-25'],
  ['dns-rebinding-protection', '2025-11-25'],
  ['server-stateless', '2026-07-28'],
  ['http-header-validation', '2026-07-28'],
  ['caching', '2026-07-28'],
] as const;

interface Check {
  readonly id: string;
  readonly status: string;
  readonly errorMessage?: string;
}

for (const shape of shapesUnderTest()) {
  describe(`MCP conformance suite: ${shape}`, { timeout: 120_000 }, () => {
    let server: RunningServer;
    let folder: string;
    before(async () => {
      folder = await mkdtemp(join(tmpdir(), 'lc-conformance-'));
      server = await startServer({ shape, cwd: folder });
    });
    after(async () => {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    });

    for (const [scenario, revision] of SCENARIOS) {
      test(`${scenario} at ${revision}`, async () => {
        const output = await mkdtemp(join(folder, 'result-'));
        const args = [
          'server',
          '--url',
          server.url,
          '--scenario',
          scenario,
          '--spec-version',
          revision,
          '-o',
          output,
        ];
        // Its exit code counts the failures that are expected too; the report tells them apart.
        const { stdout } = await promisify(execFile)(process.execPath, [suite(), ...args], {
          timeout: 60_000,
        }).catch((error: { stdout: string }) => error);
        const checks: Check[] = [];
        for await (const file of glob('**/checks.json', { cwd: output })) {
          checks.push(...(JSON.parse(await readFile(join(output, file), 'utf8')) as Check[]));
        }
        assert.ok(checks.length > 0, `the suite reported nothing: ${stdout}`);
        const expected = (expectedFailures as Record<string, Record<string, string>>)[scenario] ?? {};
        const failed = checks.filter(({ status }) => status === 'FAILURE');
        const unexpected = failed
          .filter(({ id }) => !(id in expected))
          .map(({ id, errorMessage }) => `${id}: ${errorMessage}`);
        assert.deepEqual(unexpected, []);
        const stale = Object.keys(expected).filter((id) => !failed.some((check) => check.id === id));
        assert.deepEqual(stale, [], 'these pass now and must leave the list of expected failures');
      });
    }
  });
}

function suite(): string {
  const manifest = createRequire(import.meta.url).resolve('@modelcontextprotocol/conformance/package.json');
  return join(dirname(manifest), 'dist/index.js');
}
