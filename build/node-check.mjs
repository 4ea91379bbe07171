/** The versions of Node that run the bundle, said once for everything that must know them. */

/** zstd in node:zlib, and node:sqlite without a flag. */
export const ENGINES = '^22.15.0 || >=24.0.0';
/** The oldest of them, as esbuild names it. */
export const OLDEST_TARGET = 'node22.15';

/**
 * Ends another Node with a sentence; it would run the bundle, and find no zstd when the first change is to be recorded.
 * In the syntax of old versions, which have to be able to read it.
 */
export const NODE_CHECK = `(function () {
  var parts = process.versions.node.split('.');
  var major = Number(parts[0]);
  if (major >= 24 || (major === 22 && Number(parts[1]) >= 15)) return;
  process.stderr.write(
    'local-coder: Node ' +
      process.versions.node +
      ' is too old: Node 24 or newer, or 22.15 and newer of Node 22, is needed; the single executable needs no Node.\\n'
  );
  process.exit(1);
})();`;
