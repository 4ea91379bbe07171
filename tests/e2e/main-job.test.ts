import assert from 'node:assert/strict';
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { CLIENT_KINDS } from '../support/clients.ts';
import { copyOfThisRepository, mainJob } from '../support/main-job.ts';
import { type RunningServer, shapesUnderTest, startServer, stdioCommand } from '../support/programs.ts';

/** The main job on a copy of this very repository; what came of it is judged by git, not by the tools. */
for (const shape of shapesUnderTest()) {
  describe(`the main job: ${shape}`, { timeout: 300_000 }, () => {
    let base: string;
    let server: RunningServer;
    before(async () => {
      base = await realpath(await mkdtemp(join(tmpdir(), 'lc-main-job-')));
      const served = await copyOfThisRepository(base, 'http');
      server = await startServer({ shape, cwd: served });
    });
    after(async () => {
      assert.equal(await server.stop(), 0, 'a terminated server exits with 0');
      await rm(base, { recursive: true, force: true });
    });

    for (const kind of CLIENT_KINDS) {
      test(`over HTTP with the ${kind} client`, async () => {
        await mainJob(kind, { url: server.url }, join(base, 'http'), `http-${kind.replace(' ', '-')}`);
      });
    }
    for (const kind of CLIENT_KINDS) {
      test(`over stdio with the ${kind} client`, async () => {
        const name = `stdio-${kind.replace(' ', '-')}`;
        const folder = await copyOfThisRepository(base, name);
        const { command, args } = await stdioCommand(shape, ['--workspace', folder]);
        await mainJob(kind, { command, args, cwd: folder }, folder, name);
      });
    }
  });
}
