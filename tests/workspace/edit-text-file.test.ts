import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmod,
  chown,
  link,
  lstat,
  mkdir,
  open,
  readdir,
  readFile,
  readlink,
  rename,
  stat,
  symlink,
  truncate,
  unlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { isDeno } from '../../src/runtime/platform.ts';
import {
  changeFile,
  decodeText,
  editTextFile,
  encodeText,
  type FileChange,
  type FileChangeRecorder,
  recoverTransactions,
  sha256Hex,
  type TextEncoding,
  writeTextFile,
} from '../../src/workspace/index.ts';
import { seeded } from '../support/seeded.ts';
import { failure, toolBench } from '../support/tool-context.ts';

const isWindows = process.platform === 'win32';
const EVALUATE = isDeno ? ['eval'] : ['--input-type=module', '-e'];

async function folder(t: TestContext) {
  const { root } = await toolBench(t);
  const ref = (name: string) => ({ path: join(root, name), shown: name });
  return {
    root,
    ref,
    at: (name: string) => join(root, name),
    edit: (name: string, change: (text: string) => string | Promise<string>) =>
      editTextFile(ref(name), {}, async (text) => ({ text: await change(text), outcome: undefined })),
    /** What is in the folder; a temporary file left behind would show. */
    names: () => readdir(root),
  };
}

test('every byte outside the edit survives: encodings × line ends × final newline × edits (seeded)', async (t) => {
  const { at, edit } = await folder(t);
  const random = seeded(2026);
  const words = ['alpha', 'beta', 'ä', 'é ß', '\t', '\f', '\r', 'x\ry', ''];
  const wide = [...words, '🙂', '\u2028', '漢字', '\uFEFF'];
  const encodings: TextEncoding[] = ['utf-8', 'utf-8-bom', 'utf-16le', 'utf-16be', 'windows-1252'];
  let cases = 0;
  for (let round = 0; round < 1_500; round++) {
    const encoding = random.pick(encodings);
    const vocabulary = encoding === 'windows-1252' ? words : wide;
    const ends = random.pick([['\n'], ['\r\n'], ['\n', '\r\n']]);
    let text = encoding === 'windows-1252' ? 'é' : '';
    for (let i = random.int(12); i >= 0; i--) {
      text += random.pick(vocabulary) + (i > 0 || random.int(2) ? random.pick(ends) : '');
    }
    if (encoding === 'utf-8' && text.startsWith('\uFEFF')) text = text.slice(1);
    const bytes = encodeText(text, encoding);
    const path = at('file.txt');
    await writeFile(path, bytes);
    const start = random.int(text.length + 1);
    const end = start + random.int(text.length - start + 1);
    const inserted = random.pick(vocabulary);
    const after = text.slice(0, start) + inserted + text.slice(end);
    // An edit through the middle of a pair makes text that UTF-8 has no form for; that is its own test.
    if (!after.isWellFormed()) continue;
    await edit('file.txt', (old) => {
      assert.equal(old, text);
      return after;
    });
    assert.deepEqual(await readFile(path), encodeText(after, encoding), `round ${round}`);
    cases++;
  }
  t.diagnostic(`${cases} cases`);
  assert.ok(cases > 1_300);
});

test('raw bytes around an edit of an 8-bit file are untouched (all 255 values)', async (t) => {
  const { at, edit } = await folder(t);
  const high = Buffer.from(Array.from({ length: 128 }, (_, i) => 128 + i));
  const before = Buffer.concat([high, Buffer.from('MARK'), high]);
  await writeFile(at('f'), before);
  await edit('f', (text) => text.replace('MARK', 'über “x”'));
  assert.deepEqual(
    await readFile(at('f')),
    Buffer.concat([high, Buffer.from('\xfcber \x93x\x94', 'latin1'), high]),
  );
});

test('mode, also set-user-id and bits that the umask takes, and the owner are kept', async (t) => {
  if (isWindows) return t.skip('Windows has no modes');
  const { at, edit } = await folder(t);
  for (const mode of [0o755, 0o644, 0o600, 0o777, 0o4755, 0o660]) {
    await writeFile(at('f'), 'a');
    await chmod(at('f'), mode);
    await edit('f', () => `b${mode}`);
    assert.equal((await stat(at('f'))).mode & 0o7777, mode, mode.toString(8));
    await unlink(at('f'));
  }
  if (process.getuid?.() !== 0) return t.diagnostic('only root can give files away');
  await writeFile(at('g'), 'a');
  await chown(at('g'), 1234, 4321);
  await edit('g', () => 'b');
  const { uid, gid } = await stat(at('g'));
  assert.deepEqual([uid, gid], [1234, 4321]);
});

