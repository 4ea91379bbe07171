/** --tunnel-install from a mirror on this machine. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { fileFromTgz } from '../../src/runtime/tar-entry.ts';
import { installCloudflared } from '../../src/tunnel/cloudflared-install.ts';
import { CLOUDFLARED_VERSION, pinnedDigest, releaseAsset } from '../../src/tunnel/cloudflared-release.ts';
import { findProgram } from '../../src/tunnel/find-program.ts';
import { TunnelError } from '../../src/tunnel/types.ts';

const PROGRAM = Buffer.from('#!/bin/sh\necho cloudflared version 2026.9.3\n');
const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

describe('--tunnel-install', () => {
  let base: string;
  let stateDir: string;
  let server: Server;
  let mirror: string;
  const served = new Map<string, Buffer | string>();
  const asked: string[] = [];
  before(async () => {
    base = mkdtempSync(join(tmpdir(), 'lc-install-'));
    server = createServer((request, response) => {
      asked.push(request.url ?? '');
      const answer = served.get(request.url ?? '');
      if (answer === undefined) return void response.writeHead(404).end();
      if (typeof answer === 'string') return void response.writeHead(302, { location: answer }).end();
      response.end(answer);
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    mirror = `http://127.0.0.1:${(server.address() as AddressInfo).port}/releases`;
  });
  after(() => {
    server.close();
    rmSync(base, { recursive: true, force: true });
  });
  beforeEach(() => {
    stateDir = mkdtempSync(join(base, 'state-'));
    served.clear();
    asked.length = 0;
  });

  const install = (options: { platform?: string; digest?: string; version?: string } = {}) => {
    const { version, ...rest } = options;
    return installCloudflared(
      { stateDir, env: {}, mirror, version },
      { signal: new AbortController().signal, onProgress: () => {}, platform: 'linux-x64', ...rest },
    );
  };
  const left = () => {
    try {
      return readdirSync(join(stateDir, 'bin'));
    } catch {
      return [];
    }
  };

  test('the right digest installs a program that is found from then on', async () => {
    served.set(`/releases/${CLOUDFLARED_VERSION}/cloudflared-linux-amd64`, '/elsewhere');
    served.set('/elsewhere', PROGRAM);
    const file = await install({ digest: sha256(PROGRAM) });
    assert.deepEqual(readFileSync(file), PROGRAM);
    if (process.platform !== 'win32') assert.equal(statSync(file).mode & 0o777, 0o700);
    assert.equal(await findProgram('cloudflared', { stateDir, env: { PATH: '' } }), file);
    assert.deepEqual(left(), ['cloudflared']);
  });

  test('a wrong digest leaves nothing behind', async () => {
    served.set(`/releases/${CLOUDFLARED_VERSION}/cloudflared-linux-amd64`, PROGRAM);
    await assert.rejects(install(), (error: unknown) => {
      assert.ok(error instanceof TunnelError);
      assert.match(error.message, /is not cloudflared 2026\.9\.3: its SHA-256 is [0-9a-f]{64}, not 77e26d8d/);
      return true;
    });
    assert.deepEqual(left(), []);
  });

  test('macOS: the program comes out of the archive, and the archive is what is checked', async () => {
    const folder = mkdtempSync(join(base, 'tar-'));
    mkdirSync(join(folder, 'docs'));
    writeFileSync(join(folder, 'docs', 'README'), 'x'.repeat(1_500));
    writeFileSync(join(folder, 'cloudflared'), PROGRAM);
    const archive = join(base, 'x.tgz');
    execFileSync('tar', ['-czf', archive, '-C', folder, 'docs', 'cloudflared']);
    const bytes = readFileSync(archive);
    served.set(`/releases/${CLOUDFLARED_VERSION}/cloudflared-darwin-arm64.tgz`, bytes);
    const file = await install({ platform: 'darwin-arm64', digest: sha256(bytes) });
    assert.deepEqual(readFileSync(file), PROGRAM);
    assert.equal(await fileFromTgz(bytes, 'other'), undefined);
    await assert.rejects(fileFromTgz(bytes.subarray(0, 60), 'cloudflared'));
  });

  test('another version is checked against the digest of its release', async () => {
    const assets = [{ name: 'cloudflared-linux-amd64', digest: `sha256:${sha256(PROGRAM)}` }];
    served.set('/releases/tags/2027.1.0', Buffer.from(JSON.stringify({ assets })));
    served.set('/releases/2027.1.0/cloudflared-linux-amd64', PROGRAM);
    await install({ version: '2027.1.0' });
    assert.deepEqual(left(), ['cloudflared']);
    await assert.rejects(install({ version: '2027.2.0' }), /could not be downloaded.*status 404/);
    served.set('/releases/tags/2027.2.0', Buffer.from('{"assets":[]}'));
    await assert.rejects(install({ version: '2027.2.0' }), /names no SHA-256/);
  });

  test('no network, no such file, no such platform', async () => {
    await assert.rejects(install(), /could not be downloaded from 127\.0\.0\.1:\d+: .*status 404/);
    await assert.rejects(install({ platform: 'aix-ppc64' }), /There is no cloudflared for aix-ppc64/);
    assert.deepEqual(left(), []);
  });

  test('every platform has a file with a digest', () => {
    for (const platform of [
      'linux-x64',
      'linux-arm64',
      'darwin-x64',
      'darwin-arm64',
      'win32-x64',
      'win32-arm64',
    ]) {
      const asset = releaseAsset(platform);
      assert.match(pinnedDigest(asset ?? '') ?? '', /^[0-9a-f]{64}$/, platform);
    }
  });
});
