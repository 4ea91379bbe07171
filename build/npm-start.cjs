#!/usr/bin/env node
// Where `npx local-coder` begins. In the syntax of old versions of Node, so that those can say what is missing; the
// bundle's own would only be a syntax error there.
var parts = process.versions.node.split('.');
var major = Number(parts[0]);
if (major >= 24 || (major === 22 && Number(parts[1]) >= 15)) {
  require('./local-coder.cjs');
} else {
  process.stderr.write(
    'local-coder: Node ' +
      process.versions.node +
      ' is too old: Node 24 or newer, or 22.15 and newer of Node 22, is needed; the single executable needs no Node.\n',
  );
  process.exitCode = 1;
}
