/** What package.json says of releases: where they lie and whose signature they carry. The bundle has it inlined. */
import manifest from '../../package.json' with { type: 'json' };

/** Names that nobody can own (RFC 2606): the project has no address of its own yet. */
const RESERVED_HOST = /\.(example|invalid|test)$/;
/** The name of a URL's host on this machine. */
export const LOOPBACK_HOST: RegExp = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/** The project's page, such as `https://github.com/owner/name`. */
export const REPOSITORY_URL: string = manifest.repository.url.replace(/^git\+/, '').replace(/\.git$/, '');

/** The owner's ed25519 key, base64 of its 32 raw bytes; null until there is one. */
// The type of the JSON file knows today's value alone.
export const RELEASE_PUBLIC_KEY = manifest.release.publicKey as string | null;

/** Where releases lie, or one sentence why nothing can be asked for there. */
export type ReleaseAddress =
  | { readonly url: string; readonly problem?: never }
  | { readonly url?: never; readonly problem: string };

/**
 * The folder of releases: `latest/download/FILE` and `download/vVERSION/FILE` lie below it.
 * @param mirror the value of LOCAL_CODER_BASE_URL
 */
export function releaseAddress(
  mirror: string | undefined,
  repository: string = REPOSITORY_URL,
): ReleaseAddress {
  if (mirror) return mirrorAddress(mirror);
  if (RESERVED_HOST.test(new URL(repository).hostname)) {
    return {
      problem:
        'No release of local-coder is published yet. Set LOCAL_CODER_BASE_URL to a mirror that has one, or build ' +
        'it from the sources (npm ci, npm run build).',
    };
  }
  return { url: `${repository}/releases` };
}

function mirrorAddress(mirror: string): ReleaseAddress {
  const url = URL.canParse(mirror) ? new URL(mirror) : undefined;
  const secure =
    url?.protocol === 'https:' || (url?.protocol === 'http:' && LOOPBACK_HOST.test(url.hostname));
  if (url === undefined || !secure || url.username || url.password || url.search || url.hash) {
    return {
      problem:
        'LOCAL_CODER_BASE_URL is not the address of a mirror: it must be https://HOST/PATH (http:// on this machine ' +
        'alone), without a password, ? or #.',
    };
  }
  return { url: url.href.replace(/\/+$/, '') };
}
