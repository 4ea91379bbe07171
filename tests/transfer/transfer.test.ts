import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { CodedError } from '../../src/runtime/errors.ts';
import { isPublicAddress } from '../../src/runtime/public-address.ts';
import { receiveFile } from '../../src/transfer/receive.ts';
import { startTestServer } from '../support/test-server.ts';

const signal = new AbortController().signal;

test('public and private addresses are told apart', () => {
  for (const address of [
    '1.1.1.1',
    '8.8.8.8',
    '172.15.0.1',
    '172.32.0.1',
    '2606:4700::1111',
    '2a00:1450:4001::1',
  ]) {
    assert.equal(isPublicAddress(address), true, address);
  }
  const refused = [
    '127.0.0.1',
    '127.9.9.9',
    '10.1.2.3',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '169.254.169.254',
    '100.64.0.1',
    '0.0.0.0',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::ffff:127.0.0.1',
    '::ffff:a9fe:a9fe',
    '::127.0.0.1',
    'fe80::1',
    'fd00::1',
    '64:ff9b::7f00:1',
    '2002:7f00:1::',
    'localhost',
    '',
    '2130706433',
  ];
  for (const address of refused) assert.equal(isPublicAddress(address), false, address);
});

describe('receive_file', { timeout: 30_000 }, () => {
  let folder: string;
  let server: Server;
  let ca: string;
  let base: string;
  const content = randomBytes(3_000_000);
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lc-transfer-'));
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    await promisify(execFile)('openssl', [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:prime256v1',
      '-nodes',
      '-days',
      '2',
      '-subj',
      '/CN=localhost',
      '-addext',
      'subjectAltName=DNS:localhost,IP:127.0.0.1',
      '-keyout',
      key,
      '-out',
      cert,
    ]);
    ca = await readFile(cert, 'utf8');
    server = createServer({ key: await readFile(key), cert: ca }, (request, response) => {
      switch (request.url) {
        case '/file':
          return response.end(content);
        case '/redirect':
          return response.writeHead(302, { location: '/file' }).end();
        case '/inward':
          return response.writeHead(302, { location: 'https://169.254.169.254/latest/' }).end();
        case '/plain':
          return response.writeHead(302, { location: 'http://localhost/' }).end();
        case '/loop':
          return response.writeHead(302, { location: '/loop' }).end();
        case '/broken':
          response.writeHead(200, { 'content-length': '1000' });
          return response.write('x', () => response.destroy());
        case '/huge':
          return response.writeHead(200, { 'content-length': String(600 * 1024 * 1024) }).end();
        default:
          return response.writeHead(410).end();
      }
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    base = `https://localhost:${(server.address() as AddressInfo).port}`;
  });
  after(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await rm(folder, { recursive: true, force: true });
  });

  const loopback = (address: string) => address === '127.0.0.1' || address === '::1';
  const receive = (path: string, name: string, overwrite = false) =>
    receiveFile(
      base + path,
      { path: join(folder, name), shown: name },
      { signal, overwrite, ca, allowAddress: loopback },
    );
  const refused = async (promise: Promise<unknown>, code: string) => {
    await assert.rejects(promise, (error: unknown) => error instanceof CodedError && error.code === code);
    const left = (await readdir(folder)).filter((name) => name.includes('.local-coder-'));
    assert.deepEqual(left, [], 'no temporary file stays');
  };

  test('streams the file, through a redirect too, and reports its SHA-256', async () => {
    const sha256 = createHash('sha256').update(content).digest('hex');
    assert.deepEqual(await receive('/file', 'sub/a.bin'), {
      sizeBytes: content.length,
      sha256,
      replaced: false,
      checkpointId: undefined,
    });
    assert.ok((await readFile(join(folder, 'sub/a.bin'))).equals(content));
    assert.equal((await receive('/redirect', 'b.bin')).sha256, sha256);
  });

  test('private addresses are refused: by name, as a literal, behind a redirect', async () => {
    const file = { path: join(folder, 'c.bin'), shown: 'c.bin' };
    await refused(receiveFile(`${base}/file`, file, { signal, overwrite: false, ca }), 'DENIED');
    await refused(receive('/inward', 'c.bin'), 'DENIED');
    await refused(receive('/plain', 'c.bin'), 'DENIED');
    for (const url of [
      'https://127.0.0.1/',
      'https://[::1]/',
      'https://0x7f000001/',
      'https://2130706433/',
      'http://example.com/',
      'file:///etc/passwd',
      'nonsense',
    ]) {
      await refused(
        receiveFile(url, { path: join(folder, 'c.bin'), shown: 'c.bin' }, { signal, overwrite: false }),
        'DENIED',
      );
    }
  });

  test('what breaks off, loops, is gone or too large leaves what was there', async () => {
    await writeFile(join(folder, 'd.txt'), 'old');
    await refused(receive('/file', 'd.txt'), 'ALREADY_EXISTS');
    await refused(receive('/broken', 'd.txt', true), 'DOWNLOAD_FAILED');
    await refused(receive('/loop', 'd.txt', true), 'DOWNLOAD_FAILED');
    await refused(receive('/gone', 'd.txt', true), 'DOWNLOAD_FAILED');
    await refused(receive('/huge', 'd.txt', true), 'TOO_LARGE');
    assert.equal(await readFile(join(folder, 'd.txt'), 'utf8'), 'old');
    assert.equal((await receive('/file', 'd.txt', true)).replaced, true);
  });
});

describe('send_file', { timeout: 30_000 }, () => {
  test('an offered file is fetched once, as a download', async () => {
    const server = await startTestServer();
    const folder = await mkdtemp(join(tmpdir(), 'lc-offer-'));
    try {
      const path = join(folder, 'naïve "name".html');
      await writeFile(path, '<b>hello</b>');
      const uri = server.offers.add({ path, mimeType: 'text/html' });
      const response = await fetch(uri);
      assert.equal(await response.text(), '<b>hello</b>');
      assert.match(
        response.headers.get('content-disposition') ?? '',
        /^attachment; filename\*=UTF-8''na%C3%AFve/,
      );
      assert.equal(response.headers.get('x-content-type-options'), 'nosniff');
      assert.equal((await fetch(uri)).status, 404, 'only once');
      assert.equal((await fetch(uri.replace(/files\/[^/]+/, 'files/guess'))).status, 404);
      const gone = server.offers.add({ path: join(folder, 'missing'), mimeType: 'text/plain' });
      assert.equal((await fetch(gone)).status, 404);
    } finally {
      await server.close();
      await rm(folder, { recursive: true, force: true });
    }
  });
});
