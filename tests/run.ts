/**
 * The test command.
 *
 *     npm test                      every tests/**\/*.test.ts except *.full.test.ts
 *     npm test -- shell patch       only files whose path contains one of the words
 *     npm run test:full             all of them, with LOCAL_CODER_TEST_FULL=1 (storms, races, all four shapes)
 *
 * Ends with node's own closing lines (`# tests N`, `# pass N`, …) and with the reasons of skipped tests. Fails when
 * a test fails, and when a test is skipped for a reason that tests/allowed-skips.json does not list.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { glob, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { Transform } from 'node:stream';
import { finished } from 'node:stream/promises';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';

/** Files at a time: e2e tests start programs of their own. */
const CONCURRENCY = 2;
const TEST_LIMIT_MS = 120_000;
/** More failing files than this are no accident. */
const MAX_SECOND_TRIES = 6;

interface Skip {
  readonly test: string;
  readonly file: string;
  readonly reason: string;
}

/** @returns the exit code */
async function main(args: readonly string[]): Promise<number> {
  const full = args.includes('--full');
  const words = args.filter((argument) => argument !== '--full');
  const unknown = words.find((word) => word.startsWith('-'));
  if (unknown !== undefined) {
    process.stderr.write(`Unknown option ${unknown}. Usage: npm test -- [--full] [WORD …]\n`);
    return 2;
  }
  const files = await testFiles(full, words);
  if (files.length === 0) {
    process.stderr.write(`No test file has ${words.map((word) => `"${word}"`).join(' or ')} in its path.\n`);
    return 2;
  }
  const homes = mkdtempSync(join(tmpdir(), 'local-coder-tests-'));
  process.env['LOCAL_CODER_TEST_HOMES'] = homes;
  if (full) process.env['LOCAL_CODER_TEST_FULL'] = '1';
  try {
    const first = await runFiles(files, CONCURRENCY);
    const again = worthAnotherTry(first) ? await runFiles([...first.failedFiles].sort(), 1) : undefined;
    if (again !== undefined) reportSecondTry(first.failedFiles, again.failedFiles);
    const unexpected = await reportSkips(first.skips);
    return (again ?? first).failed || unexpected ? 1 : 0;
  } finally {
    rmSync(homes, { recursive: true, force: true, maxRetries: 3 });
  }
}

async function testFiles(full: boolean, words: readonly string[]): Promise<string[]> {
  const files: string[] = [];
  for await (const path of glob('tests/**/*.test.ts')) {
    const file = path.replaceAll('\\', '/');
    if (!full && file.endsWith('.full.test.ts')) continue;
    if (words.length === 0 || words.some((word) => file.includes(word))) files.push(file);
  }
  return files.sort();
}

interface Outcome {
  readonly failed: boolean;
  readonly failedFiles: ReadonlySet<string>;
  readonly interrupted: boolean;
  readonly skips: readonly Skip[];
}

/**
 * Tests measure times and race processes, and a machine is rarely theirs alone. A few files that failed beside others
 * are run once more by themselves; what fails then has failed. What passed only then is named in the output.
 */
function worthAnotherTry({ failedFiles, interrupted }: Outcome): boolean {
  return !interrupted && failedFiles.size > 0 && failedFiles.size <= MAX_SECOND_TRIES;
}

function reportSecondTry(first: ReadonlySet<string>, second: ReadonlySet<string>): void {
  for (const file of first) {
    process.stdout.write(
      `failed at first, ${second.has(file) ? 'and again alone' : 'passed alone'}: ${file}\n`,
    );
  }
}

async function runFiles(files: readonly string[], concurrency: number): Promise<Outcome> {
  const skips: Skip[] = [];
  const failedFiles = new Set<string>();
  let failed = false;
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
  const events = run({
    files: files.map((file) => resolve(file)),
    concurrency,
    signal: stop.signal,
    execArgv: ['--import', './tests/support/isolated-home.ts', `--test-timeout=${TEST_LIMIT_MS}`],
  });
  events.on('test:fail', ({ todo, file }) => {
    if (todo !== undefined) return;
    failed = true;
    if (file !== undefined) failedFiles.add(relative('.', file));
  });
  events.on('test:pass', ({ name, file, skip }) => {
    if (skip === undefined) return;
    const reason = typeof skip === 'string' && skip !== '' ? skip : 'no reason given';
    skips.push({ test: name, file: relative('.', file ?? ''), reason });
  });
  const output = events.compose(spec).pipe(plainClosingLines());
  output.pipe(process.stdout, { end: false });
  await finished(output);
  const interrupted = stop.signal.aborted;
  return { failed: failed || interrupted, failedFiles, interrupted, skips };
}

/** Writes the closing lines as `# tests 3`, the form that tools read, where nobody watches a terminal. */
function plainClosingLines(): Transform {
  return new Transform({
    transform(chunk, _encoding, done) {
      const text = String(chunk);
      done(null, process.stdout.isTTY ? text : text.replace(/^ℹ (?=[a-z_]+ [\d.]+$)/gm, '# '));
    },
  });
}

/** @returns true when a test was skipped that may not be */
async function reportSkips(skips: readonly Skip[]): Promise<boolean> {
  const allowed = (
    JSON.parse(await readFile('tests/allowed-skips.json', 'utf8')) as { reason: string }[]
  ).map(({ reason }) => new RegExp(reason));
  let unexpected = false;
  for (const { test, file, reason } of skips) {
    const known = allowed.some((pattern) => pattern.test(reason));
    if (!known) unexpected = true;
    process.stdout.write(`skipped${known ? '' : ', which is not allowed'}: ${test} (${file}): ${reason}\n`);
  }
  return unexpected;
}

process.exitCode = await main(process.argv.slice(2));
