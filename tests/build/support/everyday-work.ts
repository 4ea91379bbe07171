/** A little of everything that needs another part of the executable, asked for from outside. */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connect } from '../../support/clients.ts';
import { succeed } from '../../support/main-job.ts';

/**
 * Reads, writes, searches, outlines and runs through a server.
 *
 * @param url      of its MCP endpoint
 * @param folder   the served folder as it is called here
 * @param command  for run_command
 * @returns what the command printed
 */
export async function everydayWork(url: string, folder: string, command: string): Promise<string> {
  const client = await connect('v1', { url });
  try {
    const ok = succeed(client);
    assert.ok((await client.listTools()).some(({ name }) => name === 'apply_patch'));
    await writeFile(join(folder, 'given.ts'), 'export function needle(): number {\n  return 1;\n}\n');
    const read = await ok('read_text_file', { path: 'given.ts' });
    assert.match(read.bulk, /return 1;/);
    await ok('write_file', { path: 'made.txt', content: 'made inside\n' });
    assert.equal(await readFile(join(folder, 'made.txt'), 'utf8'), 'made inside\n');
    assert.match((await ok('grep', { pattern: 'needle' })).bulk, /1:export function needle/);
    assert.match((await ok('outline', { path: 'given.ts' })).bulk, /needle/);
    const ran = await ok('run_command', { command });
    assert.equal(ran.data['exit_code'], 0, ran.bulk);
    return ran.bulk;
  } finally {
    await client.close();
  }
}
