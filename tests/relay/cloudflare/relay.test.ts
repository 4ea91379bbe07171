import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { AUTH_TABLES } from '../../../src/auth/index.ts';
import { RELAY_TABLES } from '../../../src/relay/core/schema.ts';
import { faults } from '../core/suite/faults.ts';
import { isolation } from '../core/suite/isolation.ts';
import { journey } from '../core/suite/journey.ts';
import { startWorker, type WorkerHarness } from './harness.ts';

describe('relay on workerd', () => {
  let harness: WorkerHarness;
  before(async () => {
    harness = await startWorker();
  });
  after(async () => {
    await harness.close();
    assert.deepEqual(harness.defects, []);
  });
  journey(() => harness);
  isolation(() => harness);
  faults(() => harness);

  test('the migration makes the tables that the program expects', async () => {
    const folder = join(import.meta.dirname, '../../../src/relay/adapters/cloudflare/migrations');
    const migration = await readFile(join(folder, '0001_tables.sql'), 'utf8');
    const plain = (sql: string) => sql.replace(/\s+/g, ' ').replace(/;$/, '').trim();
    const made = migration.split('\n').filter((line) => line !== '' && !line.startsWith('--'));
    assert.deepEqual(
      made.map(plain),
      [...RELAY_TABLES, ...AUTH_TABLES].map(([sql]) => plain(sql)),
    );
  });
});
