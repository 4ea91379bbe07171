import { publicOrigin } from './provider-context.ts';
import { TunnelError } from './types.ts';

/** A longer line is not searched: a pattern of the user's own could take for ever on it. */
const MAX_LINE = 2_000;

/**
 * Finds the public origin in lines of output.
 * @param pattern --tunnel-url-pattern; what its first group matches is the URL, or else the whole match
 * @param accept of the URLs that are found without a pattern, which ones may be the address
 * @throws {TunnelError} for a pattern that is none
 */
export function urlFinder(
  pattern: string | undefined,
  accept: (url: URL, line: string) => boolean = () => true,
): (line: string) => string | undefined {
  if (pattern === undefined) {
    return (line) => {
      for (const [text] of line.slice(0, MAX_LINE).matchAll(/https:\/\/[^\s"'<>|,;)\]}]+/g)) {
        const origin = publicOrigin(text);
        if (origin !== undefined && accept(new URL(text), line)) return origin;
      }
      return undefined;
    };
  }
  const regex = compile(pattern);
  return (line) => {
    const match = regex.exec(line.slice(0, MAX_LINE));
    const text = match?.[1] ?? match?.[0];
    return text === undefined ? undefined : (publicOrigin(text) ?? publicOrigin(`https://${text}`));
  };
}

function compile(pattern: string): RegExp {
  try {
    return new RegExp(pattern, 'i');
  } catch (error) {
    throw new TunnelError(
      'not-configured',
      `--tunnel-url-pattern is no regular expression: ${error instanceof Error ? error.message : error}.`,
      'Such as https://\\S+\\.example\\.org',
    );
  }
}