test('a new file has the mode that any program would give it', async (t) => {
  if (isWindows) return t.skip('Windows has no modes');
  const { at, ref } = await folder(t);
  await writeTextFile(ref('deep/er/new.txt'), 'x', {});
  assert.equal((await stat(at('deep/er/new.txt'))).mode & 0o777, 0o666 & ~process.umask());
});

test('a symlink stays and its target is edited; a dangling one is refused', async (t) => {
  const { at, edit, ref, names } = await folder(t);
  await mkdir(at('elsewhere'));
  await writeFile(at('elsewhere/real.txt'), 'old');
  await symlink(join('elsewhere', 'real.txt'), at('link.txt'));
  await edit('link.txt', () => 'new');
  assert.equal(await readlink(at('link.txt')), join('elsewhere', 'real.txt'));
  assert.equal(await readFile(at('elsewhere/real.txt'), 'utf8'), 'new');
  await symlink('nowhere', at('dangling'));
  const error = await failure(writeTextFile(ref('dangling'), 'x', {}), 'UNSUPPORTED_FILE');
  assert.match(error.message, /"nowhere", which does not exist/);
  await symlink('loop', at('loop'));
  await failure(writeTextFile(ref('loop'), 'x', {}), 'UNSUPPORTED_FILE');
  assert.deepEqual((await names()).sort(), ['dangling', 'elsewhere', 'link.txt', 'loop']);
});

test('all names of a hard-linked file show the edit', async (t) => {
  const { at, edit, names } = await folder(t);
  await writeFile(at('a'), 'a much longer text than the new one');
  await link(at('a'), at('b'));
  await edit('a', () => 'short');
  assert.equal(await readFile(at('b'), 'utf8'), 'short');
  assert.equal((await stat(at('a'))).nlink, 2);
  await edit('b', () => 'longer again, and then some');
  assert.equal(await readFile(at('a'), 'utf8'), 'longer again, and then some');
  assert.deepEqual(await names(), ['a', 'b']);
});

test('killed half way through overwriting a hard-linked file: the next start makes it whole', async (t) => {
  if (isWindows || isDeno) return t.skip('the child is broken into by a preload that works in Node on POSIX');
  const { at, names, root } = await folder(t);
  const stateDir = join(root, '../state');
  const old = Array.from({ length: 20_000 }, (_, i) => `line ${i}\n`).join('');
  await writeFile(at('a'), old);
  await link(at('a'), at('b'));
  const index = new URL('../../src/workspace/index.ts', import.meta.url).href;
  const source = `
    const { editTextFile } = await import(${JSON.stringify(index)});
    const file = { path: ${JSON.stringify(at('a'))}, shown: 'a' };
    const options = { stateDir: ${JSON.stringify(stateDir)} };
    await editTextFile(file, options, (text) => ({ text: 'a new first line\\n' + text, outcome: undefined }));`;
  const preload = new URL('./transaction-support/kill-half-written.mjs', import.meta.url).href;
  const child = spawn(process.execPath, ['--import', preload, ...EVALUATE, source], {
    env: { ...process.env, HALF_WRITTEN: at('a') },
    stdio: 'inherit',
  });
  const [, signal] = await once(child, 'exit');
  assert.equal(signal, 'SIGKILL');
  const torn = await readFile(at('a'), 'utf8');
  assert.ok(torn !== old && torn !== `a new first line\n${old}`, 'it was caught in the middle');
  const [recovered] = await recoverTransactions(stateDir);
  assert.equal(recovered?.outcome, 'finished');
  assert.equal(await readFile(at('b'), 'utf8'), `a new first line\n${old}`);
  assert.deepEqual(await names(), ['a', 'b']);
});

test('50 concurrent edits of one file, through different names, lose none', async (t) => {
  const { at, edit } = await folder(t);
  await writeFile(at('count'), '');
  await symlink('count', at('alias'));
  const edits = Array.from({ length: 50 }, (_, i) =>
    edit(i % 2 ? 'count' : 'alias', (text) => `${text}${i}\n`),
  );
  await Promise.all(edits);
  const lines = (await readFile(at('count'), 'utf8')).trimEnd().split('\n');
  assert.deepEqual(
    lines.map(Number).sort((a, b) => a - b),
    Array.from({ length: 50 }, (_, i) => i),
  );
});

