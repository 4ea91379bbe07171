import type { en } from './en.ts';

/** The English table is the model: another language has the same keys, and functions where it has functions. */
export type Texts = Same<typeof en>;

type Same<T> = {
  readonly [K in keyof T]: T[K] extends string
    ? string
    : T[K] extends (...values: never[]) => string
      ? T[K]
      : Same<T[K]>;
};
