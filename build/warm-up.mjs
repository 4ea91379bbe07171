/**
 * Makes the code cache of the executable: runs the bundle as the executable will run it, lets it start and answer
 * the calls that every client opens with, then asks V8 for a cache, which by then holds every function that was
 * needed. Run by code-cache.mjs with the very Node that the executable is made of (V8 takes no other cache):
 *
 *     node build/warm-up.mjs WRAPPED-BUNDLE CACHE-FILE WORKSPACE
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { Script } from 'node:vm';

const [bundleFile, cacheFile, workspace] = process.argv.slice(2);
const START_LIMIT_MS = 20_000;

const source = readFileSync(bundleFile, 'latin1');
const script = new Script(source, { filename: 'local-coder.cjs' });
const address = addressOnceListening();

process.argv = [process.execPath, process.execPath, '--workspace', workspace, '--port', '0'];
const module = { exports: {} };
script.runInThisContext()(
  module.exports,
  createRequire(process.execPath),
  module,
  process.execPath,
  dirname(process.execPath),
);

await firstCalls(await address);
// A cache names the flags that it was made under: these are V8's own again, which code-cache.mjs changed.
for (const flag of [
  '--flush-bytecode',
  '--sparkplug',
  '--profile-guided-optimization',
  '--memory-reducer',
  '--initial-heap-size=0',
]) {
  setFlagsFromString(flag);
}
writeFileSync(cacheFile, script.createCachedData());
process.exit(0);

/** The MCP address that the program prints when it is ready. */
function addressOnceListening() {
  return new Promise((resolve, reject) => {
    let printed = '';
    for (const stream of [process.stdout, process.stderr]) {
      const write = stream.write.bind(stream);
      stream.write = (chunk, ...rest) => {
        printed += chunk;
        const found = /http:\/\/127\.0\.0\.1:\d+\/mcp/.exec(printed);
        if (found) resolve(found[0]);
        // Its start card is of no interest to whoever builds; what went wrong is.
        return found || stream === process.stdout ? true : write(chunk, ...rest);
      };
    }
    setTimeout(() => {
      reject(
        new Error(`The program did not start within ${START_LIMIT_MS / 1000} s. It printed: ${printed}`),
      );
    }, START_LIMIT_MS).unref();
  });
}

/** What a client of each era asks first, and one call of a small tool. */
async function firstCalls(url) {
  await post(url, 'initialize', {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: { name: 'warm-up', version: '1' },
  });
  await post(url, 'tools/list', {});
  await post(url, 'tools/call', { name: 'list_directory', arguments: { path: '.' } });
  const meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientInfo': { name: 'warm-up', version: '1' },
    'io.modelcontextprotocol/clientCapabilities': {},
  };
  for (const method of ['server/discover', 'tools/list']) await post(url, method, { _meta: meta });
}

async function post(url, method, params) {
  const meta = params._meta;
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': meta ? meta['io.modelcontextprotocol/protocolVersion'] : '2025-11-25',
      ...(meta && { 'mcp-method': method }),
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`warm-up: ${method} was answered with ${response.status} ${text}`);
}