test('a failing edit frees the lock, and edits of other files do not wait', async (t) => {
  const { at, edit } = await folder(t);
  await writeFile(at('a'), '1');
  await writeFile(at('b'), '1');
  await assert.rejects(
    edit('a', () => {
      throw new Error('no');
    }),
    /no/,
  );
  let release!: () => void;
  const slow = edit('a', () => new Promise((resolve) => (release = () => resolve('2'))));
  await edit('b', () => '2');
  release();
  await slow;
  assert.equal(await readFile(at('a'), 'utf8'), '2');
});

test('a change by another program between reading and writing is noticed, whatever it left alike', async (t) => {
  const { at, edit, names } = await folder(t);
  const meddlers: [string, () => Promise<unknown>][] = [
    ['other text', () => writeFile(at('f'), 'other text')],
    ['same size, within one clock tick', () => writeFile(at('f'), 'tampered')],
    [
      'same size and the same time stamp',
      async () => {
        const { atime, mtime } = await stat(at('f'));
        await writeFile(at('f'), 'tampered');
        await utimes(at('f'), atime, mtime);
      },
    ],
    [
      'an old file rewritten with its time stamp set back',
      async () => {
        await writeFile(at('f'), 'tampered');
        await utimes(at('f'), 1_000, 1_000);
      },
    ],
    [
      'replaced by a rename',
      async () => {
        await writeFile(at('n'), 'tampered');
        await rename(at('n'), at('f'));
      },
    ],
    ['deleted', () => unlink(at('f'))],
  ];
  for (const [name, meddle] of meddlers) {
    // Deno gives change times in whole seconds, which this one case needs finer.
    if (isDeno && name.startsWith('an old file')) continue;
    await writeFile(at('f'), 'original');
    if (name.startsWith('an old file')) await utimes(at('f'), 1_000, 1_000);
    const editing = edit('f', async (text) => {
      await meddle();
      return `${text} edited`;
    });
    await failure(editing, 'CHANGED_ON_DISK').catch((error: Error) =>
      assert.fail(`${name}: ${error.message}`),
    );
    const left = await readFile(at('f'), 'utf8').catch(() => undefined);
    assert.ok(left === undefined || left === 'other text' || left === 'tampered', name);
    for (const found of await names()) assert.equal(found, 'f', name);
  }
});

test('a file that somebody else creates meanwhile is not overwritten', async (t) => {
  const { at, ref } = await folder(t);
  const writing = changeFile(ref('new'), {}, async () => {
    await writeFile(at('new'), 'theirs');
    return { bytes: Buffer.from('ours'), outcome: undefined };
  });
  await failure(writing, 'CHANGED_ON_DISK');
  assert.equal(await readFile(at('new'), 'utf8'), 'theirs');
});

test('expected_sha256', async (t) => {
  const { at, ref } = await folder(t);
  await writeFile(at('f'), 'a');
  const sha = sha256Hex(Buffer.from('a'));
  const written = await writeTextFile(ref('f'), 'b', { expectedSha256: sha.toUpperCase() });
  assert.equal(written.sha256Before, sha);
  assert.equal(written.sha256, sha256Hex(Buffer.from('b')));
  const error = await failure(writeTextFile(ref('f'), 'c', { expectedSha256: sha }), 'CHANGED_ON_DISK');
  assert.equal(error.details?.['sha256'], written.sha256);
  await failure(writeTextFile(ref('missing'), 'c', { expectedSha256: sha }), 'CHANGED_ON_DISK');
  await assert.rejects(lstat(at('missing')));
});

test('a file above the bound is refused for editing and can still be replaced', async (t) => {
  const { at, edit, ref } = await folder(t);
  await writeFile(at('big'), 'text\n');
  await truncate(at('big'), 64 * 1024 * 1024 + 1);
  const error = await failure(
    edit('big', () => ''),
    'TOO_LARGE',
  );
  assert.match(error.message, /above 64 MiB/);
  const written = await writeTextFile(ref('big'), 'small', {});
  assert.equal(written.sizeBytes, 5);
});

