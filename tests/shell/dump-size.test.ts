import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { readSmallFile } from '../../src/shell/output-log.ts';

test('a command that wrote gigabytes into its shell’s state file had the server read all of it', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'lc-dump-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'x.state');
  writeFileSync(file, 'state\n');
  assert.equal(await readSmallFile(file, 1024), 'state\n');
  truncateSync(file, 64 * 1024 * 1024 * 1024); // takes no room
  const before = process.memoryUsage().rss;
  assert.equal(await readSmallFile(file, 1024 * 1024), '');
  assert.ok(process.memoryUsage().rss - before < 64 * 1024 * 1024);
  assert.equal(await readSmallFile(join(folder, 'missing'), 1024), '');
});
