/** Replaced by the git domain's real public face. */
export interface Git {
  readonly pending?: never;
}
