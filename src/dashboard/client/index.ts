import { SCRIPT, STYLE } from './generated.ts';

/** The page's script: the same in every language, holds no data. Its sources are in browser/ (`npm run page`). */
export function appScript(): string {
  return SCRIPT;
}

/** The page's style sheet. */
export function appStyles(): string {
  return STYLE;
}
