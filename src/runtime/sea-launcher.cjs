// The main script of the single executable: compiles the bundle, an asset, with the code cache that build.mjs made
// after the program had started and answered its first calls. Node's own cache for a SEA main (useCodeCache) holds
// only functions that V8 compiled before anything ran, so with it alone much of the start is spent on compiling.
// V8 refuses a cache of another version by itself and compiles as usual.
const { getRawAsset } = require('node:sea');
const { Script } = require('node:vm');

// ASCII by construction (build.mjs sees to it): one byte per character, nothing to decode.
const source = Buffer.from(getRawAsset('main.cjs')).latin1Slice();
const cache = Buffer.from(getRawAsset('main.cache'));
const script = new Script(source, {
  filename: 'local-coder.cjs',
  cachedData: cache.length > 0 ? cache : undefined,
});
script.runInThisContext()(exports, require, module, __filename, __dirname);
