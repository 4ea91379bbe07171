import { Readable } from 'node:stream';
import { KEEP_ALIVE_MS } from './limits.ts';
import { PlainAnswer } from './plain-answer.ts';

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
): Promise<PlainAnswer> {
  return new Promise((resolve) => {
    let stream: EventStream | undefined;
    const open = () => {
      if (stream === undefined) {
        stream = openEventStream();
        resolve(stream.answer);
      }
      return stream;
    };
    const timer = setTimeout(open, PLAIN_ANSWER_MS);
    work((notification) => open().send(notification)).then((message) => {
      clearTimeout(timer);
      if (stream !== undefined) stream.end(message);
      else resolve(PlainAnswer.json(JSON.stringify(message)));
    });
  });
}

interface EventStream {
  readonly answer: PlainAnswer;
  send(message: Message): void;
  end(message: Message): void;
}

function openEventStream(): EventStream {
  const body = new Readable({
    read() {},
    destroy(error, done) {
      clearInterval(keepAlive);
      done(error);
    },
  });
  const write = (frame: string) => {
    if (!body.destroyed) body.push(frame); // else the reader has gone
  };
  const keepAlive = setInterval(() => write(': keepalive\n\n'), KEEP_ALIVE_MS);
  write(': open\n\n');
  const headers = {
    'content-type': 'text/event-stream',
    'cache-control': 'no-cache, no-transform',
    'x-accel-buffering': 'no',
  };
  const send = (message: Message) => write(`event: message\ndata: ${JSON.stringify(message)}\n\n`);
  return {
    answer: new PlainAnswer(200, headers, body),
    send,
    end(message) {
      send(message);
      clearInterval(keepAlive);
      if (!body.destroyed) body.push(null);
    },
  };
}
