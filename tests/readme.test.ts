import assert from 'node:assert/strict';
import { access, readdir, readFile } from 'node:fs/promises';
import { dirname, relative, resolve } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { INSTALLERS, READMES, upToDateInstaller, upToDateReadme, withPart } from '../build/readme.ts';
import { readArguments } from '../src/cli/arguments.ts';
import { COMMANDS, type CommandName, commandDefinition } from '../src/cli/commands.ts';
import { CHECKS } from '../src/cli/doctor.ts';
import { SETTINGS } from '../src/config/definitions.ts';
import { selectTools } from '../src/tools/index.ts';
import { anchorsOf, type Chapter, chaptersOf, codeIn, linksIn } from './support/markdown.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const ENGLISH = 'README.md';
const LANGUAGES = {
  'docs/README.vi.md': {
    shared: [
      ...['Bắt đầu nhanh', 'Cài đặt', 'Kết nối client', 'ChatGPT'],
      ...['Trang cục bộ', 'Các công cụ', 'Khi gặp sự cố'],
    ],
    kinds: { đọc: 'reads', thêm: 'adds', 'thay đổi': 'changes' },
  },
  'docs/README.zh-CN.md': {
    shared: ['快速开始', '安装', '连接客户端', 'ChatGPT', '本地页面', '工具', '故障排除'],
    kinds: { 只读: 'reads', 新增: 'adds', 修改: 'changes' },
  },
} as const;
const SHARED = [
  ...['Quick start', 'Install', 'Connecting a client', 'ChatGPT'],
  ...['The local page', 'The tools', 'Troubleshooting'],
];

/** The program in its shapes, with words that are no placeholder. */
const COMMAND_LINE = /^(?:(?:\.\/|dist\/)?local-coder|npm start --|deno run -A src\/main\.ts) (-?-?[a-z].*)$/;

const read = (name: string) => readFile(resolve(ROOT, name), 'utf8');

async function documents(): Promise<string[]> {
  const inDocs = (await readdir(resolve(ROOT, 'docs'))).filter((name) => name.endsWith('.md'));
  return [ENGLISH, 'CHANGELOG.md', 'AGENTS.md', ...inDocs.map((name) => `docs/${name}`)];
}

/** The chapters of the second level with those names, each followed by its parts. */
function chaptersNamed(text: string, names: readonly string[]): Chapter[][] {
  const all = chaptersOf(text);
  return names.map((name) => {
    const first = all.findIndex(({ level, title }) => level === 2 && title === name);
    assert.notEqual(first, -1, `there is no chapter "${name}"`);
    const next = all.findIndex(({ level }, index) => index > first && level <= 2);
    return all.slice(first, next === -1 ? undefined : next);
  });
}

const sorted = (texts: Iterable<string>) => [...new Set(texts)].sort();
/** A reference list ends with another word in each language; only what stands in code is compared. */
const codeOfRows = (tables: Chapter['tables']) =>
  tables.map((rows) => rows.map((cells) => ({ cells: cells.length, code: sorted(codeIn(cells.join(' '))) })));
const listItems = (prose: string) => [...prose.matchAll(/^(-|\d+\.) /gm)].map(([, sign]) => sign);
const targets = (name: string, prose: string) =>
  linksIn(prose).map((target) =>
    target.startsWith('#') ? target : relative(ROOT, resolve(ROOT, dirname(name), target)),
  );

for (const name of Object.keys(READMES) as (keyof typeof READMES)[]) {
  test(`${name} has what the program says of itself (npm run docs mends it)`, async () => {
    assert.equal(await read(name), await upToDateReadme(name));
  });
}

