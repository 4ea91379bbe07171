import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ansi, withoutAnsi } from '../../src/dashboard/views/ansi.ts';
import { Highlighter } from '../../src/dashboard/views/highlight.ts';
import { languageOf } from '../../src/dashboard/views/languages.ts';

async function drawn(text: string, before = ''): Promise<string> {
  return String(await ansi(text, before).view);
}

describe('output as a terminal leaves it', () => {
  for (const [what, text, expected] of [
    ['plain', 'a <b> & c\nd', 'a &lt;b&gt; &amp; c\nd'],
    ['a colour', '\u001b[31mred\u001b[0m no', '<span class="f1">red</span> no'],
    ['an empty SGR resets', '\u001b[1;4;92mx\u001b[my', '<span class="f10 tb tu">x</span>y'],
    ['bright background', '\u001b[101mx', '<span class="g9">x</span>'],
    ['of 256: one of the 16', '\u001b[38;5;12mx', '<span class="f12">x</span>'],
    ['of 256: the cube', '\u001b[38;5;196mx', '<span class="f9">x</span>'],
    ['of 256: a grey', '\u001b[38;5;240mx', '<span class="f8">x</span>'],
    ['of 256: out of range', '\u001b[38;5;999mx', 'x'],
    ['true colour: orange is yellow', '\u001b[38;2;255;165;0mx', '<span class="f11">x</span>'],
    ['true colour, with colons', '\u001b[38:2::0:0:200mx', '<span class="f4">x</span>'],
    ['true colour, then more', '\u001b[38;2;200;0;0;1mx', '<span class="f1 tb">x</span>'],
    ['inverse', '\u001b[7mx', '<span class="tv">x</span>'],
    ['inverse of a colour', '\u001b[31;7mx', '<span class="g1">x</span>'],
    ['22 ends bold and dim', '\u001b[1;2mx\u001b[22my', '<span class="tb td">x</span>y'],
    ['4:0 ends the underline', '\u001b[4mx\u001b[4:0my', '<span class="tu">x</span>y'],
    ['other sequences', 'a\u001b[2Jb\u001b[10;10Hc\u001b(Bd\u001b[?25le\u001b=f', 'abcdef'],
    ['a title', '\u001b]0;evil\u0007a\u001b]8;;https://x.example\u001b\\link\u001b]8;;\u001b\\', 'alink'],
    ['a title without an end', 'a\u001b]0;b', 'a]0;b'],
    ['device control', '\u001bPq#0\u001b\\a', 'a'],
    ['progress', '10%\r20%\r100%\n', '100%\n'],
    ['a shorter line over a longer one', 'abcdef\rXY', 'XYcdef'],
    ['erased to the end', 'abcdef\r\u001b[KXY', 'XY'],
    ['the whole line erased', 'abcdef\u001b[2K\rXY', 'XY'],
    ['backspace', 'abc\b\bX', 'aXc'],
    ['Windows line ends', 'a\r\nb\r\r\nc', 'a\nb\nc'],
    ['overwritten with colours', '\u001b[31mabc\u001b[0m\rX', 'X<span class="f1">bc</span>'],
    ['control characters', 'a\u0001b\u0007c', 'a<b class="x">\\u0001</b>bc'],
    ['directional overrides', 'a\u202eb', 'a<b class="x">\\u202e</b>b'],
  ] as const) {
    test(what, async () => assert.equal(await drawn(text), expected));
  }

  test('goes on from piece to piece: colours, a sequence in two halves, a line that is overwritten', async () => {
    const first = ansi('\u001b[1;31mred \u001b[3');
    assert.equal(String(await first.view), '<span class="f1 tb">red </span>');
    const second = ansi('2mgreen', first.state);
    assert.equal(String(await second.view), '<span class="f2 tb">green</span>');
    assert.ok(first.state.length <= 64 && second.state.length <= 64);

    assert.equal(ansi('\r20%').overwrites, true);
    assert.equal(ansi('20%', ansi('10%\r').state).overwrites, true);
    assert.equal(ansi('\nnext', ansi('10%\r').state).overwrites, false);
    assert.equal(ansi('\r\nnext').overwrites, false);
    assert.equal(ansi('next', ansi('10%').state).overwrites, false);
  });

  test('what cannot be seen is written out, together where it stands together, and counted where it goes on', async () => {
    assert.equal(await drawn('a\u0000\u0001b'), 'a<b class="x">\\u0000\\u0001</b>b');
    assert.equal(await drawn(`${'\u0002'.repeat(9)}\u202e`), '<b class="x">\\u0002×9\\u202e</b>');
    assert.equal(await drawn('\u0002\u0002\u200b'), '<b class="x">\\u0002\\u0002\\u200b</b>');
    assert.equal(await drawn('\u0000'.repeat(100_000)), '<b class="x">\\u0000×100000</b>');
  });

  test('a state that somebody made up is none', async () => {
    for (const state of ['x', '99.99.bbb.r.', '-1.-1..r.zz', `1.1..r.${'00'.repeat(60)}`, '" onload="']) {
      assert.doesNotMatch(await drawn('a', state), /[^<>="\w /-]/);
    }
  });

  test('takes a time that grows with the text', () => {
    for (const unit of [
      '\u001b]',
      '\u001b[',
      '\u001b[1;',
      '\r',
      'a\r\u001b[K',
      '\u001bP',
      '\u001b[38;2;',
      'a\b',
    ]) {
      const startedAt = performance.now();
      withoutAnsi(unit.repeat(100_000));
      assert.ok(performance.now() - startedAt < 3_000, JSON.stringify(unit));
    }
    for (const erased of ['\u001b[2K', '\u001b[1K', '\u001b[K']) {
      const startedAt = performance.now();
      withoutAnsi('x'.repeat(100_000) + erased.repeat(50_000) + `x${erased}`.repeat(50_000));
      assert.ok(performance.now() - startedAt < 3_000, JSON.stringify(erased));
    }
  });
});

describe('the highlighter', () => {
  const kinds = (path: string, ...lines: string[]) => {
    const language = languageOf(path);
    assert.ok(language);
    const highlighter = new Highlighter(language);
    return lines.map((line) =>
      highlighter
        .line(line)
        .filter(({ kind }) => kind !== undefined)
        .map(({ text, kind }) => `${kind}:${text}`),
    );
  };

  test('knows comments, strings, numbers and words', () => {
    assert.deepEqual(kinds('a.ts', 'const a = 0x1F; // "no" const', "import { x } from './y\\'z';"), [
      ['word:const', 'number:0x1F', 'comment:// "no" const'],
      ['word:import', 'word:from', "string:'./y\\'z'"],
    ]);
    assert.deepEqual(kinds('b.py', 'def f(): # x', 's = "#no"'), [
      ['word:def', 'comment:# x'],
      ['string:"#no"'],
    ]);
    assert.deepEqual(kinds('q.sql', 'SELECT 1 -- all'), [['word:SELECT', 'number:1', 'comment:-- all']]);
    assert.deepEqual(kinds('c.yaml', 'url: http://x#y # why'), [['comment:# why']]);
    assert.deepEqual(kinds('Dockerfile', 'RUN echo # x'), [['comment:# x']]);
    assert.deepEqual(kinds('x.html', '<!-- a', 'b --><p class="c">'), [
      ['comment:<!-- a'],
      ['comment:b -->', 'string:"c"'],
    ]);
    assert.equal(languageOf('README.md'), undefined);
    assert.equal(languageOf('constructor'), undefined);
  });

  test('carries what is open into the next line', () => {
    assert.deepEqual(kinds('a.js', 'a /* one', 'two */ return `x', '{y}` 1'), [
      ['comment:/* one'],
      ['comment:two */', 'word:return', 'string:`x'],
      ['string:{y}`', 'number:1'],
    ]);
    assert.deepEqual(kinds('a.py', 's = """a', 'b""" # c'), [
      ['string:"""a'],
      ['string:b"""', 'comment:# c'],
    ]);
  });

  test('never changes the text', () => {
    // The same odd lines in every family, by a generator that gives the same each time.
    const alphabet = [
      '"',
      "'",
      '`',
      '\\',
      '/',
      '*',
      '#',
      '-',
      '<!--',
      '-->',
      '//',
      '/*',
      '*/',
      ' ',
      'const',
      '1',
      '"""',
      '$',
      '{',
      '\u202e',
      '\t',
      '👩‍💻',
    ];
    let seed = 1;
    const next = (below: number) => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed % below;
    };
    for (const path of ['a.ts', 'a.py', 'a.sql', 'a.html', 'a.css', 'a.json', 'a.toml']) {
      const language = languageOf(path);
      assert.ok(language);
      const highlighter = new Highlighter(language);
      for (let round = 0; round < 2_000; round++) {
        const line = Array.from({ length: next(30) }, () => alphabet[next(alphabet.length)]).join('');
        assert.equal(
          highlighter
            .line(line)
            .map(({ text }) => text)
            .join(''),
          line,
        );
      }
    }
  });

  test('takes a time that grows with the line', () => {
    const language = languageOf('a.ts');
    assert.ok(language);
    const highlighter = new Highlighter(language);
    const startedAt = performance.now();
    for (const unit of ['"', "'\\", '`', '/*', '"a', '1.', 'a$', '#', '\\"']) {
      highlighter.forget();
      for (let line = 0; line < 200; line++) highlighter.line(unit.repeat(500));
    }
    assert.ok(performance.now() - startedAt < 3_000);
  });
});
