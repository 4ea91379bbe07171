import type { ProjectSources } from '../context/index.ts';
import type { Services } from './services.ts';

/** More files than this are no longer listed one by one. */
const MAX_LISTED_FILES = 200_000;

/** Connects the context domain with the domains beside it. */
export function projectSources({ search }: Services): ProjectSources {
  return {
    async listFiles(folder, signal) {
      // The second and third name hidden files, which `**` alone leaves out.
      const found = await search.glob({
        folder,
        pattern: '{**,.*,.*/**}',
        maxResults: MAX_LISTED_FILES,
        signal,
      });
      return { paths: found.paths, complete: !found.timedOut && found.total <= MAX_LISTED_FILES };
    },
  };
}
