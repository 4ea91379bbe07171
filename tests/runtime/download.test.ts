import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { download, HttpStatusError } from '../../src/runtime/download.ts';
import { type Mirror, startMirror } from '../install/support/mirror.ts';

describe('download', () => {
  const bytes = Buffer.from('x'.repeat(1_000));
  let mirror: Mirror;
  before(async () => {
    mirror = await startMirror();
  });
  after(() => mirror.stop());
  beforeEach(() => {
    mirror.files.clear();
    mirror.files.set('file', bytes);
  });

  const get = (path: string, options: { maxBytes?: number; stallMs?: number; signal?: AbortSignal } = {}) =>
    download(new URL(`${mirror.url}/${path}`), {
      env: {},
      maxBytes: 1_000,
      signal: new AbortController().signal,
      ...options,
    });

  test('the whole file, over redirects, within its bound', async () => {
    mirror.files.set('there', { status: 302, location: '/releases/file' });
    assert.deepEqual(await get('there'), bytes);
    await assert.rejects(get('file', { maxBytes: 999 }), /larger than 999 bytes/);
    mirror.files.set('round', { status: 302, location: '/releases/round' });
    await assert.rejects(get('round'), /redirects more than 5 times/);
  });

  test('an answer that is no file says its status', async () => {
    await assert.rejects(get('nothing'), (error) => error instanceof HttpStatusError && error.status === 404);
  });

  test('a connection that breaks, one that says nothing any more, one that is given up', async () => {
    mirror.files.set('cut', { cut: bytes });
    await assert.rejects(
      get('cut'),
      /^Error: the connection was closed within the answer$|HttpFailure: the connection/,
    );
    mirror.files.set('hang', { hang: bytes });
    await assert.rejects(get('hang', { stallMs: 200 }), /127\.0\.0\.1:\d+ sent nothing for 0\.2 s/);
    const stop = new AbortController();
    const hanging = mirror.hanging().then(() => stop.abort(new Error('enough')));
    await assert.rejects(get('hang', { signal: stop.signal }), /^Error: enough$/);
    await hanging;
  });
});
