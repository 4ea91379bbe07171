import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { conversationKey } from './conversation.ts';
import type { ToolRegistry } from './registry.ts';
import { createServer } from './server.ts';

export interface StdioOptions {
  readonly registry: ToolRegistry;
  readonly instructions: () => Promise<string>;
  readonly onError: (error: Error) => void;
}

/**
 * Serves the one client at the other end of standard input and output, whatever revision it speaks. Whoever started
 * the process is the owner, and the process is the conversation.
 */
export function serveOverStdio(options: StdioOptions): { close: () => Promise<void> } {
  return serveStdio(
    async ({ era }) =>
      createServer(options.registry, {
        conversation: (meta) => conversationKey(meta, undefined),
        // Here a closed connection is the end of the client: everything it started by a call is cancelled.
        withSignals: (signal, _requestId, work) => work({ cancelled: signal, abandoned: signal }),
        client: (server) => {
          const info = server.getClientVersion();
          return info && `${info.name} ${info.version}`;
        },
        // Later revisions let a server ask only by answering with a question; there the terminal or the page is asked.
        canAsk: (server) => era === 'legacy' && server.getClientCapabilities()?.elicitation !== undefined,
        instructions: await options.instructions(),
      }),
    { onerror: options.onError },
  );
}
