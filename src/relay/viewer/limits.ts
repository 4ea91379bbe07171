/** Bounds of the viewer's tools (sizes in bytes of UTF-8, counted on what is sent). */
export const LIMITS = {
  tree: { maxDepth: 4, maxEntries: 1_000, maxBytes: 250 * 1024 },
  file: { maxLines: 400, maxSizeBytes: 1024 * 1024, maxBytes: 128 * 1024 },
  search: { maxResults: 50, maxBytes: 128 * 1024, timeoutMs: 5_000, maxQuery: 256, maxGlobs: 20 },
  batch: { maxOperations: 8, atOnce: 4, timeoutMs: 10_000, maxBytes: 512 * 1024 },
  changes: { maxFiles: 100, maxBytes: 128 * 1024 },
  diff: { maxBytes: 128 * 1024, minBytes: 1024 },
  rootEntries: 1_000,
} as const;
