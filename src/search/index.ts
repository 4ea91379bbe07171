/** Replaced by the search domain's real public face. */
export interface Search {
  readonly pending?: never;
}
