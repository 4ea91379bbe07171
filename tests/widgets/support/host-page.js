/**
 * The host's side of the view, in the browser: the reference implementation's AppBridge with a sandboxed frame, as a
 * web host has it. The test talks to it through `window.host`.
 */
import { AppBridge, PostMessageTransport } from '@modelcontextprotocol/ext-apps/app-bridge';

let bridge;
let frame;

window.host = {
  /** What the view told, and what did not fit the specification. */
  seen: { sizes: [], problems: [], app: undefined },

  /** Loads the view into a frame with an origin of its own and waits for its handshake. */
  async open(hostContext) {
    await bridge?.close();
    frame?.remove();
    this.seen = { sizes: [], problems: [], app: undefined };
    frame = document.createElement('iframe');
    frame.setAttribute('sandbox', 'allow-scripts');
    frame.title = 'view';
    document.body.append(frame);
    // No client: what the view asks for beyond the specification's basics is refused.
    bridge = new AppBridge(null, { name: 'test host', version: '1.0.0' }, {}, { hostContext });
    bridge.onerror = (error) => this.seen.problems.push(String(error));
    bridge.onsizechange = ({ width, height }) => {
      this.seen.sizes.push({ width, height });
      if (height !== undefined) frame.style.height = `${Math.min(height, 700)}px`;
    };
    const initialized = new Promise((resolve) => {
      bridge.oninitialized = resolve;
    });
    await bridge.connect(new PostMessageTransport(frame.contentWindow, frame.contentWindow));
    frame.src = '/view';
    await initialized;
    this.seen.app = { capabilities: bridge.getAppCapabilities(), version: bridge.getAppVersion() };
  },
  input: (toolArguments) => bridge.sendToolInput({ arguments: toolArguments }),
  partialInput: (toolArguments) => bridge.sendToolInputPartial({ arguments: toolArguments }),
  result: (result) => bridge.sendToolResult(result),
  cancelled: () => bridge.sendToolCancelled({ reason: 'test' }),
  context: (context) => bridge.setHostContext(context),
  teardown: () => bridge.teardownResource({}),
  /** Around the bridge, which would not send it. */
  raw: (message) => frame.contentWindow.postMessage(message, '*'),
  width(pixels) {
    frame.style.width = `${pixels}px`;
  },
};
