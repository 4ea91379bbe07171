// Preloaded by the npm scripts: this program is TypeScript that Node 24 runs as it is. Where the pinned Node of
// package.json is missing (`npm ci --omit=optional`, an unlisted platform), the older Node of the machine would
// stop at the first `.ts` file with a stack trace; this says the reason and the remedy instead.
const major = Number(process.versions.node.split('.')[0]);
if (major < 24) {
  process.stderr.write(
    `local-coder: Node ${process.versions.node} is too old to run the sources (24 or newer is needed). ` +
      'Run "npm ci" without --omit=optional, which brings a pinned Node 24 for this project, or install Node 24.\n',
  );
  process.exit(1);
}
