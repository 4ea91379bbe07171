// Reads a code cache and writes it again without running anything of it: see code-cache.mjs. Run with the base:
//     node build/settle-cache.cjs WRAPPED-BUNDLE CACHE-FILE RESULT
const { readFileSync, writeFileSync } = require('node:fs');
const { Script } = require('node:vm');

const [bundleFile, cacheFile, resultFile] = process.argv.slice(2);
const script = new Script(readFileSync(bundleFile, 'latin1'), {
  filename: 'local-coder.cjs',
  cachedData: readFileSync(cacheFile),
});
if (script.cachedDataRejected) throw new Error('V8 does not accept the code cache that it just made.');
writeFileSync(resultFile, script.createCachedData());