test('directories, pipes, binary files, write-protected files are refused', async (t) => {
  const { at, edit, ref, root } = await folder(t);
  await mkdir(at('dir'));
  await failure(writeTextFile(ref('dir'), 'x', {}), 'IS_A_DIRECTORY');
  await writeFile(at('file'), 'x');
  await failure(writeTextFile(ref('file/below'), 'x', {}), 'NOT_A_DIRECTORY');
  await writeFile(at('bin'), Buffer.from([0, 1, 2]));
  await failure(
    edit('bin', () => ''),
    'BINARY_FILE',
  );
  await failure(
    edit('missing', () => ''),
    'FILE_NOT_FOUND',
  );
  await failure(writeTextFile(ref(`${'n'.repeat(300)}`), 'x', {}), 'INVALID_PARAMS');
  if (isWindows) return t.skip('no pipes on Windows');
  await run('mkfifo', [at('pipe')]);
  await failure(writeTextFile(ref('pipe'), 'x', {}), 'UNSUPPORTED_FILE');
  assert.deepEqual((await readdir(root)).sort(), ['bin', 'dir', 'file', 'pipe']);
});

test('a read-only folder and a write-protected file: denied for an ordinary user, nothing left', async (t) => {
  if (process.getuid?.() !== 0) {
    const { at, edit, ref, names } = await folder(t);
    await mkdir(at('closed'));
    await writeFile(at('closed/f'), 'x');
    await writeFile(at('protected'), 'x');
    await chmod(at('protected'), 0o444);
    await chmod(at('closed'), 0o555);
    await failure(
      edit('protected', () => 'y'),
      'PERMISSION_DENIED',
    );
    // Open again before anything is asserted: the folder is removed before hooks of this test run.
    const closed = await writeTextFile(ref('closed/f'), 'y', {})
      .catch((error: unknown) => error)
      .finally(() => chmod(at('closed'), 0o755));
    await failure(Promise.reject(closed), 'PERMISSION_DENIED');
    assert.deepEqual((await names()).sort(), ['closed', 'protected']);
    return;
  }
  // Root may write everywhere, so the same is tried by a process that gave its rights away.
  const { at, root } = await folder(t);
  await mkdir(at('closed'));
  await writeFile(at('closed/f'), 'x');
  await writeFile(at('protected'), 'x');
  await chown(at('protected'), 1234, 1234);
  await chmod(at('protected'), 0o444);
  await chmod(join(root, '..'), 0o755);
  await chown(root, 1234, 1234);
  const source = `
    import { writeTextFile } from ${JSON.stringify(import.meta.resolve('../../src/workspace/index.ts'))};
    process.setgid(1234); process.setuid(1234);
    for (const name of ['closed/f', 'closed/new', 'protected']) {
      const path = ${JSON.stringify(root)} + '/' + name;
      await writeTextFile({ path, shown: name }, 'y', {}).then(() => console.log(name, 'written'), (e) => console.log(name, e.code));
    }`;
  const output = await run(process.execPath, [...EVALUATE, source]);
  assert.equal(
    output,
    'closed/f PERMISSION_DENIED\nclosed/new PERMISSION_DENIED\nprotected PERMISSION_DENIED\n',
  );
  assert.deepEqual(await readdir(at('closed')), ['f']);
  assert.deepEqual((await readdir(root)).sort(), ['closed', 'protected']);
});

test('a write-protected file stays as it is, whichever tool is asked; a half deleted folder is told', async (t) => {
  if (isWindows) return t.skip('no such modes on Windows');
  const { at, root } = await folder(t);
  await writeFile(at('protected'), 'x');
  await chmod(at('protected'), 0o444);
  await writeFile(at('source'), 'y');
  await mkdir(at('tree/closed'), { recursive: true });
  await writeFile(at('tree/closed/f'), 'x');
  await writeFile(at('tree/open'), 'x');
  await chmod(at('tree/closed'), 0o555);
  const isRoot = process.getuid?.() === 0;
  if (isRoot) {
    await chmod(join(root, '..'), 0o755);
    await chmod(join(root, '../state'), 0o777);
    for (const name of ['', 'protected', 'source', 'tree', 'tree/closed']) await chown(at(name), 1234, 1234);
  }
  // Root may write everywhere, so it is tried by a process that gave its rights away.
  const source = `
    const { commitFiles, copyFileTo, deleteDirectory, takeSnapshot } =
      await import(${JSON.stringify(import.meta.resolve('../../src/workspace/index.ts'))});
    if (${isRoot}) { process.setgid(1234); process.setuid(1234); }
    const ref = (name) => ({ path: ${JSON.stringify(root)} + '/' + name, shown: name });
    const file = ref('protected');
    const commit = { file, before: await takeSnapshot(file, 100), after: { type: 'file', content: Buffer.from('y') } };
    const refused = (promise) => promise.then(() => console.log('done'), (e) => console.log(e.code, e.message));
    await refused(commitFiles([commit], { stateDir: ${JSON.stringify(join(root, '../state'))} }));
    await refused(copyFileTo(ref('source'), file, { overwrite: true }));
    await refused(deleteDirectory(ref('tree'), {}));`;
  const output = await run(process.execPath, [...EVALUATE, source]).finally(() =>
    chmod(at('tree/closed'), 0o755),
  );
  const lines = output.trimEnd().split('\n');
  assert.match(lines[0] ?? '', /^PERMISSION_DENIED "protected" is write-protected \(mode 444\)/);
  assert.match(lines[1] ?? '', /^PERMISSION_DENIED "protected" is write-protected \(mode 444\)/);
  assert.match(
    lines[2] ?? '',
    /^PERMISSION_DENIED .* Before that, 1 of the 3 entries in "tree" were deleted/,
  );
  assert.equal(lines.length, 3);
  assert.equal(await readFile(at('protected'), 'utf8'), 'x');
});

