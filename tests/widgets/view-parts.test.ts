import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { errorResult, successResult } from '../../src/mcp/envelope.ts';
import { CodedError } from '../../src/runtime/errors.ts';
import { selectTools } from '../../src/tools/index.ts';
import { parseTerminal } from '../../src/widgets/view/ansi.ts';
import { parseDiff } from '../../src/widgets/view/diff.ts';
import { wordsFor } from '../../src/widgets/view/messages.ts';
import { readResult } from '../../src/widgets/view/result.ts';
import { cut, visible } from '../../src/widgets/view/text.ts';

const tool = (name: string) => selectTools('full').find((one) => one.name === name)!;

describe('a result is read from whichever channel carries it', () => {
  const data = { command: 'x', exit_code: 1, stdout: 'out\n\nmore\n', stderr: 'err\n' };
  for (const form of ['auto', 'both', 'structured', 'text'] as const) {
    test(`--results ${form}`, () => {
      const result = successResult(tool('run_command'), { summary: 'Ran.', data }, form);
      const shown = readResult(result);
      assert.deepEqual(
        { ...shown, data: { ...shown.data } },
        { tool: 'run_command', ok: true, summary: 'Ran.', data, text: '' },
      );
    });
  }

  test('a host that passes the text alone', () => {
    const { content } = successResult(tool('run_command'), { summary: 'Ran.', data }, 'both');
    assert.deepEqual({ ...readResult({ content }).data }, data);
  });

  test('nothing on stdout', () => {
    const quiet = { ...data, stdout: '' };
    const shown = readResult(successResult(tool('run_command'), { summary: 'Ran.', data: quiet }, 'auto'));
    assert.equal(shown.data['stderr'], 'err\n');
    assert.equal(shown.data['stdout'] ?? '', '');
  });

  test('an error', () => {
    const failed = errorResult('edit_file', new CodedError('NO_MATCH', 'Not there.', 'Look.'), 'auto', false);
    const shown = readResult(failed);
    assert.equal(shown.ok, false);
    assert.deepEqual(shown.data['error'], { code: 'NO_MATCH', message: 'Not there.', hint: 'Look.' });
  });

  test('what is no result of ours is text, and nonsense is nothing', () => {
    const text = (value: string) => ({ content: [{ type: 'text', text: value }] });
    assert.equal(readResult(text('[1]\n\nx')).text, '[1]\n\nx');
    assert.equal(readResult({ ...text('no'), isError: true }).ok, false);
    for (const odd of [
      undefined,
      null,
      3,
      [],
      {},
      { content: 'x' },
      { content: [null, 3, { type: 'text' }] },
    ]) {
      assert.equal(readResult(odd).text.trim(), '');
    }
    const bare = readResult({ structuredContent: { ok: true, tool: 'git_diff', data: null } });
    assert.deepEqual(bare.data, {});
  });
});

describe('diffs', () => {
  test("git's: renamed, created, binary, and a removed line that looks like a header", () => {
    const { files, notes } = parseDiff(
      [
        'diff --git a/old name.txt b/new name.txt',
        'similarity index 90%',
        'rename from old name.txt',
        'rename to new name.txt',
        'index 111..222 100644',
        '--- a/old name.txt',
        '+++ b/new name.txt',
        '@@ -1,3 +1,3 @@ function x',
        ' same',
        '--- removed',
        '+++ added',
        '-- also gone',
        '\\ No newline at end of file',
        'diff --git a/new.txt b/new.txt',
        'new file mode 100644',
        'index 000..333',
        '--- /dev/null',
        '+++ b/new.txt',
        '@@ -0,0 +1 @@',
        '+hello',
        'diff --git a/p.png b/p.png',
        'index 1..2 100644',
        'Binary files a/p.png and b/p.png differ',
        '',
      ].join('\n'),
    );
    const brief = files.map(({ path, oldPath, status, added, removed }) => [
      path,
      oldPath,
      status,
      added,
      removed,
    ]);
    assert.deepEqual(brief, [
      ['new name.txt', 'old name.txt', 'renamed', 1, 2],
      ['new.txt', undefined, 'created', 1, 0],
      ['p.png', undefined, 'updated', 0, 0],
    ]);
    assert.deepEqual(files[0]?.rows.slice(1, 4), [
      { kind: 'same', text: 'same', oldLine: 1, newLine: 1 },
      { kind: 'removed', text: '-- removed', oldLine: 2 },
      { kind: 'added', text: '++ added', newLine: 2 },
    ]);
    assert.equal(files[2]?.rows[0]?.text, 'Binary files a/p.png and b/p.png differ');
    assert.deepEqual(notes, []);
  });

  test('plain ones of several files, cut at the end', () => {
    const { files, notes } = parseDiff(
      '--- a/x\n+++ b/x\n@@ -1 +1 @@\n-1\n+2\n--- /dev/null\n+++ y\n@@ -0,0 +1,9 @@\n+1\n[diff cut: 1 of 2 hunks]\n',
    );
    assert.deepEqual(
      files.map(({ path, status }) => [path, status]),
      [
        ['x', 'updated'],
        ['y', 'created'],
      ],
    );
    assert.deepEqual(notes, ['[diff cut: 1 of 2 hunks]']);
  });

  test('every line of any text is somewhere', () => {
    const { files, notes } = parseDiff('what\n\n+++ lonely\n@@ -1 +1 @@\n+x\nend');
    const all = [...notes, ...files.flatMap(({ rows }) => rows.map((row) => row.text))];
    for (const line of ['what', '+++ lonely', '@@ -1 +1 @@', 'x', 'end']) assert.ok(all.includes(line), line);
    assert.deepEqual(parseDiff(''), { files: [], notes: [] });
  });
});

