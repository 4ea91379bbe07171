import { type Fields, fields } from './result.ts';

/** Of the specification, not of the product. */
const PROTOCOL_VERSION = '2026-01-26';
const METHOD_NOT_FOUND = -32601;

export interface HostEvents {
  /** What the host says of itself: theme, locale, styles, the tool. Partial updates are put together. */
  context(context: Fields): void;
  input(toolArguments: Fields): void;
  result(params: unknown): void;
  cancelled(): void;
}

/**
 * The view's side of MCP Apps: JSON-RPC 2.0 over postMessage with the frame around it. The origin of that frame is
 * unknown and differs by host, and nothing secret is sent; what comes from any other window is not read.
 */
export function connectToHost(events: HostEvents): { sizeChanged(height: number): void } {
  const host = window.parent;
  const send = (message: object) => host.postMessage({ jsonrpc: '2.0', ...message }, '*');
  let context: Fields = {};
  const merge = (update: unknown) => {
    context = { ...context, ...fields(update) };
    events.context(context);
  };

  window.addEventListener('message', ({ source, data }: MessageEvent<unknown>) => {
    const message = fields(data);
    if (source !== host || message['jsonrpc'] !== '2.0') return;
    const { id, method } = message;
    const params = fields(message['params']);
    if (method === undefined) {
      // There is one request of ours. A host that refuses it may send the result all the same.
      if (id !== 1) return;
      merge(fields(message['result'])['hostContext']);
      send({ method: 'ui/notifications/initialized', params: {} });
    } else if (id !== undefined) {
      const isKnown = method === 'ping' || method === 'ui/resource-teardown';
      const error = { code: METHOD_NOT_FOUND, message: 'Method not found' };
      send(isKnown ? { id, result: {} } : { id, error });
    } else if (method === 'ui/notifications/tool-input' || method === 'ui/notifications/tool-input-partial') {
      events.input(fields(params['arguments']));
    } else if (method === 'ui/notifications/tool-result') {
      events.result(params);
    } else if (method === 'ui/notifications/tool-cancelled') {
      events.cancelled();
    } else if (method === 'ui/notifications/host-context-changed') {
      merge(params);
    }
  });
  send({
    id: 1,
    method: 'ui/initialize',
    params: {
      protocolVersion: PROTOCOL_VERSION,
      appInfo: { name: 'local-coder', version: '1.0.0' },
      appCapabilities: { availableDisplayModes: ['inline', 'fullscreen'] },
    },
  });
  return {
    // The width is the host's: a view that names one keeps it when the window grows.
    sizeChanged: (height) => send({ method: 'ui/notifications/size-changed', params: { height } }),
  };
}
