import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { deleteFile, realEntry } from '../../src/workspace/index.ts';
import { connect } from '../support/clients.ts';
import { type RunningServer, startServer } from '../support/programs.ts';
import { failure } from '../support/tool-context.ts';
import { ORIGIN, setUp } from './support/setup.ts';

const CHANGES = 40;
const MAX_TRIES = 200;

/** Two real servers on one state folder, and what is in the folder that both serve. */
async function twoServers(t: TestContext, files: Record<string, string>) {
  const base = await mkdtemp(join(tmpdir(), 'local-coder-two-'));
  const servers: RunningServer[] = [];
  // In this order: a server that still runs writes into the folder while it is removed.
  t.after(async () => {
    await Promise.all(servers.map((server) => server.stop()));
    await rm(base, { recursive: true, force: true, maxRetries: 3 });
  });
  const [root, stateDir] = [join(base, 'work'), join(base, 'state')];
  await Promise.all([mkdir(root), mkdir(stateDir, { mode: 0o700 })]);
  for (const [name, text] of Object.entries(files)) await writeFile(join(root, name), text);
  const args = ['--workspace', root, '--state-dir', stateDir, '--access', 'full'];
  servers.push(...(await Promise.all(['', ''].map(() => startServer({ args, cwd: root })))));
  const clients = await Promise.all(servers.map(({ url }) => connect('v2 legacy', { url })));
  return { clients, text: (name: string) => readFile(join(root, name), 'utf8') };
}

const lines = (word: string) =>
  Array.from({ length: 2 * CHANGES }, (_, n) => `line ${n} ${word};\n`).join('');

describe('two instances on one state folder', () => {
  it('lose no edit that was reported done', async (t) => {
    const { clients, text } = await twoServers(t, { f: lines('old') });
    const codes = new Map<string, number>();
    const work = async (who: number) => {
      for (let n = who * CHANGES; n < (who + 1) * CHANGES; n++) {
        const args = { path: 'f', old_text: `line ${n} old;`, new_text: `line ${n} new;` };
        for (let tries = 0; !(await done(clients[who]!.call('edit_file', args), codes)); tries++) {
          assert.ok(tries < MAX_TRIES, 'the other instance does not let go');
        }
      }
    };
    await Promise.all([work(0), work(1)]);
    t.diagnostic(`${2 * CHANGES} edits; ${JSON.stringify(Object.fromEntries(codes))}`);
    assert.equal(await text('f'), lines('new'));
  });

  it('lose no patch that was reported done, and do it in all files', async (t) => {
    const { clients, text } = await twoServers(t, { a: lines('old'), b: lines('old') });
    const codes = new Map<string, number>();
    const work = async (who: number) => {
      for (let n = who * CHANGES; n < (who + 1) * CHANGES; n++) {
        const update = (name: string) => `*** Update File: ${name}\n@@\n-line ${n} old;\n+line ${n} new;\n`;
        const patch = `*** Begin Patch\n${update('a')}${update('b')}*** End Patch\n`;
        for (let tries = 0; !(await done(clients[who]!.call('apply_patch', { patch }), codes)); tries++) {
          assert.ok(tries < MAX_TRIES, 'the other instance does not let go');
          assert.equal(await isHalf(text, n), false, `patch ${n} was refused and is in one file`);
        }
      }
    };
    await Promise.all([work(0), work(1)]);
    t.diagnostic(`${2 * CHANGES} patches; ${JSON.stringify(Object.fromEntries(codes))}`);
    assert.equal(await text('a'), lines('new'));
    assert.equal(await text('b'), lines('new'));
  });

  it('wait for each other; what does not end is refused, what died does not count', async (t) => {
    const { root, stateDir, history, write } = await setUp();
    const [path, held] = [join(root, 'a.txt'), join(root, 'held.txt')];
    await write('a.txt', 'old\n');
    await write('held.txt', 'old\n');
    const child = await holding(t, root, stateDir, held);
    // A call that holds an entry itself waits half a second only.
    const recorder = history.recorder({ tool: 'copy_file', conversation: undefined });
    const own = { before: undefined, after: undefined, kind: 'replace' } as const;
    const first = await recorder.prepare([{ ...own, path }], undefined);
    const refused = await failure(recorder.prepare([{ ...own, path: held }], undefined), 'BUSY');
    assert.match(
      refused.message,
      /^"held.txt" is being changed by another local-coder\. Nothing was changed/,
    );
    await first.abandoned();
    // One that is given up does not wait to the end.
    const abort = new AbortController();
    const waiting = history
      .recorder({ tool: 'copy_file', conversation: undefined })
      .prepare([{ ...own, path: held }], abort.signal);
    abort.abort(new Error('given up'));
    await assert.rejects(waiting, /given up/);
    child.kill('SIGKILL');
    await once(child, 'close');
    assert.ok((await write('held.txt', 'mine\n')).checkpointId);
    assert.equal(await readFile(held, 'utf8'), 'mine\n');
  });

  it('the record of a deletion holds what another instance wrote right before', async (t) => {
    const { root, stateDir, history, write } = await setUp();
    const path = join(root, 'a.txt');
    for (let round = 0; round < 4; round++) {
      await write('a.txt', `old ${round}\n`);
      const child = await holding(t, root, stateDir, path);
      const recorder = history.recorder({ tool: 'delete_file', conversation: undefined });
      const deletion = deleteFile(await realEntry({ path, shown: 'a.txt' }), { recorder });
      child.stdin?.write('go\n');
      await Promise.all([deletion, once(child, 'close')]);
      await assert.rejects(readFile(path), { code: 'ENOENT' });
      await history.restore(recorder.outcome().checkpointId ?? '', ORIGIN);
      assert.equal(await readFile(path, 'utf8'), 'theirs\n');
    }
  });
});

/** Whether a call succeeded; a refusal must be one that only asks to repeat it. */
async function done(
  call: Promise<{ ok: boolean; data: { error?: { code: string; message: string } } }>,
  codes: Map<string, number>,
): Promise<boolean> {
  const { ok, data } = await call;
  const code = ok ? 'done' : (data.error?.code ?? '');
  assert.ok(['done', 'CHANGED_ON_DISK', 'BUSY'].includes(code), data.error?.message);
  codes.set(code, (codes.get(code) ?? 0) + 1);
  return ok;
}

/** The other instance's patches do not touch this line, so it may be looked at between two calls. */
async function isHalf(text: (name: string) => Promise<string>, n: number): Promise<boolean> {
  const isIn = (content: string) => content.includes(`line ${n} new;`);
  return isIn(await text('a')) !== isIn(await text('b'));
}

/** A process in the middle of a change of this file. */
async function holding(t: TestContext, root: string, stateDir: string, path: string): Promise<ChildProcess> {
  const file = new URL('./support/holding-child.ts', import.meta.url).pathname;
  const child = spawn(process.execPath, [file, root, stateDir, path], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  t.after(() => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  return child;
}
