import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { ServeCall } from '../../../../src/relay/agent/call-desk.ts';
import { type AgentConfiguration, changeConfiguration } from '../../../../src/relay/agent/configuration.ts';
import { type AgentOptions, runAgent } from '../../../../src/relay/agent/run-agent.ts';
import { viewerAgent } from '../../../../src/relay/agent/viewer-agent.ts';
import { createLog } from '../../../../src/runtime/log.ts';
import { AGENT_ID, FakeRelay, TOKEN } from './fake-relay.ts';

export interface AgentWorld {
  readonly folder: string;
  /** The root of the workspace `ws`. */
  readonly root: string;
  readonly stateDir: string;
  readonly relay: FakeRelay;
  /** What the agent logged. */
  readonly lines: string[];
  configure(change: (present: AgentConfiguration) => AgentConfiguration): Promise<void>;
  /** Starts an agent; by default the read-only one. */
  start(options?: { serve?: ServeCall; timings?: AgentOptions['timings'] }): RunningAgent;
}

export interface RunningAgent {
  /** The exit code. */
  readonly ended: Promise<number>;
  stop(): void;
}

/** A paired machine with one workspace, and its relay; all of it ended after the test. */
export async function agentWorld(t: TestContext): Promise<AgentWorld> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'local-coder-agent-')));
  const [root, stateDir] = [join(folder, 'root'), join(folder, 'state')];
  await mkdir(root);
  await mkdir(stateDir, { mode: 0o700 });
  await writeFile(join(root, 'hello.txt'), 'hello\n');
  const relay = await FakeRelay.start();
  const running: RunningAgent[] = [];
  t.after(async () => {
    for (const agent of running) agent.stop();
    await Promise.all(running.map(({ ended }) => ended));
    await relay.close();
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  });
  const configure: AgentWorld['configure'] = (change) => changeConfiguration(stateDir, change);
  await configure(() => ({
    agent: { agentId: AGENT_ID, agentToken: TOKEN, serverBaseUrl: relay.url },
    workspaces: [{ workspaceId: 'ws', displayName: 'Work', rootPath: root, accessMode: 'read_only' }],
  }));
  const lines: string[] = [];
  return {
    folder,
    root,
    stateDir,
    relay,
    lines,
    configure,
    start({ serve, timings } = {}) {
      const stop = new AbortController();
      const log = createLog('debug', (line) => lines.push(line));
      const ended = runAgent({
        stateDir,
        env: process.env,
        log,
        signal: stop.signal,
        tools: (configuration) =>
          serve === undefined
            ? viewerAgent(configuration, { stateDir, env: process.env, log })
            : { serve, hello: { kind: 'viewer' } },
        timings: { reconnectMinMs: 5, reconnectMaxMs: 20, watchMs: 10, ...timings },
      });
      const agent = { ended, stop: () => stop.abort() };
      running.push(agent);
      return agent;
    },
  };
}
