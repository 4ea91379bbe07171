/**
 *     node bench/start.ts [EXECUTABLE]
 *
 * What the executable adds to a start of its Node, in one run, taking turns: `--version` beside `node --version` (which
 * ends before V8 begins) and `node -e 0`; the first /health beside a bare HTTP server packed into the same Node.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { buildBareServer } from './bare/build.ts';

const ROUNDS = 30;
const ROOT = resolve(import.meta.dirname, '..');
const executable = resolve(
  process.argv[2] ?? join(ROOT, 'dist', process.platform === 'win32' ? 'local-coder.exe' : 'local-coder'),
);

async function main(): Promise<void> {
  const bareServer = await buildBareServer(ROOT);
  const home = await mkdtemp(join(tmpdir(), 'local-coder-bench-start-'));
  const samples = new Map<string, number[]>();
  const measure = async (name: string, run: () => unknown) => {
    const started = performance.now();
    await run();
    samples.set(name, [...(samples.get(name) ?? []), performance.now() - started]);
  };
  try {
    for (let round = 0; round < ROUNDS; round++) {
      await measure('node --version', () => spawnSync(process.execPath, ['--version']));
      await measure('node -e 0', () => spawnSync(process.execPath, ['-e', '0']));
      await measure('local-coder --version', () => spawnSync(executable, ['--version']));
      await measureHealth('bare HTTP server', bareServer, [], home, measure);
      await measureHealth('local-coder, /health', executable, ['--port', '0'], home, measure);
    }
  } finally {
    await rm(home, { recursive: true, force: true, maxRetries: 5 });
  }
  for (const [name, times] of samples) {
    const sorted = times.toSorted((a, b) => a - b);
    const [least = 0, median = 0] = [sorted[0], sorted[Math.floor(sorted.length / 2)]];
    process.stdout.write(`${name.padEnd(22)} least ${least.toFixed(1)} ms, median ${median.toFixed(1)} ms\n`);
  }
}

async function measureHealth(
  name: string,
  command: string,
  args: readonly string[],
  home: string,
  measure: (name: string, run: () => unknown) => Promise<void>,
): Promise<void> {
  let child: ReturnType<typeof spawn> | undefined;
  await measure(name, async () => {
    child = spawn(command, args, {
      cwd: home,
      env: { ...process.env, HOME: home, USERPROFILE: home },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    await answered(new URL('/health', await printedAddress(child)));
  });
  child?.kill('SIGTERM');
  if (child?.exitCode === null) await once(child, 'exit');
}

function printedAddress(child: ReturnType<typeof spawn>): Promise<string> {
  return new Promise((resolve, reject) => {
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (chunk: string) => {
        output += chunk;
        const found = /http:\/\/127\.0\.0\.1:\d+/.exec(output);
        if (found) resolve(found[0]);
      });
    }
    child.once('exit', () => reject(new Error(`It ended before it served: ${output}`)));
  });
}

function answered(url: URL): Promise<void> {
  return new Promise((resolve, reject) => {
    get(url, (response) => response.resume().once('end', resolve)).once('error', reject);
  });
}

await main();
