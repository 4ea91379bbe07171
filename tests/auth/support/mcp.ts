import { createMcpEndpoint } from '../../../src/mcp/http.ts';
import { PlainAnswer } from '../../../src/mcp/plain-answer.ts';
import { ToolRegistry } from '../../../src/mcp/registry.ts';
import type { Services } from '../../../src/tools/services.ts';
import { fakeTools } from '../../support/test-server.ts';

/** What answers at /mcp behind the bearer check: the real endpoint with fake tools. */
export function protectedMcp(): (request: Request) => Promise<Response> {
  const registry = new ToolRegistry({
    tools: fakeTools({ contexts: [] }),
    services: {} as Services, // the fake tools use none
    form: 'auto',
    onCall: () => {},
    onDefect: () => {},
  });
  const endpoint = createMcpEndpoint({
    registry,
    instructions: async () => 'Test instructions.',
    onError: () => {},
  });
  return async (request) => {
    const answer = await endpoint.fetch(request, {}, () => {});
    return answer instanceof PlainAnswer ? answer.toResponse() : answer;
  };
}
