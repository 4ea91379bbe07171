/**
 * Another instance in the middle of a change: records that a file becomes "theirs", prints `held`, and makes the change
 * when it is told to on its standard input. Arguments: root, state folder, file.
 */
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createHistory } from '../../../src/history/index.ts';
import { Workspace } from '../../../src/workspace/index.ts';

const [root = '', stateDir = '', path = ''] = process.argv.slice(2);
const workspace = new Workspace({ roots: [root], accessMode: 'full', protectedPaths: [stateDir] });
const recorder = createHistory({ stateDir, workspace }).recorder({ tool: 'other', conversation: undefined });
const after = Buffer.from('theirs\n');
const before = await readFile(path);
const record = await recorder.prepare([{ path, before, after, kind: 'replace' }], undefined);
process.stdout.write('held');
await once(process.stdin, 'data');
await writeFile(path, after);
await record.committed();
process.exit(0);
