// The main script of the single executable: compiles the bundle, an asset, with the code cache that build.mjs made
// after the program had started and answered its first calls. Node's own cache for a SEA main (useCodeCache) holds
// only functions that V8 compiled before anything ran, so with it alone much of the start is spent on compiling.
// V8 refuses a cache of another version by itself and compiles as usual; an executable that was built on another
// platform has an empty one.
const { getRawAsset } = require('node:sea');

const LARGER_THAN_THE_PROGRAM = 8 * 1024 * 1024;

if (!answersVersion()) runProgram();

function runProgram() {
  const { Script } = require('node:vm');
  const { zstdDecompressSync } = require('node:zlib');
  // ASCII by construction (build/program.mjs sees to it): one byte per character, nothing to decode.
  // In one piece, which is given back at once: the first collection of garbage may be hours away.
  const bytes = zstdDecompressSync(asset('main.cjs.zst'), { chunkSize: LARGER_THAN_THE_PROGRAM });
  const source = bytes.latin1Slice();
  bytes.buffer.transfer(0);
  const cache = asset('main.cache');
  const script = new Script(source, {
    filename: 'local-coder.cjs',
    cachedData: cache.length > 0 ? cache : undefined,
  });
  script.runInThisContext()(exports, require, module, __filename, __dirname);
}

// What installers and scripts ask takes half the time without the program.
function answersVersion() {
  if (process.argv.length !== 3 || process.argv[2] !== '--version') return false;
  try {
    require('node:fs').writeSync(1, `${asset('version').latin1Slice()}\n`);
  } catch {
    return false; // a pipe that is full or closed: the program knows what to do
  }
  process.exit(0);
}

function asset(name) {
  return Buffer.from(getRawAsset(name));
}