for (const [name, { shared, kinds }] of Object.entries(LANGUAGES)) {
  describe(`${name} says what README.md says`, () => {
    test('the same chapters in the same order, with the same code, tables, lists and links', async () => {
      const english = chaptersNamed(await read(ENGLISH), SHARED);
      const text = await read(name);
      const theirs = chaptersNamed(text, shared);
      for (const [index, chapters] of english.entries()) {
        const their = theirs[index] ?? [];
        const where = `${SHARED[index]} / ${shared[index]}`;
        assert.deepEqual(
          their.map(({ level }) => level),
          chapters.map(({ level }) => level),
          where,
        );
        for (const [part, chapter] of chapters.entries()) {
          const other = their[part];
          assert.ok(other !== undefined);
          const at = `${where}: ${chapter.title} / ${other.title}`;
          assert.deepEqual(other.codeBlocks, chapter.codeBlocks, at);
          assert.deepEqual(codeOfRows(other.tables), codeOfRows(chapter.tables), at);
          assert.deepEqual(sorted(codeIn(other.prose)), sorted(codeIn(chapter.prose)), at);
          assert.deepEqual(listItems(other.prose), listItems(chapter.prose), at);
          // A chapter that is in English only is linked there, and from the README within itself.
          const own = targets(name, other.prose).map((target) => target.replace(/^README\.md(?=#)/, ''));
          assert.deepEqual(own, targets(ENGLISH, chapter.prose), at);
        }
      }
      const titles = chaptersOf(text).filter(({ level }) => level === 2);
      assert.deepEqual(
        titles.slice(0, -1).map(({ title }) => title),
        shared,
        'one chapter more, which links the rest',
      );
    });

    test('every tool, of the same kind', async () => {
      const [tools] = chaptersNamed(await read(name), [shared[5]]);
      const chapter = tools?.[0];
      const all = selectTools('full');
      const slim = new Set(selectTools('slim'));
      const english = new Map<string, string>(Object.entries(kinds));
      assert.ok(chapter?.prose.trim().startsWith(`${all.length} `), 'the number of tools');
      assert.deepEqual(
        chapter?.tables[0]?.slice(1).map(([tool, kind, says]) => {
          assert.ok((says ?? '').length > 4, tool);
          const [word = '', ...more] = (kind ?? '').split(', ');
          return [tool, [english.get(word) ?? word, ...more].join(', ')];
        }),
        all.map((tool) => {
          const { readOnlyHint, destructiveHint } = tool.annotations;
          const kind = readOnlyHint ? 'reads' : destructiveHint ? 'changes' : 'adds';
          return [`\`${tool.name}\``, slim.has(tool) ? `${kind}, slim` : kind];
        }),
      );
    });
  });
}

describe('the documents are true of the program', () => {
  test('the table of tunnels has every one', async () => {
    for (const name of Object.keys(READMES)) {
      const tables = chaptersOf(await read(name)).flatMap((chapter) => chapter.tables);
      const tunnels = tables.find((rows) => rows[1]?.[0] === '`cloudflare`');
      assert.deepEqual(
        sorted((tunnels ?? []).slice(1).flatMap(([tunnel]) => codeIn(tunnel ?? ''))),
        SETTINGS.tunnel.schema.options.filter((option) => option !== 'none').sort(),
      );
    }
  });

  test('what is looked for with doctor is a line of it', async () => {
    const lines = new Set(CHECKS.map(([line]) => line));
    for (const name of Object.keys(READMES)) {
      const tables = chaptersOf(await read(name)).flatMap((chapter) => chapter.tables);
      const named = tables.filter(([head]) => head?.at(-1) === 'doctor').flatMap((rows) => rows.slice(1));
      assert.ok(named.length > 10);
      for (const line of named.flatMap((cells) => codeIn(cells.at(-1) ?? '')))
        assert.ok(lines.has(line), line);
    }
  });

  test('every command line can be read, every option is known', async () => {
    const commands = Object.keys(COMMANDS) as CommandName[];
    const known = new Set([
      ...Object.keys(SETTINGS),
      ...commands.flatMap((command) => {
        const { switches, values } = commandDefinition(command);
        return [...switches, ...Object.keys(values ?? {})];
      }),
      // of the installers, of build.mjs, of npm
      ...['dir', 'version', 'uninstall', 'out', 'script-shell'],
    ]);
    let lines = 0;
    for (const name of await documents()) {
      for (const { prose, codeBlocks } of chaptersOf(await read(name))) {
        const blocks = codeBlocks.flatMap((block) => block.split('\n').slice(1));
        for (const code of [...codeIn(prose), ...blocks]) {
          const option = /^--([a-z-]+)/.exec(code)?.[1];
          assert.ok(option === undefined || known.has(option), `${name}: ${code}`);
          const line = COMMAND_LINE.exec(code)?.[1];
          if (line === undefined || line.includes('…')) continue;
          // A second run of spaces is where an explanation begins.
          assert.doesNotThrow(() => readArguments(wordsOf(line.split('   ')[0] ?? '')), `${name}: ${code}`);
          lines++;
        }
      }
    }
    assert.ok(lines > 60, `only ${lines} were found`);
  });

  test('README.md names the targets of speed that were missed', async () => {
    const missed = [...(await read('docs/speed.md')).matchAll(/^\| ([\w ]+) \|.*\*\*missed\*\* \|$/gm)];
    const [chapters] = chaptersNamed(await read(ENGLISH), ['How fast it is']);
    assert.deepEqual(
      sorted(codeIn(chapters?.[0]?.prose ?? '')),
      sorted(missed.map(([, target]) => target ?? '')),
    );
  });
});

describe('all documents', () => {
  test('links lead somewhere, headings that are linked exist', async () => {
    for (const name of await documents()) {
      const text = await read(name);
      for (const target of linksIn(text.replaceAll(/`[^`\n]*`/g, ''))) {
        if (/^https?:/.test(target)) continue;
        const [path = '', anchor] = target.split('#');
        const file = path === '' ? name : relative(ROOT, resolve(ROOT, dirname(name), path));
        assert.ok(!file.startsWith('..'), `${name}: ${target}`);
        await access(resolve(ROOT, file));
        if (anchor !== undefined) assert.ok(anchorsOf(await read(file)).has(anchor), `${name}: ${target}`);
      }
      for (const [file] of text.matchAll(/\bdocs\/[\w.-]+\.(?:md|txt)\b/g)) await access(resolve(ROOT, file));
    }
  });

  test('no path of a machine, no host that is not meant', async () => {
    const meant =
      /^(localhost|127\.0\.0\.1:\d+|(.+\.)?example(\.(org|com|net))?|chatgpt\.com|api\.openai\.com|four-random-words-here\.trycloudflare\.com)$/;
    for (const name of await documents()) {
      const text = await read(name);
      for (const [path] of text.matchAll(/(?<![\w.~}])\/(?:home|Users|root|work|mnt|media|srv)\/[\w./-]*/g))
        assert.match(path, /^\/home\/you\//, name);
      assert.doesNotMatch(text, /\b[A-Z]:\\(?!…)/, name);
      for (const [, host] of text.matchAll(/\b(?:https?|wss?|git|ssh):\/\/([^\s/)`'"|#?]+)/g))
        assert.match(host ?? '', meant, name);
      for (const [address] of text.matchAll(/\b\d{1,3}(?:\.\d{1,3}){3}\b/g))
        assert.equal(address, '127.0.0.1', name);
    }
  });

  test('table cells are as many in each row', async () => {
    for (const name of await documents())
      for (const { title, tables } of chaptersOf(await read(name)))
        for (const rows of tables)
          for (const cells of rows)
            assert.equal(cells.length, rows[0]?.length, `${name}, ${title}: ${cells.join(' | ')}`);
  });
});

test('the installers name the address of package.json (npm run docs mends it)', async () => {
  for (const name of Object.keys(INSTALLERS)) assert.equal(await read(name), await upToDateInstaller(name));
});

test('a missing part of the README is noticed', () => {
  assert.throws(() => withPart('no parts', 'tools', 'x'), /no part "tools"/);
  assert.equal(
    withPart('a\n<!-- x: y -->\nold\n<!-- /x -->\nb', 'x', 'new'),
    'a\n<!-- x: y -->\n\nnew\n\n<!-- /x -->\nb',
  );
});

/** The words of a command line, with what is quoted in one piece. */
function wordsOf(line: string): string[] {
  return [...line.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(([, a, b, c]) => a ?? b ?? c ?? '');
}