describe('terminal output', () => {
  const plain = (output: string) =>
    parseTerminal(output).map((line) => line.map(({ text }) => text).join(''));

  test('colours and attributes go on over lines and end', () => {
    const [first, second] = parseTerminal(
      '\x1b[1;31mred\nstill\x1b[0m not\x1b[38;5;208m o\x1b[48:2::1:2:3mt',
    );
    assert.deepEqual(first, [{ text: 'red', style: { bold: true, fg: 1 } }]);
    assert.deepEqual(
      second?.map(({ style }) => style),
      [{ bold: true, fg: 1 }, {}, { fg: 'rgb(255 135 0)' }, { fg: 'rgb(255 135 0)', bg: 'rgb(1 2 3)' }],
    );
  });

  test('bad colours are none', () => {
    for (const code of ['38;5;999', '38;2;1;2', '38', '48;5', '999', '38;2;300;1;1']) {
      const [[span] = []] = parseTerminal(`\x1b[${code}mx`);
      assert.equal(span?.style.fg, undefined, code);
      assert.equal(span?.text, 'x');
    }
  });

  test('sequences that are no colour leave nothing, titles and links included', () => {
    const output =
      'a\x1b]0;title\x07b\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\c\x1b[2J\x1b[10;10Hd\x1b[?25le\x1bPq#0\x1b\\f\x1b(Bg\x1b7h';
    assert.deepEqual(plain(output), ['ablinkcdefgh']);
  });

  test('a carriage return starts the line anew, a backspace takes one back', () => {
    assert.deepEqual(plain('10%\r50%\r100%\r\ndone\r\nab\bc\n\n'), ['100%', 'done', 'ac', '']);
    assert.deepEqual(plain('kept\r'), ['kept']);
  });

  test('unfinished and endless sequences are quick and hide nothing after them', () => {
    const started = performance.now();
    assert.match(plain(`\x1b]0;${'x'.repeat(300_000)}end`).join(''), /end$/);
    assert.match(plain(`${'\x1b['.repeat(200_000)}end`).join(''), /nd$/);
    assert.match(plain(`${'\x1b]'.repeat(200_000)}\nend`).join('\n'), /end$/);
    assert.ok(performance.now() - started < 2_000);
  });
});

test('control and direction characters are seen', () => {
  assert.equal(visible('a\x1b[31m\0\u202eb\tc\x7f\x9b'), 'a␛[31m␀‹U+202E›b\tc␡‹U+009B›');
  assert.deepEqual(cut('ab😀', 3), { text: 'ab', more: 2 });
});

test('the words are there in three languages, and English for the rest', () => {
  assert.equal(wordsFor('vi-VN').say('exit', 3), 'mã thoát 3');
  assert.equal(wordsFor('zh-TW').say('more', 12_345), '再显示 12,345 行');
  assert.equal(wordsFor('de').say('signal', '$&'), 'ended by $&');
  assert.equal(wordsFor('en').duration(61_000), '1 min 1 sec');
});
