import type { HttpClient } from '../runtime/http-client.ts';
import type { HealthKey } from './health-key.ts';

const ANSWER_MS = 10_000;
const MAX_ANSWER_BYTES = 4_096;

/** One look at whether an address leads here. `offline`: this machine has no network, which says nothing of the tunnel. */
export type ProbeResult =
  | { readonly ok: true }
  | { readonly ok: false; readonly offline: boolean; readonly why: string };

/** Proves that requests to a public address arrive in this process, and how its answers come back. */
export interface DataPath {
  probe(origin: string, signal: AbortSignal): Promise<ProbeResult>;
  /** True when a streamed answer arrives piece by piece; false when something on the way collects it first. */
  streams(origin: string, signal: AbortSignal): Promise<boolean>;
}

export function createDataPath(key: HealthKey, client: HttpClient): DataPath {
  const request = (origin: string, nonce: string, signal: AbortSignal) => ({
    url: new URL(`/health?nonce=${nonce}`, origin),
    // ngrok shows browsers a page of its own unless a request says that it is none.
    headers: { 'user-agent': 'local-coder', 'ngrok-skip-browser-warning': '1', 'cache-control': 'no-cache' },
    signal,
    headersTimeoutMs: ANSWER_MS,
    bodyTimeoutMs: ANSWER_MS,
    maxBodyBytes: MAX_ANSWER_BYTES,
  });
  return {
    async probe(origin, signal) {
      const nonce = key.newNonce();
      try {
        const answer = await client.send({ method: 'GET', ...request(origin, nonce, signal) });
        if (answer.status === 200 && key.isAnswer(nonce, answer.body.trim())) return { ok: true };
        const why =
          answer.status === 200
            ? 'something else answers there'
            : `the other side answers with status ${answer.status}`;
        return { ok: false, offline: false, why };
      } catch (error) {
        signal.throwIfAborted();
        const why = error instanceof Error ? error.message : String(error);
        return { ok: false, offline: isOffline(why), why };
      }
    },

    async streams(origin, signal) {
      const check = key.startStreamCheck();
      const { headers, ...rest } = request(origin, check.nonce, signal);
      const accept = { ...headers, accept: 'text/event-stream', 'content-type': 'application/json' };
      try {
        await client.send({
          method: 'POST',
          ...rest,
          headers: accept,
          body: '{}',
          onData: () => check.firstPartArrived(),
        });
        return check.streamed;
      } catch {
        signal.throwIfAborted();
        return false; // plain JSON gets through everywhere
      } finally {
        check.end();
      }
    },
  };
}

/** No name service, no route: the laptop is asleep or between networks. A name that does not exist is something else. */
function isOffline(why: string): boolean {
  return /\b(EAI_AGAIN|ENETUNREACH|ENETDOWN|EHOSTUNREACH|EADDRNOTAVAIL)\b/.test(why);
}
