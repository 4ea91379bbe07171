import type { Cell, ProcessFacts } from './compare.ts';
import type { LargeResults } from './large.ts';
import type { OperationName } from './operations.ts';

/** Everything that one run has measured; what --json writes. */
export interface Results {
  readonly date: string;
  readonly machine: {
    readonly cpu: string;
    readonly cores: number;
    readonly platform: string;
    readonly node: string;
  };
  /** Load average of the last minute, before and after: other work shows here. */
  readonly load: { readonly before: number; readonly after: number };
  readonly iterations: number;
  readonly fixture: { readonly files: number; readonly bytes: number };
  readonly contestants: readonly {
    readonly name: string;
    readonly description: string;
    readonly facts: ProcessFacts;
    readonly cells: Readonly<Partial<Record<OperationName, Cell>>>;
  }[];
  readonly connects: Connects | undefined;
  readonly large: LargeResults | undefined;
}

/** Memory of a server that many clients connect to and leave without a word. */
export interface Connects {
  readonly count: number;
  readonly beforeMb: number;
  /** After `count` of them, when the heap has found its size. */
  readonly afterMb: number;
  /** After as many again: what grows now is kept per client. */
  readonly afterAgainMb: number;
}
