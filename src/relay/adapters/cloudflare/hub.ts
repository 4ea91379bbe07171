import { failure } from '../../core/failures.ts';
import type { AgentCall, Outcome, SessionHub } from '../../core/ports.ts';
import type { RelayEnv } from './env.ts';

/** The connections of agents: one Durable Object for each. */
export class DurableObjectHub implements SessionHub {
  readonly #env: RelayEnv;
  readonly #waitUntil: (work: Promise<unknown>) => void;
  readonly #onError: (error: unknown) => void;

  /** @param waitUntil keeps the Worker alive for work that outlives its request */
  constructor(env: RelayEnv, waitUntil: (work: Promise<unknown>) => void, onError: (error: unknown) => void) {
    this.#env = env;
    this.#waitUntil = waitUntil;
    this.#onError = onError;
  }

  async dispatch(agentId: string, call: AgentCall, signal: AbortSignal): Promise<Outcome> {
    const session = this.#env.AGENTS.getByName(agentId);
    // A client that has gone ends the request, and with it whatever is not waited for.
    const cancelled = () => this.#waitUntil(session.cancel(call.id).catch(this.#onError));
    signal.addEventListener('abort', cancelled, { once: true });
    try {
      return await session.dispatch(call);
    } catch (error) {
      // The object was restarted under the call: a deployment, or a defect.
      this.#onError(error);
      return failure('AGENT_OFFLINE');
    } finally {
      signal.removeEventListener('abort', cancelled);
    }
  }

  async online(agentIds: readonly string[]): Promise<ReadonlySet<string>> {
    const states = await Promise.all(
      agentIds.map((id) =>
        this.#env.AGENTS.getByName(id)
          .online()
          .catch(() => false),
      ),
    );
    return new Set(agentIds.filter((_, index) => states[index]));
  }

  async revoked(agentId: string): Promise<void> {
    await this.#env.AGENTS.getByName(agentId).revoked();
  }
}
