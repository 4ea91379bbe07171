import { KEEP_ALIVE_MS } from './limits.ts';

/** An answer that is not ready by then becomes an event stream, so that the first byte leaves within a second. */
const PLAIN_ANSWER_MS = 500;

type Message = Record<string, unknown>;

/**
 * The HTTP answer to one JSON-RPC request of the 2025 era: plain JSON when the work is done soon, else an event stream
 * with keep-alives and the notifications that the work sends (Streamable HTTP lets the server choose per request).
 * @param work gets the function that sends a notification; gives the response message and never rejects
 */
export function promptAnswer(
  work: (notify: (message: Message) => void) => Promise<Message>,
): Promise<Response> {
  return new Promise((resolve) => {
    let stream: EventStream | undefined;
    const open = () => {
      if (stream === undefined) {
        stream = openEventStream();
        resolve(stream.response);
      }
      return stream;
    };
    const timer = setTimeout(open, PLAIN_ANSWER_MS);
    work((notification) => open().send(notification)).then((message) => {
      clearTimeout(timer);
      if (stream !== undefined) stream.end(message);
      else
        resolve(new Response(JSON.stringify(message), { headers: { 'content-type': 'application/json' } }));
    });
  });
}

interface EventStream {
  readonly response: Response;
  send(message: Message): void;
  end(message: Message): void;
}

function openEventStream(): EventStream {
  const encoder = new TextEncoder();
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  const write = (frame: string) => controller?.enqueue(encoder.encode(frame));
  const keepAlive = setInterval(() => write(': keepalive\n\n'), KEEP_ALIVE_MS);
  const stop = () => {
    clearInterval(keepAlive);
    controller = undefined; // what comes later has no reader
  };
  const body = new ReadableStream<Uint8Array>({
    start(streamController) {
      controller = streamController;
      write(': open\n\n');
    },
    cancel: stop,
  });
  const headers = {
    'content-type': 'text/event-stream',
    'cache-control': 'no-cache, no-transform',
    'x-accel-buffering': 'no',
  };
  const send = (message: Message) => write(`event: message\ndata: ${JSON.stringify(message)}\n\n`);
  return {
    response: new Response(body, { headers }),
    send,
    end(message) {
      send(message);
      controller?.close();
      stop();
    },
  };
}
