import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, realpath, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** A folder with a home beside it, so that the ignore rules of the machine that runs the tests play no part. */
export interface Tree {
  readonly root: string;
  write(path: string, content?: string | Uint8Array): Promise<void>;
  /** Sets when a file was last changed. */
  touch(path: string, seconds: number): Promise<void>;
  remove(): Promise<void>;
}

export async function makeTree(options: { git?: boolean } = {}): Promise<Tree> {
  const base = await realpath(await mkdtemp(join(tmpdir(), 'local-coder-search-')));
  const root = join(base, 'outer/repo');
  await mkdir(root, { recursive: true });
  await mkdir(join(base, 'home/.config/git'), { recursive: true });
  process.env['HOME'] = join(base, 'home');
  delete process.env['XDG_CONFIG_HOME'];
  if (options.git !== false) execFileSync('git', ['init', '-q', root]);
  return {
    root,
    async write(path, content = `text of ${path}\n`) {
      const file = join(root, path);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, content);
    },
    touch: (path, seconds) => utimes(join(root, path), seconds, seconds),
    remove: () => rm(base, { recursive: true, force: true }),
  };
}

/**
 * A tree of about `files` files with every kind of ignore rule that ripgrep knows, hidden files, links and loops,
 * odd names, and files in several encodings.
 */
export async function makeAgreementTree(files: number): Promise<Tree> {
  const tree = await makeTree();
  const rules: Record<string, string> = {
    '../.gitignore': '*.above-the-repository\n',
    '../.ignore': '*.outer\n',
    '../../home/.config/git/ignore': '*.global\n/anchored-global.txt\n',
    '.git/info/exclude': '*.excluded\n/only-here.txt\n',
    '.gitignore':
      '# comment\nnode_modules/\n/dist\n*.log\n!keep.log\nbuild/**\nvendor/*\n!vendor/kept\n*.{tmp,bak}\n!.shown/\ntrailing   \n\\#hash\n\\!bang\ndocs/**/draft-*\n[Tt]humbs.db\n',
    '.ignore': '*.ignored\n!important.excluded\n',
    '.rgignore': 'secret.*\n!special.ignored\n',
    'packages/.gitignore': '*.gen.ts\n!index.gen.ts\n/top.txt\n',
    'packages/p1/.gitignore': 'src/local/\n!*.log\n',
    'packages/p1/.ignore': 'p1-*.md\n',
    'nested/.gitignore': '*.n\n',
    'nested/.git/info/exclude': '*.nested-excluded\n',
  };
  for (const [path, content] of Object.entries(rules)) await tree.write(path, content);
  const names = [
    'a.above-the-repository',
    'a.outer',
    'a.global',
    'anchored-global.txt',
    'sub/anchored-global.txt',
    'x.excluded',
    'important.excluded',
    'only-here.txt',
    'sub/only-here.txt',
    'node_modules/dep/index.js',
    'sub/node_modules/d.js',
    'dist/out.js',
    'sub/dist/out.js',
    'dist',
    'a.log',
    'keep.log',
    'sub/keep.log',
    'build/x.js',
    'sub/build/x.js',
    'vendor/lib.js',
    'vendor/kept/lib.js',
    'a.tmp',
    'sub/b.bak',
    '.shown/inside.txt',
    '.hidden/inside.txt',
    '.env',
    '.env.local',
    'sub/.env',
    '.github/workflows/ci.yml',
    '.github/.cache/x.yml',
    'trailing',
    '#hash',
    '!bang',
    'docs/a/draft-1.md',
    'docs/draft-2.md',
    'docs/a/final.md',
    'Thumbs.db',
    'sub/thumbs.db',
    'a.ignored',
    'special.ignored',
    'secret.txt',
    'packages/a.gen.ts',
    'packages/index.gen.ts',
    'packages/top.txt',
    'packages/p1/top.txt',
    'packages/p1/src/local/x.ts',
    'packages/p1/a.log',
    'packages/p1/p1-a.md',
    'packages/p1/src/index.ts',
    'nested/a.n',
    'nested/a.log',
    'nested/b.nested-excluded',
    'nested/c.txt',
    'src/x.ts',
    'src/deep/er/y.ts',
    'src/z.tsx',
    'src/lib/[id].ts',
    'src/lib/{b}.ts',
    'src/lib/with space.ts',
    'src/ünïcödé/ß.ts',
    'src/-dash.ts',
    'src/quote".ts',
    'src/new\nline.ts',
    'src/UPPER.TS',
    'README.md',
    'Makefile',
  ];
  const taken = new Set<string>();
  for (const name of names.filter((each) => each !== 'dist')) {
    taken.add(name);
    await tree.write(
      name,
      `const name = 'alpha ${name.length}';\nfunction beta(x) { return ${name.length}; }\n`,
    );
  }
  const contents: Record<string, string | Uint8Array> = {
    'text/crlf.txt': 'alpha one\r\nbeta two\r\n\r\nalpha three\r\n',
    'text/no-end.txt': 'first\nalpha last',
    'text/empty.txt': '',
    'text/unicode.txt': 'Ünïcödé ALPHA\nstraße Σίσυφος\n日本語 テキスト\nnaïve café\n١٢٣ digits\n',
    'text/latin1.txt': Buffer.from('caf\xe9 alpha\nplain\n', 'latin1'),
    'text/utf16le.txt': Buffer.concat([
      Buffer.from([0xff, 0xfe]),
      Buffer.from('alpha utf16\nbeta é\n', 'utf16le'),
    ]),
    'text/bom.txt': '\ufeffalpha bom\nsecond\n',
    'text/binary.dat': Buffer.from('alpha\n\0\x01\x02beta\nalpha\n'),
    'text/late.dat': Buffer.concat([
      Buffer.from('alpha early\n'),
      Buffer.alloc(200_000, `${'filler '.repeat(100)}\n`),
      Buffer.from('\0alpha\n'),
    ]),
    'text/words.txt':
      'foo.bar foo-bar foo_bar\nfoo(bar) [foo] {foo}\na+b a*b ^caret $dollar\n\ttab\\slash "quoted"\n',
    'text/blocks.txt': 'begin\n  one\n  two\nend\nbegin\nend\nx\ny\nz\nbegin\n  three\nend\n',
    'text/numbers.txt': '1\n22\n333\n0xFF\n-1.5e10\n2024-01-31\n',
    'text/long.txt': `${'x'.repeat(5000)}alpha${'y'.repeat(5000)}\n`,
  };
  for (const [path, content] of Object.entries(contents)) await tree.write(path, content);
  await symlink('..', join(tree.root, 'src/loop'));
  await symlink('x.ts', join(tree.root, 'src/link.ts'));
  await symlink('nowhere', join(tree.root, 'src/dangling.ts'));
  const extensions = ['ts', 'js', 'md', 'json', 'log', 'gen.ts'];
  for (let index = 0; index < files - taken.size; index++) {
    const folder = `packages/p${index % 20}/src/m${Math.floor(index / 20) % 10}`;
    const extension = extensions[Math.floor(index / 7) % extensions.length];
    const body = index % 3 === 0 ? `alpha(${index});\n` : `value ${index} gamma\nBeta ${index % 5}\n`;
    await tree.write(`${folder}/f${index}.${extension}`, body);
  }
  return tree;
}
