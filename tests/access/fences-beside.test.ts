import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { readTextInside, Workspace } from '../../src/workspace/index.ts';
import { CANARY, World } from './support/world.ts';

test('a client with less shut the links out of the workspace for a client with full access', async (t) => {
  const world = await new World(t, 'full').start();
  const link = join(world.root, 'link-file');
  assert.match((await world.call('read_text_file', { path: link })).text, new RegExp(CANARY));
  const confined = new Workspace({ roots: [world.root], accessMode: 'read-only', protectedPaths: [] });
  const reading = { code: 'PATH_OUTSIDE_WORKSPACE' };
  for (const tool of ['read_text_file', 'read_file_base64']) {
    assert.equal((await world.call(tool, { path: link })).ok, true, tool);
  }
  const written = await world.call('write_file', {
    path: join(world.root, 'link-dir', 'new.txt'),
    content: 'x',
  });
  assert.equal(written.ok, true, written.text);
  // The fence itself stands, at the same time and for whatever a call of the other one starts.
  await assert.rejects(readTextInside(link, 'utf8'), reading);
  const full = new Workspace({ roots: [world.root], accessMode: 'full', protectedPaths: [] });
  const both = await Promise.allSettled([
    full.around(() => readTextInside(link, 'utf8')),
    confined.around(() => readTextInside(link, 'utf8')),
    full.around(() => confined.around(() => readTextInside(link, 'utf8'))),
  ]);
  assert.deepEqual(
    both.map(({ status }) => status),
    ['fulfilled', 'rejected', 'rejected'],
  );
});
