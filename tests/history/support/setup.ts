import { mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { createHistory, type HistoryOptions } from '../../../src/history/index.ts';
import { changeFile, realTarget, Workspace } from '../../../src/workspace/index.ts';

/** A served folder with a state folder of its own; removed after the tests of the file. */
export async function setUp(options: Partial<HistoryOptions> & { mode?: Workspace['accessMode'] } = {}) {
  const base = await mkdtemp(join(tmpdir(), 'local-coder-history-'));
  after(() => rm(base, { recursive: true, force: true }));
  const root = join(base, 'work');
  const stateDir = join(base, 'state');
  await Promise.all([mkdir(root), mkdir(stateDir, { mode: 0o700 })]);
  return { base, root, stateDir, ...open(root, stateDir, options) };
}

/** Another instance over the same folders. */
export function open(
  root: string,
  stateDir: string,
  options: Partial<HistoryOptions> & { mode?: Workspace['accessMode'] } = {},
) {
  const workspace = new Workspace({
    roots: [root],
    accessMode: options.mode ?? 'full',
    protectedPaths: [stateDir],
  });
  const history = createHistory({ stateDir, workspace, ...options });
  after(() => history.close());

  /** One call of a tool that writes a file. */
  async function write(name: string, content: string | Buffer, conversation?: string) {
    const recorder = history.recorder({ tool: 'write_file', conversation });
    const bytes = Buffer.from(content);
    const file = await realTarget({ path: join(root, name), shown: name });
    await changeFile(file, { recorder }, async () => ({ bytes, outcome: undefined }));
    return recorder.outcome();
  }

  /** The same, for tests that need its checkpoint. */
  async function checkpoint(name: string, content: string | Buffer): Promise<string> {
    const { checkpointId } = await write(name, content);
    if (checkpointId === undefined) throw new Error(`${name} was not recorded`);
    return checkpointId;
  }

  return { workspace, history, write, checkpoint };
}

export const ORIGIN = { tool: 'rewind', conversation: undefined };

/** Bytes that the files below a folder take on the disk. */
export async function diskBytes(folder: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    if (entry.isFile()) bytes += (await stat(join(entry.parentPath, entry.name))).blocks * 512;
  }
  return bytes;
}
