import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { encodeResult, inflateResult, splitFrame } from '../../../src/relay/frames.ts';
import { COMPRESS_FROM_BYTES, MAX_COMPRESSED_BYTES, MAX_PLAIN_BYTES } from '../../../src/relay/protocol.ts';

describe('frames of results', () => {
  test('small ones are text; larger ones come back as they were, also beyond ASCII', async () => {
    assert.equal(await encodeResult('a', '{"x":1}'), '{"x":1}');
    const edge = 'x'.repeat(COMPRESS_FROM_BYTES - 1);
    assert.equal(await encodeResult('a', edge), edge);
    for (const text of [
      'x'.repeat(COMPRESS_FROM_BYTES),
      'ä€😀\u0000'.repeat(40_000),
      'y'.repeat(MAX_PLAIN_BYTES),
    ]) {
      const frame = await encodeResult('an-id_1', text);
      assert.ok(frame instanceof Uint8Array);
      const split = splitFrame(frame);
      assert.equal(split?.id, 'an-id_1');
      assert.deepEqual(await inflateResult(split.gzip), { json: text });
    }
  });

  test('what is too large is refused on both sides, by bytes and not by characters', async () => {
    assert.equal(await encodeResult('a', 'y'.repeat(MAX_PLAIN_BYTES + 1)), 'RESULT_TOO_LARGE');
    assert.equal(await encodeResult('a', '€'.repeat(MAX_PLAIN_BYTES / 2)), 'RESULT_TOO_LARGE');
    const incompressible = randomBytes(700_000).toString('base64');
    assert.equal(await encodeResult('a', incompressible), 'COMPRESSED_RESULT_TOO_LARGE');
    const much = new Uint8Array(MAX_COMPRESSED_BYTES + 1);
    assert.equal(await inflateResult(much), 'COMPRESSED_RESULT_TOO_LARGE');
    const whole = new Uint8Array(gzipSync(Buffer.alloc(MAX_PLAIN_BYTES, 'z')));
    assert.ok(typeof (await inflateResult(whole)) === 'object');
    const more = new Uint8Array(gzipSync(Buffer.alloc(MAX_PLAIN_BYTES + 1, 'z')));
    assert.equal(await inflateResult(more), 'RESULT_TOO_LARGE');
  });

  test('a bomb of 256 MiB costs a few mebibytes', async () => {
    const bomb = new Uint8Array(gzipSync(Buffer.alloc(256 * 1024 * 1024)));
    const before = process.memoryUsage.rss();
    let peak = before;
    const watch = setInterval(() => {
      peak = Math.max(peak, process.memoryUsage.rss());
    }, 1);
    assert.equal(await inflateResult(bomb), 'RESULT_TOO_LARGE');
    peak = Math.max(peak, process.memoryUsage.rss());
    clearInterval(watch);
    assert.ok(peak - before < 32 * 1024 * 1024, `${peak - before} bytes`);
  });

  test('rubbish is told apart from a result', async () => {
    for (const frame of [[], [0], [5, 97], [1, 32, 1], [65, ...Array(65).fill(97)]]) {
      assert.equal(splitFrame(new Uint8Array(frame)), undefined);
    }
    const gzip = new Uint8Array(gzipSync('{"type":"result"}'));
    for (const rubbish of [
      new Uint8Array(0),
      new Uint8Array([1, 2, 3]),
      gzip.slice(0, -4),
      new Uint8Array(gzipSync(Buffer.from([0xff, 0xfe, 0xfd]))),
    ]) {
      assert.equal(await inflateResult(rubbish), 'AGENT_PROTOCOL_ERROR');
    }
  });
});
