import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { buildModule, type Packages } from './support/cross-modules.ts';

const NAME = 'local-coder-test-package';

describe('packages that npm fetches', () => {
  let root: string;
  let registry: Server;
  let tarball: Buffer;
  let packages: Packages;
  let requests = 0;

  before(async () => {
    root = await mkdtemp(join(tmpdir(), 'local-coder packages '));
    await mkdir(join(root, 'package/bin'), { recursive: true });
    await writeFile(join(root, 'package/package.json'), JSON.stringify({ name: NAME, version: '1.0.0' }));
    await writeFile(join(root, 'package/bin/node'), 'a program');
    execFileSync('tar', ['-czf', join(root, 'it.tgz'), '-C', root, 'package']);
    tarball = await readFile(join(root, 'it.tgz'));
    registry = createServer((request, response) => {
      requests += 1;
      if (request.url?.endsWith('.tgz')) return response.end(tarball);
      const address = `http://127.0.0.1:${(registry.address() as AddressInfo).port}`;
      const version = {
        name: NAME,
        version: '1.0.0',
        dist: { tarball: `${address}/it.tgz`, integrity: hash() },
      };
      response.setHeader('content-type', 'application/json');
      return response.end(JSON.stringify({ name: NAME, 'dist-tags': {}, versions: { '1.0.0': version } }));
    }).listen(0, '127.0.0.1');
    await once(registry, 'listening');
    // As a user does it: the folder's own settings.
    const address = `http://127.0.0.1:${(registry.address() as AddressInfo).port}/`;
    await writeFile(join(root, '.npmrc'), `registry=${address}\ncache=${join(root, 'npm-cache')}\n`);
    await writeFile(join(root, 'package.json'), '{"private":true}');
    const { Store } = await buildModule('store');
    packages = new (await buildModule('packages')).Packages(root, new Store(join(root, '.cache/build')));
  });
  after(async () => {
    registry.close();
    await rm(root, { recursive: true, force: true });
  });

  const hash = () => `sha512-${createHash('sha512').update(tarball).digest('base64')}`;

  test('come from the registry that npm is configured for, once', async () => {
    const wanted = { name: NAME, version: '1.0.0', integrity: hash() };
    assert.equal(await readFile(await packages.pinned(wanted, 'bin/node'), 'utf8'), 'a program');
    assert.ok(requests > 0);
    const asked = requests;
    await packages.pinned(wanted, 'bin/node');
    assert.equal(requests, asked);
  });

  test('are not used when they are not those that are pinned', async () => {
    const wanted = {
      name: NAME,
      version: '1.0.0',
      integrity: `sha512-${Buffer.alloc(64).toString('base64')}`,
    };
    await assert.rejects(
      packages.pinned(wanted, 'bin/node'),
      /is not what it should be.*Nothing of it was used/,
    );
  });

  test('say so when npm cannot fetch them', async () => {
    const wanted = { name: NAME, version: '9.9.9', integrity: hash() };
    await assert.rejects(
      packages.pinned(wanted, 'bin/node'),
      /npm cannot fetch local-coder-test-package@9\.9\.9/,
    );
  });
});
