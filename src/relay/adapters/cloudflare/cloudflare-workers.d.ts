declare module 'cloudflare:workers' {
  import type { DurableObjectState } from './runtime.ts';

  /** Base of Durable Objects; its public methods can be called from Workers (RPC). */
  export class DurableObject<Env> {
    protected readonly ctx: DurableObjectState;
    protected readonly env: Env;
    constructor(ctx: DurableObjectState, env: Env);
  }
}
