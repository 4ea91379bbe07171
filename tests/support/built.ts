/** Builds dist/ when it is missing or older than what it is made of, once, however many test files ask at a time. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { glob, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';

export const ROOT = resolve(import.meta.dirname, '../..');
export const BUNDLE = join(ROOT, 'dist/local-coder.cjs');
export const EXECUTABLE = join(
  ROOT,
  'dist',
  process.platform === 'win32' ? 'local-coder.exe' : 'local-coder',
);

const SOURCES = ['src/**', 'build/**', 'build.mjs', 'sea-config.json', 'package.json'];
const LOCK = join(ROOT, 'dist/test-build.lock');
const BUILD_LIMIT_MS = 180_000;

let built: Promise<void> | undefined;

/** @throws when the build fails, with what it printed */
export function ensureBuilt(): Promise<void> {
  built ??= build();
  return built;
}

async function build(): Promise<void> {
  if (await isFresh()) return;
  await mkdir(join(ROOT, 'dist'), { recursive: true });
  await takeLock();
  try {
    // Another test file may have built it while this one waited.
    if (await isFresh()) return;
    await promisify(execFile)(process.execPath, ['build.mjs'], { cwd: ROOT, timeout: BUILD_LIMIT_MS });
  } finally {
    await rm(LOCK, { force: true });
  }
}

async function isFresh(): Promise<boolean> {
  if (!existsSync(EXECUTABLE) || !existsSync(BUNDLE)) return false;
  let startedAtMs: number;
  try {
    startedAtMs = Date.parse(await readFile(join(ROOT, 'dist/build/started-at'), 'utf8'));
  } catch {
    return false;
  }
  for await (const path of glob(SOURCES, { cwd: ROOT })) {
    if ((await stat(join(ROOT, path))).mtimeMs > startedAtMs) return false;
  }
  return true;
}

async function takeLock(): Promise<void> {
  const untilMs = Date.now() + 2 * BUILD_LIMIT_MS;
  while (!(await tryLock())) {
    if (Date.now() > untilMs) throw new Error(`Another test run has been building for too long (${LOCK}).`);
    await delay(100);
  }
}

async function tryLock(): Promise<boolean> {
  try {
    await writeFile(LOCK, String(process.pid), { flag: 'wx' });
    return true;
  } catch {
    await removeStaleLock();
    return false;
  }
}

/** Removes the lock of a test process that ended without doing so. */
async function removeStaleLock(): Promise<void> {
  try {
    const pid = Number(await readFile(LOCK, 'utf8'));
    if (pid > 0) process.kill(pid, 0);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') await rm(LOCK, { force: true });
  }
}
