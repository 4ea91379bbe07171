/** The page's script. Same text in every language; holds no data. */
export function appScript(): string {
  return '';
}

/** The page's style sheet. */
export function appStyles(): string {
  return '';
}
