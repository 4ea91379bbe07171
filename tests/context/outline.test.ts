import assert from 'node:assert/strict';
import { truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { outline } from '../../src/context/index.ts';
import type { CodedError } from '../../src/runtime/errors.ts';
import { createSearch } from '../../src/search/index.ts';
import { folderWith, workspaceOf } from './support.ts';

async function outlineOf(root: string, path: string, offset = 0, signal = new AbortController().signal) {
  const search = createSearch({ stateDir: join(root, '.state') });
  const deadlineMs = performance.now() + 30_000;
  return outline({ path, offset }, { workspace: workspaceOf(root), search, signal, deadlineMs });
}

/** Each language: a file, its text, and the outline that it must have. */
const LANGUAGES: Record<string, { text: string; has: string }> = {
  'a.ts': {
    text: `export const A = 1, { b, c: d } = obj;
export default function () {}
@Component()
export class Foo<T> extends Bar {
  static x = 1;
  handler = () => {};
  constructor(private a: string) { function inner() { const local = 1; } }
  get value(): number { return 1; }
  abstract foo(): void;
}
interface I { a: string; m(x: number): void }
export enum E { A, B }
namespace N.M { export function nf() {} }
const table = { foo() {}, nested: { deep: function () {} }, n: 1 } as const;
exports.thing = function () {};
(function () { function wrapped() {} })();
describe('suite', () => {
  it('works', async () => {});
});
`,
    has: `1 constant A
1 constant b
1 constant d
2 function default
3-10 class Foo
  5 field x
  6 method handler
  7 constructor constructor
    7 function inner
  8 getter value
  9 method foo
11 interface I
  11 property a
  11 method m
12 enum E
13 namespace N.M
  13 function nf
14 constant table
  14 method foo
  14 method deep
15 function exports.thing
16 function wrapped
17-19 test describe 'suite'
  18 test it 'works'
`,
  },
  'b.jsx': {
    text: 'export const App = () => {\n  const click = () => {};\n  return <a onClick={click}/>;\n};\n',
    has: '1-4 function App\n  2 function click\n',
  },
  'c.tsx': {
    text: 'export function App<P>({ a }: P): JSX.Element { return <b>{a}</b>; }\n',
    has: '1 function App\n',
  },
  'd.py': {
    text: `X = 1
@decorator
class Foo(Base):
    attr: int = 1

    @property
    def bar(self):
        y = 2
        def inner(): pass

if TYPE_CHECKING:
    async def cond(): pass
`,
    has: `1 constant X
2-9 class Foo
  4 field attr
  6-9 method bar
    9 function inner
12 function cond
`,
  },
  'e.go': {
    text: `package x
const A = 1
const B, C = 2, 3
type S struct { a, b int }
type I interface { M(x int) error }
func (s *S) Do() {}
func main() { local := 1; _ = local }
`,
    has: `2 constant A
3 constant B
3 constant C
4 struct S
  4 field a
  4 field b
5 interface I
  5 method M
6 method S.Do
7 function main
`,
  },
  'f.rs': {
    text: `pub mod m { fn f() {} }
struct P { x: i32 }
trait T { fn m(&self); }
impl<X> T for P { fn m(&self) {} }
macro_rules! mac { () => {} }
const K: i32 = 1;
`,
    has: `1 module m
  1 function f
2 struct P
  2 field x
3 trait T
  3 method m
4 impl T for P
  4 method m
5 macro mac
6 constant K
`,
  },
  'G.java': {
    text: `class A { int x, y; A() {} void m() { int local; }
interface In { void q(); } enum En { X; void e() {} } record R(int a) {} }
`,
    has: `1-2 class A
  1 field x
  1 field y
  1 constructor A
  1 method m
  2 interface In
    2 method q
  2 enum En
    2 method e
  2 record R
`,
  },
  'h.cpp': {
    text: `#define MAX 1
namespace ns { class C { public: C(); int m() const { return 1; } int *p, q; }; }
template <typename T>
T add(T a) { return a; }
int ns::C::far() { return 2; }
`,
    has: `1 macro MAX
2 namespace ns
  2 class C
    2 method C
    2 method m
    2 field p
    2 field q
3-4 function add
5 method ns::C::far
`,
  },
  'i.c': {
    text: 'typedef struct { int x; } point;\nstruct s { int a; };\nstatic char *names(int n) {\n  int local;\n}\nint proto(void);\n',
    has: '1 type point\n  1 field x\n2 struct s\n  2 field a\n3-5 function names\n6 function proto\n',
  },
  'j.cs': {
    text: 'namespace N { class C { int a; public string P { get; set; } C() {} void M() { void L() {} } } }\n',
    has: `1 namespace N
  1 class C
    1 field a
    1 property P
    1 constructor C
    1 method M
      1 function L
`,
  },
  'k.php': {
    text: '<?php\nnamespace A\\B;\nconst X = 1;\nclass C { const Y = 2; public $a; function m() {} }\nif (true) { function h() {} }\n',
    has: `2 namespace A\\B
3 constant X
4 class C
  4 constant Y
  4 property $a
  4 method m
5 function h
`,
  },
  'l.rb': {
    text: "module M\n  X = 1\n  class C\n    def m; end\n    def self.s; end\n  end\nend\ndescribe Foo do\n  it 'works' do\n  end\nend\n",
    has: `1-7 module M
  2 constant X
  3-6 class C
    4 method m
    5 method self.s
8-11 test describe Foo
  9-10 test it 'works'
`,
  },
  'm.sh': {
    text: 'X=1\nfoo() { local z=1; }\nfunction bar { :; }\n',
    has: '1 variable X\n2 function foo\n3 function bar\n',
  },
  'n.css': {
    text: '.a, .b > c { color: red }\n@media (max-width: 10px) {\n  .d { }\n}\n',
    has: '1 rule .a, .b > c\n2-4 at-rule @media (max-width: 10px)\n  3 rule .d\n',
  },
  'o.ps1': {
    text: 'function Get-It { param($a) }\nclass Foo { [string]$Name; [void] Bar() {} }\n',
    has: '1 function Get-It\n2 class Foo\n  2 field $Name\n  2 method Bar\n',
  },
  'p.md': {
    text: '# One\ntext\n## Two\n```\n# no heading\n```\n### Three ###\n# Four\n',
    has: '1-7 heading One\n  3-7 heading Two\n    7 heading Three\n8 heading Four\n',
  },
  script: { text: '#!/usr/bin/env bash\nrun() { :; }\n', has: '2 function run\n' },
};

describe('outline', () => {
  for (const [name, { text, has }] of Object.entries(LANGUAGES)) {
    test(`of ${name}`, async (t) => {
      const root = await folderWith(t, { [name]: text });
      const found = await outlineOf(root, name);
      assert.equal(found.text, has);
      assert.equal(found.symbols, has.split('\n').length - 1);
      assert.deepEqual([found.filesWithErrors, found.skipped, found.nextOffset], [[], [], undefined]);
    });
  }

  test('a file that does not parse gives what can be recognised, and says so', async (t) => {
    const root = await folderWith(t, {
      'a.ts':
        'export function first() {}\nfunction broken( {\nclass Last { method() {} }\nexport const x = ;\n',
      'b.py': 'def first():\n    pass\n\nclass (:\n\ndef last():\n    pass\n',
    });
    const script = await outlineOf(root, 'a.ts');
    assert.match(script.text, /1 function first/);
    assert.deepEqual(script.filesWithErrors, ['a.ts']);
    const python = await outlineOf(root, 'b.py');
    assert.match(python.text, /1-2 function first/);
    assert.match(python.text, /6-7 function last/);
  });

  test('line ends, byte order marks, wide characters and UTF-16 do not move lines or names', async (t) => {
    const text = '// 😀 語\r\nconst größe = 1;\r\nfunction 名() {\r\n}\r\n';
    const root = await folderWith(t, {
      'a.js': `\uFEFF${text}`,
      'b.js': Buffer.from(`\uFEFF${text}`, 'utf16le'),
    });
    for (const name of ['a.js', 'b.js']) {
      assert.equal((await outlineOf(root, name)).text, '2 constant größe\n3-4 function 名\n');
    }
  });

  test('a folder: the top level of each file, ignore rules applied, bad files named', async (t) => {
    const root = await folderWith(t, {
      '.gitignore': 'gen/\n',
      '.git/HEAD': 'ref: refs/heads/main\n',
      'b.ts': 'class B { m() {} }\n',
      'a/a.py': 'def a():\n    pass\n',
      'a/data.json': '{}',
      'a/bad.go': Buffer.from([0, 1, 2]),
      'gen/g.ts': 'class G {}\n',
    });
    const found = await outlineOf(root, '.');
    assert.equal(found.text, 'a/a.py\n  1-2 function a\nb.ts\n  1 class B\n');
    assert.deepEqual(found.skipped, ['a/bad.go: BINARY_FILE']);
    assert.deepEqual([found.files, found.total, found.symbols], [3, 3, 2]);
    assert.equal((await outlineOf(root, 'a')).text, 'a/a.py\n  1-2 function a\n');
  });

  test('what is cut continues where it was cut, until all was given once', async (t) => {
    const functions = Array.from({ length: 12_000 }, (_, i) => `function name_of_function_${i}() {}\n`);
    const files = Object.fromEntries(
      Array.from({ length: 700 }, (_, i) => [
        `src/f${String(i).padStart(3, '0')}.js`,
        `function f${i}() {}\n`,
      ]),
    );
    const root = await folderWith(t, { 'big.js': functions.join(''), ...files });
    for (const [path, total] of [
      ['big.js', 12_000],
      ['src', 700],
    ] as const) {
      let text = '';
      let pages = 0;
      for (let offset: number | undefined = 0; offset !== undefined; pages++) {
        const found = await outlineOf(root, path, offset);
        assert.ok(Buffer.byteLength(found.text) <= 240 * 1024);
        assert.equal(found.total, total);
        text += found.text;
        offset = found.nextOffset;
      }
      assert.ok(pages > 1);
      const names = text.match(/function \w+/g)!;
      assert.equal(names.length, total);
      assert.equal(new Set(names).size, total);
    }
  });

  test('unknown languages, missing, huge and binary files are clear errors', async (t) => {
    const root = await folderWith(t, { 'a.xyz': 'x', 'huge.ts': '', 'b.ts': Buffer.from([0, 0]) });
    await truncate(join(root, 'huge.ts'), 3_000_000);
    const code = (expected: string) => (error: CodedError) => {
      assert.equal(error.code, expected);
      assert.ok(error.hint.length > 10);
      return true;
    };
    await assert.rejects(outlineOf(root, 'a.xyz'), code('UNSUPPORTED_FILE'));
    await assert.rejects(outlineOf(root, 'none.ts'), code('FILE_NOT_FOUND'));
    await assert.rejects(outlineOf(root, 'huge.ts'), code('TOO_LARGE'));
    await assert.rejects(outlineOf(root, 'b.ts'), code('BINARY_FILE'));
  });

  test('while a large file is parsed the event loop stays free, and a cancel ends it', async (t) => {
    const text =
      'export class A { async m(a: string) { for (const x of a) await f(x, { b: [1, 2, 3] }); } }\n';
    const root = await folderWith(t, { 'large.ts': text.repeat(18_000) });
    let turns = 0;
    let running = true;
    const turn = () => {
      turns++;
      if (running) setImmediate(turn);
    };
    turn();
    const found = await outlineOf(root, 'large.ts').finally(() => {
      running = false;
    });
    assert.equal(found.total, 36_000);
    assert.ok(turns > 10, `${turns} turns`);
    const controller = new AbortController();
    const cancelled = outlineOf(root, 'large.ts', 0, controller.signal);
    setImmediate(() => controller.abort(new Error('cancelled')));
    await assert.rejects(cancelled, /cancelled/);
  });

  test('many files at once do not mix', async (t) => {
    const names = Object.keys(LANGUAGES);
    const root = await folderWith(t, Object.fromEntries(names.map((name) => [name, LANGUAGES[name]!.text])));
    const found = await Promise.all([...names, ...names].map((name) => outlineOf(root, name)));
    for (const [index, { text }] of found.entries()) {
      assert.equal(text, LANGUAGES[names[index % names.length]!]!.has);
    }
  });
});
