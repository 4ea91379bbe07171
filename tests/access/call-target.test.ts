import assert from 'node:assert/strict';
import { test } from 'node:test';
import { callTarget, maskSecrets } from '../../src/access/index.ts';

const SECRETS: readonly [text: string, masked: string][] = [
  ['API_TOKEN=abc123 run', 'API_TOKEN=*** run'],
  ['login --password hunter2 x', 'login --password *** x'],
  [`export MY_SECRET="a b c" then`, 'export MY_SECRET=*** then'],
  ['curl -s -u me:pass https://x', 'curl -s -u *** https://x'],
  ['https://me:pass@host/x', 'https://me:***@host/x'],
  ['eyJhbGciOiJI.eyJzdWIiOiIx.c2lnbmF0dXJl', '***'],
  // After a hyphen, and with a head that holds certificates.
  ['x-eyJhbGciOiJI.eyJzdWIiOiIx.c2lnbmF0dXJl', 'x-***'],
  [`eyJ${'a-'.repeat(4_000)}.eyJzdWIiOiIx.c2lnbmF0dXJl`, '***'],
];

test('what looks like a secret is masked', () => {
  for (const [text, masked] of SECRETS) assert.equal(maskSecrets(text), masked);
});

/** Beginnings of what the patterns look for, which go on and on without an end. */
const ENDLESS = [
  'eyJaaaaaaaa-',
  'eyJaaaaaaaa.',
  'curl ',
  '-token',
  'token.',
  'a.',
  'a.a://',
  'http://a:b',
  '-----BEGIN PRIVATE KEY-----',
  '-----END A',
  'token="a',
  ' ',
];

/** The fastest of some runs: other programs take the processor now and then. */
function fastestMs(run: () => void): number {
  let fastest = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 3; round++) {
    const startMs = performance.now();
    run();
    fastest = Math.min(fastest, performance.now() - startMs);
  }
  return fastest;
}

test('masking takes no longer than its text, whatever it is', () => {
  for (const piece of ENDLESS) {
    const text = (bytes: number) => piece.repeat(Math.ceil(bytes / piece.length));
    const [short, long] = [text(8_000), text(64_000)];
    const ratio =
      fastestMs(() => maskSecrets(long)) /
      Math.max(
        fastestMs(() => maskSecrets(short)),
        1,
      );
    assert.ok(
      ratio < 32,
      `${JSON.stringify(piece)}: 8 times the text takes ${Math.round(ratio)} times as long`,
    );
  }
});

test('the target of a call with megabytes costs what that of a small one does', () => {
  for (const piece of ENDLESS) {
    const command = `start ${piece.repeat(Math.ceil(1_000_000 / piece.length))}`;
    const tookMs = fastestMs(() => callTarget({ command }));
    assert.ok(tookMs < 100, `${JSON.stringify(piece)}: ${Math.round(tookMs)} ms`);
    assert.ok(callTarget({ command }).length <= 501);
  }
});

test('a secret that is cut is masked all the same', () => {
  for (const quote of [`"`, `'`, '']) {
    const target = callTarget({ command: `run TOKEN=${quote}${'s'.repeat(20_000)}${quote} x` });
    assert.match(target, /^run TOKEN=\*{3}/);
    assert.ok(!target.includes('sss'), target);
  }
  const spaced = callTarget({ command: `run${' '.repeat(7_990)}TOKEN="${'s'.repeat(20_000)}"` });
  assert.match(spaced, /^run TOKEN=\*{3}.?…$/);
  assert.equal(callTarget({ command: `run${' '.repeat(9_000)}x` }), 'run…');
});