test('a full disk: DISK_FULL, the old text stays, no temporary file', async (t) => {
  const { at, edit, ref } = await folder(t);
  await mkdir(at('disk'));
  const isMounted = await run('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'none', at('disk')]).then(
    () => true,
    () => false,
  );
  if (!isMounted) return t.skip('a small file system cannot be mounted here');
  try {
    await writeFile(at('disk/f'), 'old text');
    await writeFile(at('disk/l1'), 'old text');
    await link(at('disk/l1'), at('disk/l2'));
    await failure(
      edit('disk/f', () => 'x'.repeat(400_000)),
      'DISK_FULL',
    );
    await failure(
      edit('disk/l1', () => 'x'.repeat(400_000)),
      'DISK_FULL',
    );
    await failure(writeTextFile(ref('disk/new'), 'x'.repeat(400_000), {}), 'DISK_FULL');
    assert.equal(await readFile(at('disk/f'), 'utf8'), 'old text');
    assert.equal(await readFile(at('disk/l2'), 'utf8'), 'old text');
    assert.deepEqual((await readdir(at('disk'))).sort(), ['f', 'l1', 'l2']);
  } finally {
    await run('umount', [at('disk')]);
  }
});

test('a reader sees the old or the new text, whole, at every moment', async (t) => {
  const { at, edit } = await folder(t);
  const versions = ['a', 'b'].map((char) => char.repeat(300_000));
  await writeFile(at('f'), versions[0]!);
  let done = false;
  const reader = (async () => {
    let reads = 0;
    while (!done) {
      const text = await readFile(at('f'), 'utf8');
      assert.ok(versions.includes(text), `torn: ${text.length}`);
      reads++;
    }
    return reads;
  })();
  for (let i = 1; i <= 60; i++) await edit('f', () => versions[i % 2]!);
  done = true;
  assert.ok((await reader) > 10);
});

test('killed while writing: the file is old or new, whole', async (t) => {
  const { at, root } = await folder(t);
  const versions = ['a', 'b'].map((char) => char.repeat(2_000_000));
  await writeFile(at('f'), versions[0]!);
  const source = `
    import { writeTextFile } from ${JSON.stringify(import.meta.resolve('../../src/workspace/index.ts'))};
    process.stdout.write('go');
    for (let i = 1; ; i++) await writeTextFile({ path: ${JSON.stringify(join(root, 'f'))}, shown: 'f' }, 'ab'[i % 2].repeat(2_000_000), {});`;
  const random = seeded(9);
  for (let round = 0; round < 6; round++) {
    const child: ChildProcess = spawn(process.execPath, [...EVALUATE, source], {
      stdio: 'pipe',
    });
    await once(child.stdout!, 'data');
    await new Promise((resolve) => setTimeout(resolve, random.int(40)));
    child.kill('SIGKILL');
    await once(child, 'close');
    assert.ok(versions.includes(await readFile(at('f'), 'utf8')));
  }
});

