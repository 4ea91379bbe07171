/**
 * `node build/smoke.mjs PROGRAM [ARGUMENT …]`: the main job of a program that was built elsewhere, over stdio, on the
 * machine that it is for: a file is written, found, outlined; a command runs. Fails with the first thing that is wrong.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const LIMIT_MS = 60_000;
const SOURCE = 'export function needle(): number {\n  return 1;\n}\n';

/** @param {string} program  @param {readonly string[]} ahead arguments that come before those of local-coder */
async function smoke(program, ahead) {
  const { version } = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8'));
  expect('--version', printed(program, [...ahead, '--version']), version);
  expect('licenses', printed(program, [...ahead, 'licenses']), 'zod');

  const home = await mkdtemp(join(tmpdir(), 'local-coder-smoke-'));
  const folder = join(home, 'a project');
  await mkdir(folder);
  const server = spawn(
    program,
    [...ahead, '--stdio', '--workspace', folder, '--state-dir', join(home, 'state')],
    {
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  );
  const timer = setTimeout(() => server.kill(), LIMIT_MS);
  try {
    await useTools(connect(server), folder);
  } finally {
    server.stdin.end();
    if (server.exitCode === null && server.signalCode === null) await once(server, 'exit');
    clearTimeout(timer);
    await rm(home, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function useTools(request, folder) {
  const clientInfo = { name: 'smoke', version: '1' };
  await request('initialize', { protocolVersion: '2025-11-25', capabilities: {}, clientInfo });
  const { tools } = await request('tools/list', {});
  const call = async (name, args, wanted) => {
    const { content } = await request('tools/call', { name, arguments: args });
    const text = content.map((part) => part.text ?? '').join('\n');
    expect(name, text, '"ok":true');
    expect(name, text, wanted);
  };
  await call('write_file', { path: 'sample.ts', content: SOURCE }, 'Created');
  expect('the file', await readFile(join(folder, 'sample.ts'), 'utf8'), SOURCE);
  await call('grep', { pattern: 'needle' }, 'export function needle');
  await call('outline', { path: 'sample.ts' }, 'needle');
  await call('run_command', { command: 'echo smoke-42' }, 'smoke-42');
  process.stdout.write(`${tools.length} tools; write_file, grep, outline and run_command work\n`);
}

function printed(program, args) {
  const { status, stdout, stderr, error } = spawnSync(program, args, { encoding: 'utf8', timeout: LIMIT_MS });
  if (status !== 0) throw new Error(`${args.at(-1)}: exit code ${status} ${error?.message ?? stderr}`);
  return stdout;
}

function connect(server) {
  const waiting = new Map();
  createInterface({ input: server.stdout }).on('line', (line) => {
    const { id, result, error } = JSON.parse(line);
    if (error) waiting.get(id)?.reject(new Error(error.message));
    else waiting.get(id)?.resolve(result);
  });
  const fail = (error) => {
    for (const { reject } of waiting.values()) reject(error);
  };
  server.on('error', fail);
  server.on('exit', (code, signal) => fail(new Error(`it ended with ${signal ?? `exit code ${code}`}`)));
  let id = 0;
  return (method, params) => {
    id += 1;
    server.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`);
    return new Promise((resolve, reject) => waiting.set(id, { resolve, reject }));
  };
}

function expect(what, text, wanted) {
  if (!text.includes(wanted)) throw new Error(`${what} does not say "${wanted}":\n${text.slice(0, 2000)}`);
}

const [program, ...ahead] = process.argv.slice(2);
try {
  if (program === undefined) throw new Error('node build/smoke.mjs PROGRAM [ARGUMENT …]');
  await smoke(program, ahead);
} catch (error) {
  process.stderr.write(`smoke: ${error.message}\n`);
  process.exitCode = 1;
}
