import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/** How long the streamed answer waits for its first part to arrive before it says the rest anyway. */
const STREAM_WAIT_MS = 2_500;
const NONCE = /^[A-Za-z0-9_-]{8,128}$/;

/** One streamed answer that the data path's proof asked for. */
export interface StreamCheck {
  readonly nonce: string;
  /** To be called when the first part has arrived. */
  firstPartArrived(): void;
  /** True when it arrived while the answer was still waiting for it: nothing on the way collected the answer. */
  readonly streamed: boolean;
  end(): void;
}

/**
 * Shows that an address leads to this very process: /health answers a nonce with its HMAC under a key that is made at
 * each start and never leaves the process.
 */
export class HealthKey {
  readonly #key = randomBytes(32);
  readonly #checks = new Map<string, { arrived: () => void; readonly waited: Promise<void> }>();

  newNonce(): string {
    return randomBytes(16).toString('hex');
  }

  /** @returns what /health answers; undefined for what is no nonce */
  answer(nonce: string | undefined): string | undefined {
    if (nonce === undefined || !NONCE.test(nonce)) return undefined;
    return createHmac('sha256', this.#key).update(nonce).digest('hex');
  }

  isAnswer(nonce: string, given: string): boolean {
    const expected = Buffer.from(this.answer(nonce) ?? '');
    const actual = Buffer.from(given);
    return expected.length === actual.length && expected.length > 0 && timingSafeEqual(expected, actual);
  }

  /** Prepares one streamed answer; strangers cannot ask for one. */
  startStreamCheck(): StreamCheck {
    const nonce = this.newNonce();
    let streamed = false;
    let waiting = true;
    let arrived = () => {};
    const waited = new Promise<void>((resolve) => {
      const end = () => {
        waiting = false;
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(end, 4 * STREAM_WAIT_MS); // the request may take its time to get here
      arrived = end;
    });
    this.#checks.set(nonce, { arrived, waited });
    return {
      nonce,
      firstPartArrived: () => {
        if (waiting) streamed = true;
        arrived();
      },
      get streamed() {
        return streamed;
      },
      end: () => {
        arrived();
        this.#checks.delete(nonce);
      },
    };
  }

  /** The streamed answer to a nonce of `startStreamCheck`: one half, a wait, the other; undefined for any other nonce. */
  streamedAnswer(nonce: string | undefined): ReadableStream<Uint8Array> | undefined {
    const check = nonce === undefined ? undefined : this.#checks.get(nonce);
    const answer = this.answer(nonce);
    if (check === undefined || answer === undefined) return undefined;
    const encoder = new TextEncoder();
    return new ReadableStream<Uint8Array>({
      async start(controller) {
        controller.enqueue(encoder.encode(`data: ${answer.slice(0, 32)}\n\n`));
        const timer = setTimeout(check.arrived, STREAM_WAIT_MS);
        await check.waited;
        clearTimeout(timer);
        try {
          controller.enqueue(encoder.encode(`data: ${answer.slice(32)}\n\n`));
          controller.close();
        } catch {
          // Who asked has gone.
        }
      },
    });
  }
}