test('a recorder sees each change before it happens and can refuse it', async (t) => {
  const { at, ref } = await folder(t);
  await writeFile(at('f'), 'old');
  const events: string[] = [];
  const recorder: FileChangeRecorder = {
    async prepare(changes: readonly FileChange[]) {
      const [change] = changes;
      events.push(
        `${change?.kind} ${change?.before} → ${change?.after}; there: ${await readFile(at('f'), 'utf8')}`,
      );
      if (change?.after?.equals(Buffer.from('forbidden'))) throw new Error('cannot be recorded');
      return {
        checkpointId: 'c1',
        committed: async () => void events.push('committed'),
        abandoned: async () => void events.push('abandoned'),
      };
    },
  };
  const written = await writeTextFile(ref('f'), 'new', { recorder });
  assert.equal(written.checkpointId, 'c1');
  await assert.rejects(writeTextFile(ref('f'), 'forbidden', { recorder }), /cannot be recorded/);
  await writeTextFile(ref('f'), 'new', { recorder });
  assert.deepEqual(events, [
    'replace old → new; there: old',
    'committed',
    'replace new → forbidden; there: new',
  ]);
  assert.equal(await readFile(at('f'), 'utf8'), 'new');
});

test('cancelled while waiting for the lock: nothing is written, the others go on', async (t) => {
  const { at, edit, ref } = await folder(t);
  await writeFile(at('f'), '0');
  let release!: () => void;
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
  const first = edit('f', () => {
    begin();
    return new Promise((resolve) => (release = () => resolve('1')));
  });
  await begun;
  const controller = new AbortController();
  const second = writeTextFile(ref('f'), 'never', { signal: controller.signal });
  const third = edit('f', (text) => `${text}3`);
  controller.abort(new Error('cancelled'));
  await assert.rejects(second, /cancelled/);
  release();
  await Promise.all([first, third]);
  assert.equal(await readFile(at('f'), 'utf8'), '13');
});

test('write_file to an 8-bit file: a text that would be read back as another one becomes UTF-8', async (t) => {
  const { at, ref } = await folder(t);
  for (const text of ['Ã© here', 'â‚¬', 'é\u0081', '\u0001\u0002é', 'plain']) {
    await writeFile(at('f'), Buffer.from([0x63, 0x61, 0x66, 0xe9]));
    await writeTextFile(ref('f'), text, {});
    assert.equal(decodeText(await readFile(at('f')))?.text, text, JSON.stringify(text));
  }
});

test('write_file keeps what reading hides: byte order mark, UTF-16, an 8-bit encoding that can hold it', async (t) => {
  const { at, ref } = await folder(t);
  const cases: [TextEncoding, string, TextEncoding][] = [
    ['utf-16le', 'neu ü\r\n', 'utf-16le'],
    ['utf-16be', '漢', 'utf-16be'],
    ['utf-8-bom', 'x', 'utf-8-bom'],
    ['windows-1252', 'ü', 'windows-1252'],
    ['windows-1252', '漢', 'utf-8'],
  ];
  for (const [before, text, after] of cases) {
    await writeFile(at('f'), encodeText('é', before));
    const { outcome } = await writeTextFile(ref('f'), text, {});
    assert.equal(outcome.encoding, after);
    assert.deepEqual(decodeText(await readFile(at('f'))), { text, encoding: after });
  }
});

test('cost of an edit (timing only)', async (t) => {
  const { at, edit, ref } = await folder(t);
  const text = 'const value = compute(1, 2, 3);\n'.repeat(200);
  await writeFile(at('f'), text);
  const median = async (act: (i: number) => Promise<unknown>) => {
    const times: number[] = [];
    for (let i = 0; i < 200; i++) {
      const started = performance.now();
      await act(i);
      times.push(performance.now() - started);
    }
    return times.sort((a, b) => a - b)[100]!.toFixed(3);
  };
  const edited = await median((i) => edit('f', () => `${text}${i}`));
  const written = await median((i) => writeTextFile(ref('f'), `${text}${i}`, {}));
  const plain = await median((i) => writeFile(at('g'), `${text}${i}`));
  const synced = await median(async (i) => {
    const handle = await open(at('g'), 'w');
    await handle.writeFile(`${text}${i}`);
    await handle.datasync();
    await handle.close();
  });
  t.diagnostic(
    `p50 of a 200-line file: edit ${edited} ms, write ${written} ms; fs.writeFile ${plain} ms, with fdatasync ${synced} ms`,
  );
});

async function run(file: string, args: string[]): Promise<string> {
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  let errors = '';
  child.stdout.on('data', (chunk) => (output += chunk));
  child.stderr.on('data', (chunk) => (errors += chunk));
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`${file}: ${errors}`);
  return output;
}
