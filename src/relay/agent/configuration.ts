import { randomBytes } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { EXIT, UsageError } from '../../config/usage-error.ts';
import { systemCode } from '../../runtime/errors.ts';
import { fromCarried, toCarried } from '../../runtime/portable.ts';
import { openDatabase } from '../../runtime/sqlite.ts';
import { writePrivateFile } from '../../tunnel/private-file.ts';
import { MAX_WORKSPACES_PER_AGENT } from '../protocol.ts';

const credential = z.object({
  agentId: z.string().min(1),
  agentToken: z.string().min(1),
  /** Where the relay is, without a slash at the end. */
  serverBaseUrl: z.string().min(1),
  /** As the relay named them when the agent was paired; for people. */
  account: z.string().optional(),
  agentDisplayName: z.string().optional(),
});
export type AgentCredential = z.infer<typeof credential>;

const workspace = z.object({
  workspaceId: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/),
  displayName: z.string().min(1).max(120),
  /** Real, absolute; in the file of a portable run relative to the program's folder (runtime/portable.ts). */
  rootPath: z.string().min(1),
  accessMode: z.literal('read_only'),
  languages: z.array(z.string().min(1).max(40)).max(20).optional(),
  /** Patterns of what is not shown, in the syntax of .gitignore, after the default ones. */
  ignore: z.array(z.string()).optional(),
});
export type AgentWorkspace = z.infer<typeof workspace>;

const configuration = z.object({
  agent: credential.optional(),
  workspaces: z.array(workspace).max(MAX_WORKSPACES_PER_AGENT).default([]),
});
export type AgentConfiguration = z.infer<typeof configuration>;

/** In the state folder, which no tool shows. */
export function configurationFile(stateDir: string): string {
  return join(stateDir, 'agent.json');
}

/**
 * @returns an empty configuration where there is none yet
 * @throws {UsageError} naming what is wrong with the file
 */
export async function readConfiguration(stateDir: string): Promise<AgentConfiguration> {
  const file = configurationFile(stateDir);
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return { workspaces: [] };
    throw unusable(file, systemCode(error) ?? String(error));
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw unusable(file, 'it is not valid JSON');
  }
  const parsed = configuration.safeParse(json);
  if (parsed.success) return withRoots(parsed.data, (path) => fromCarried(path, stateDir));
  const issue = parsed.error.issues[0];
  throw unusable(file, `"${issue?.path.join('.')}": ${issue?.message}`);
}

/**
 * Changes the configuration. Commands that run at the same time wait for each other: neither loses what the other did.
 * @param change gets the present one and returns the new one
 */
export function changeConfiguration(
  stateDir: string,
  change: (present: AgentConfiguration) => AgentConfiguration,
): Promise<void> {
  // Within one process one after the other: waiting for the lock below stops everything else.
  const done = lastChange.then(() => changeAlone(stateDir, change));
  lastChange = done.catch(() => {});
  return done;
}
let lastChange: Promise<void> = Promise.resolve();

async function changeAlone(
  stateDir: string,
  change: (present: AgentConfiguration) => AgentConfiguration,
): Promise<void> {
  // A transaction of the state database is the lock: a process that is killed gives it back.
  const database = await openDatabase(join(stateDir, 'state.db'));
  try {
    database.exec('BEGIN IMMEDIATE');
    const next = change(await readConfiguration(stateDir));
    const kept = withRoots(next, (path) => toCarried(path, stateDir));
    await writePrivateFile(configurationFile(stateDir), `${JSON.stringify(kept, undefined, 2)}\n`);
    database.exec('COMMIT');
  } finally {
    database.close();
  }
}

function withRoots(configuration: AgentConfiguration, rootOf: (path: string) => string): AgentConfiguration {
  const workspaces = configuration.workspaces.map((one) => ({ ...one, rootPath: rootOf(one.rootPath) }));
  return { ...configuration, workspaces };
}

/** Changes with every write of the file; undefined where there is none. */
export async function configurationVersion(stateDir: string): Promise<string | undefined> {
  try {
    const { ino, mtimeMs, size } = await stat(configurationFile(stateDir));
    return `${ino}:${mtimeMs}:${size}`;
  } catch {
    return undefined;
  }
}

/** An id that nobody guesses. */
export function newWorkspaceId(): string {
  return `ws_${randomBytes(10).toString('hex')}`;
}

function unusable(file: string, why: string): UsageError {
  return new UsageError(
    `${file} cannot be used (${why}). Mend it, or remove it and pair again.`,
    EXIT.failed,
  );
}
