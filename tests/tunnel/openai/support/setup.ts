import type { TestContext } from 'node:test';
import type { RequestLine } from '../../../../src/http/request-log.ts';
import { createMcpEndpoint } from '../../../../src/mcp/http.ts';
import { ToolRegistry } from '../../../../src/mcp/registry.ts';
import { createLog } from '../../../../src/runtime/log.ts';
import type { ToolContext, ToolDefinition } from '../../../../src/tools/define.ts';
import type { Services } from '../../../../src/tools/services.ts';
import {
  type OpenAiTunnel,
  type OpenAiTunnelOptions,
  readCredentials,
  startOpenAiTunnel,
} from '../../../../src/tunnel/openai/index.ts';
import { fakeTools } from '../../../support/test-server.ts';
import { TestControlPlane } from './control-plane.ts';

export interface TestTunnel {
  readonly service: TestControlPlane;
  /** Contexts of the fake tools' calls. */
  readonly contexts: ToolContext[];
  readonly lines: RequestLine[];
  /** What was logged, at every level. */
  readonly log: string[];
  readonly mcp: OpenAiTunnelOptions['mcp'];
  start(options?: Partial<OpenAiTunnelOptions>): Promise<OpenAiTunnel>;
}

/** Short waits between attempts, so that storms take no minutes. */
export const QUICK = {
  pollBackoff: { minMs: 2, maxMs: 20 },
  answerBackoff: { minMs: 2, maxMs: 20 },
} as const;

/** A control plane and the fake tools behind a tunnel that is yet to be started; all of it ends with the test. */
export async function tunnelBench(
  t: TestContext,
  tools?: (seen: { contexts: ToolContext[] }) => ToolDefinition[],
): Promise<TestTunnel> {
  const service = new TestControlPlane();
  await service.start();
  const seen = { contexts: [] as ToolContext[] };
  const lines: RequestLine[] = [];
  const log: string[] = [];
  const registry = new ToolRegistry({
    tools: [...fakeTools(seen), ...(tools?.(seen) ?? [])],
    services: {} as Services, // the fake tools use none
    form: 'auto',
  });
  const instructions = async () => 'Test instructions.';
  const mcp = createMcpEndpoint({ registry, instructions, onError: () => {} });
  const started: OpenAiTunnel[] = [];
  t.after(async () => {
    await Promise.all(started.map((tunnel) => tunnel.stop()));
    await service.stop();
    await mcp.close();
  });
  return {
    service,
    contexts: seen.contexts,
    lines,
    log,
    mcp,
    async start(options) {
      const tunnel = await startOpenAiTunnel({
        credentials: readCredentials({
          env: { OPENAI_TUNNEL_ID: service.tunnelId, OPENAI_TUNNEL_API_KEY: service.apiKey },
          baseUrl: service.baseUrl,
        }),
        mcp,
        log: createLog('debug', (line) => log.push(line)),
        onRequest: (line) => lines.push(line),
        env: {},
        graceMs: 1_000,
        timing: QUICK,
        ...options,
      });
      started.push(tunnel);
      return tunnel;
    },
  };
}

/** Resolves when the condition holds; the test's own timeout bounds it. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 2));
}
