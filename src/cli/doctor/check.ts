import type { Settings } from '../../config/load.ts';

/** What one line of doctor says. `fail` must be mended, `warn` may be meant that way. */
export interface Finding {
  readonly state: 'ok' | 'warn' | 'fail';
  readonly says: string;
  /** The next step; none where all is well. */
  readonly fix?: string | undefined;
}

/** What the checks look at; tests bring their own. */
export interface DoctorContext {
  readonly settings: Settings;
  readonly stateDir: string;
  readonly env: NodeJS.ProcessEnv;
  /** An address outside that this machine has to reach: the tunnel's own service. */
  readonly outside: { readonly url: URL; readonly why: string };
  readonly timeoutMs: number;
  /** How the search program is found. */
  readonly findRipgrep: (stateDir: string) => Promise<string | undefined>;
  /** The time outside, epoch milliseconds, once `reachability` has heard it. */
  outsideTimeMs?: { readonly theirs: number; readonly ours: number } | undefined;
}

export type Check = (context: DoctorContext) => Promise<Finding>;

export function ok(says: string): Finding {
  return { state: 'ok', says };
}

export function warn(says: string, fix: string): Finding {
  return { state: 'warn', says, fix };
}

export function fail(says: string, fix: string): Finding {
  return { state: 'fail', says, fix };
}
