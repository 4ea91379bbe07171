import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { appScript, appStyles } from '../../src/dashboard/client/index.ts';
import type { DiffLineModel, FileDiffModel } from '../../src/dashboard/models.ts';
import {
  accessView,
  activityView,
  approvalsView,
  callView,
  chooseLocale,
  historyView,
  LOCALES,
  pageShell,
  processesView,
  restorePreviewView,
  statusView,
} from '../../src/dashboard/views/index.ts';
import { textsOf } from '../../src/dashboard/views/texts/index.ts';
import { drawAll, emptySamples, samples } from './support/samples.ts';

const IMAGE = '<img src=x onerror="alert(1)">';
const ATTRIBUTE = `" onmouseover="alert(1)" x='`;
const ALLOWED_TAGS = new Set(
  'a article b bdi button code dd del div dl dt footer form h2 h3 h4 i input ins label li ol option p path pre rect section select span svg table tbody td th thead time tr ul'.split(
    ' ',
  ),
);

const ENTITIES: Readonly<Record<string, string>> = { quot: '"', '#39': "'", amp: '&', lt: '<', gt: '>' };

/** Elements and attributes as a parser of HTML sees them, good enough for what `html` writes: all values are quoted. */
function elementsOf(html: string): { tag: string; attributes: Record<string, string> }[] {
  return [...html.matchAll(/<([a-z][a-z0-9]*)((?:\s+[a-zA-Z-]+(?:="[^"]*")?)*)\s*\/?>/g)].map((found) => ({
    tag: found[1] ?? '',
    attributes: Object.fromEntries(
      [...(found[2] ?? '').matchAll(/([a-zA-Z-]+)(?:="([^"]*)")?/g)].map(([, name, value]) => [
        name ?? '',
        (value ?? '').replace(/&(quot|#39|amp|lt|gt);/g, (_, name: string) => ENTITIES[name] ?? ''),
      ]),
    ),
  }));
}

describe('everything that is shown is text', () => {
  for (const [name, evil] of Object.entries({
    markup: IMAGE,
    'an attribute': ATTRIBUTE,
    'the end of a template': '</template></pre><script>alert(1)</script>',
    'a link': 'javascript:alert(1)//"><a href=x>',
  })) {
    test(name, async () => {
      for (const locale of LOCALES) {
        for (const [view, html] of Object.entries(await drawAll(samples(evil), locale))) {
          const elements = elementsOf(html);
          assert.equal(
            elements.length,
            [...html.matchAll(/<(?!\/)/g)].length,
            `${view}: every < begins an element of ours`,
          );
          for (const { tag, attributes } of elements) {
            assert.ok(ALLOWED_TAGS.has(tag), `${view} (${locale}): <${tag}>`);
            for (const [attribute, value] of Object.entries(attributes)) {
              assert.doesNotMatch(attribute, /^(on|style$|src$|srcdoc$)/i, `${view}: ${attribute}`);
              if (attribute === 'href') assert.match(value, /^#[a-z]+(=[^"<>&]*)?$/, `${view}: ${value}`);
              if (attribute === 'data-do')
                assert.match(value, /^[a-z]+[\w!~*'()%./-]*$/, `${view}: ${value}`);
            }
          }
        }
      }
    });
  }

  test('what came is still there to read', async () => {
    const drawn = await drawAll(samples(IMAGE), 'en');
    for (const [view, html] of Object.entries(drawn)) {
      if (view !== 'rows') assert.ok(html.includes('&lt;img src=x onerror='), view);
    }
  });

  test('what cannot be seen, or changes the order of reading, is written out', async () => {
    const unseen = 'a\u202eb\u0007c\u200bd\u2066e\u{e0041}f\u009bg';
    for (const [view, html] of Object.entries(await drawAll(samples(unseen), 'en'))) {
      const texts = html.replace(/(?:id|aria-labelledby|data-[a-z]+|value|datetime)="[^"]*"/g, '');
      // Addresses and names of elements are not read by anybody.
      assert.doesNotMatch(texts, /[\u202e\u0007\u200b\u2066\u009b\u{e0041}]/u, view);
    }
    const { approvals } = await drawAll(samples(unseen), 'en');
    assert.match(approvals ?? '', /<b class="x">\\u202e<\/b>b<b class="x">\\u0007<\/b>/);
    assert.match(approvals ?? '', /<b class="x">\\u\{e0041\}<\/b>/);
  });

  test('an emoji made of several stays one', async () => {
    const { rows } = await drawAll(samples('👩‍💻 a\u200db'), 'en');
    assert.match(rows ?? '', /👩‍💻 a<b class="x">\\u200d<\/b>b/);
  });
});

test('an approval shows its subject in full, however long', async () => {
  const subject = `first\n${'x'.repeat(300_000)}\nlast line`;
  const [model] = samples('').approvals;
  assert.ok(model);
  const html = String(await approvalsView([{ ...model, subject }], 'en'));
  assert.ok(
    html.includes(
      `<pre class="out subject-of" tabindex="0" role="group" aria-label="What it would do, in full">${subject}</pre>`,
    ),
  );
  assert.doesNotMatch(html, /autofocus/);
  assert.doesNotMatch(String(await approvalsView([{ ...model, prefix: undefined }], 'en')), /always-prefix/);
});

test('restoring is offered only where nothing is overwritten', async () => {
  const { restore } = samples('');
  const blocked = String(await restorePreviewView(restore, 'en'));
  assert.doesNotMatch(blocked, /data-do="history/);
  assert.match(blocked, /role="alert">Files that were changed since by something else: 1/);
  const free = String(await restorePreviewView({ ...restore, conflictCount: 0, hiddenCount: 0 }, 'en'));
  assert.match(free, /data-do="history\/k\/restore"[^>]*data-sure="Press again to restore"/);
});

test('a diff of 5 MB is cut, says so, and is drawn within two seconds', async () => {
  const lines: DiffLineModel[] = Array.from({ length: 100_000 }, (_, index) => ({
    kind: (['context', 'removed', 'added'] as const)[index % 3] ?? 'context',
    text: `const value${index} = "${'y'.repeat(30)}"; // ${index}`,
  }));
  const diff: FileDiffModel = {
    path: 'src/big.ts',
    kind: 'diff',
    states: undefined,
    hiddenLines: 0,
    hunks: [{ oldStart: 1, newStart: 1, lines }],
  };
  const startedAt = performance.now();
  const html = String(
    await callView({ ...samples('').call, diffs: [diff, { ...diff, path: 'src/two.ts' }] }, 'en'),
  );
  assert.ok(performance.now() - startedAt < 2_000);
  assert.ok(html.length < 2_000_000, `${html.length} characters`);
  assert.match(html, /97,000 more lines are not shown/);
  assert.match(html, /100,000 more lines are not shown/);
});

test('one line of 5 MB, and a result of 5 MB', async () => {
  const { call } = samples('');
  const text = 'z'.repeat(5_000_000);
  const [diff] = call.diffs;
  assert.ok(diff);
  const html = String(
    await callView(
      {
        ...call,
        result: { text, hiddenCharacters: 7 },
        diffs: [{ ...diff, hunks: [{ oldStart: 1, newStart: 1, lines: [{ kind: 'added', text }] }] }],
      },
      'en',
    ),
  );
  assert.ok(html.length < 600_000);
  assert.match(html, /… \+4996000/);
  assert.match(html, /and 4,600,007 more characters/);
});

describe('languages', () => {
  test('are chosen by the browser, or by hand', () => {
    for (const [accept, chosen, expected] of [
      [undefined, undefined, 'en'],
      ['', undefined, 'en'],
      ['de-DE,de;q=0.9', undefined, 'en'],
      ['vi-VN,vi;q=0.9,en;q=0.8', undefined, 'vi'],
      ['fr;q=0.9,zh-TW;q=0.8,en;q=0.7', undefined, 'zh'],
      ['en;q=0.2,zh-CN;q=0.9', undefined, 'zh'],
      ['zh;q=0,en', undefined, 'en'],
      ['zh', 'vi', 'vi'],
      ['zh', 'xx', 'zh'],
      [`${'vi,'.repeat(100_000)}`, undefined, 'vi'],
    ] as const) {
      assert.equal(chooseLocale(accept, chosen), expected, `${accept?.slice(0, 40)} ${chosen}`);
    }
  });

  test('each has words of its own for everything', () => {
    const same: string[] = [];
    const compare = (path: string, one: object, other: object) => {
      assert.deepEqual(Object.keys(other), Object.keys(one), path);
      for (const [key, value] of Object.entries(one)) {
        const translated = (other as Record<string, unknown>)[key];
        assert.equal(typeof translated, typeof value, `${path}.${key}`);
        if (typeof value === 'object') compare(`${path}.${key}`, value, translated as object);
        else if (typeof value === 'string' && value === translated) same.push(`${path}.${key}`);
      }
    };
    for (const locale of ['vi', 'zh'] as const) compare(locale, textsOf('en'), textsOf(locale));
    // Shell is the word for a shell in all three.
    assert.deepEqual(same, ['vi.shell', 'zh.shell']);
  });

  test('states of files, access modes, and why no lines are compared are in words of it', async () => {
    const { approvals, call } = samples('');
    const states = [{ type: 'file', sizeBytes: 5 }, { type: 'none' }] as const;
    const diffs = [{ path: 'a', kind: 'binary' as const, states, hunks: [], hiddenLines: 0 }];
    const [request] = approvals;
    assert.ok(request);
    for (const [locale, words] of [
      ['en', ['file of 5 bytes → not there', 'Not text: its lines cannot be compared.', 'Full']],
      ['vi', ['tệp 5 byte → không có', 'Không phải văn bản', 'Toàn quyền']],
      ['zh', ['5字节的文件 → 不存在', '不是文本', '完全']],
    ] as const) {
      const html =
        String(await callView({ ...call, diffs }, locale)) +
        String(await approvalsView([{ ...request, access: 'full' }], locale));
      for (const word of words) assert.ok(html.includes(word), `${locale}: ${word}`);
    }
  });

  test('numbers are written as the language writes them', async () => {
    const { status } = samples('');
    const html = async (locale: 'en' | 'vi') =>
      String(await statusView({ ...status, requests: { ...status.requests, total: 1234 } }, locale));
    assert.match(await html('en'), /1,234 calls/);
    assert.match(await html('vi'), /1\.234 lời gọi/);
  });
});

test('a client that has not called is told about only while that is so', async () => {
  const { status } = samples('');
  const { total, ...requests } = status.requests;
  assert.equal(total, 0);
  assert.match(String(await statusView(status, 'en')), /The client has not called yet/);
  const called = { ...status, requests: { ...requests, total: 1 } };
  assert.doesNotMatch(String(await statusView(called, 'en')), /has not called/);
});

test('the shell holds no data, and nothing that a strict policy would stop', async () => {
  for (const locale of LOCALES) {
    const html = String(await pageShell(locale));
    assert.doesNotMatch(html, / on[a-z]+=|style=|<style|<script>|https?:/);
    assert.deepEqual(html.match(/<script[^>]*>/g), ['<script src="/page/app.js" defer>']);
  }
});

test('the page and its first fragments are under 60 kB, the script under 16, the style under 12', async () => {
  const empty = emptySamples();
  const parts: Record<string, string> = {
    shell: String(await pageShell('en')),
    script: appScript(),
    style: appStyles(),
    status: String(await statusView(empty.status, 'en')),
    activity: String(await activityView(empty.activity, { limit: 100 }, 'en')),
    history: String(await historyView(empty.history, 'en')),
    approvals: String(await approvalsView(empty.approvals, 'en')),
    processes: String(await processesView(empty.processes, 'en')),
    access: String(await accessView(empty.access, 'en')),
  };
  const sizes = Object.fromEntries(
    Object.entries(parts).map(([name, text]) => [name, Buffer.byteLength(text)]),
  );
  const total = Object.values(sizes).reduce((sum, size) => sum + size, 0);
  const said = JSON.stringify(sizes);
  assert.ok(total < 60_000, `${total}: ${said}`);
  assert.ok((sizes['script'] ?? 0) <= 16_000, said);
  assert.ok((sizes['style'] ?? 0) <= 12_000, said);
});
