/** Replaced by the shell domain's real public face. */
export interface Shell {
  readonly pending?: never;
}
