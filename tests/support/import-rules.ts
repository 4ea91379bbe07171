/** The import rules of AGENTS.md ("Where things are") as functions over file texts. */
import { posix } from 'node:path';

/** From the top down: a folder may import from its own layer and from those below it. */
const LAYERS: readonly (readonly string[])[] = [
  ['main.ts'],
  ['cli'],
  ['dashboard'],
  ['http', 'tunnel', 'relay'],
  ['mcp', 'auth'],
  ['tools', 'widgets'],
  // The viewer is what its tools and the agent of the relay are made of; the rest of the relay lies above.
  ['relay/viewer'],
  ['patch', 'search', 'shell', 'git', 'history', 'context', 'edit', 'transfer'],
  ['workspace', 'access'],
  ['config', 'runtime'],
];
/** Used from outside through their index.ts alone. */
const DOMAINS = LAYERS.find((layer) => layer.includes('patch')) ?? [];
const WITH_ONE_DOOR = new Set([...DOMAINS, 'workspace', 'auth']);
/** The lowest layer that may know of the protocol and of HTTP. */
const LAST_PROTOCOL_LAYER = LAYERS.findIndex((layer) => layer.includes('mcp'));
const PROTOCOL_PACKAGES = /^(@modelcontextprotocol\/|@hono\/|hono$|hono\/)/;

/**
 * @param files path below src/ (with `/`) → source text
 * @param packages names that sources may import besides `node:` modules
 * @returns one sentence for each import that breaks a rule, none when all is well
 */
export function violations(files: ReadonlyMap<string, string>, packages: ReadonlySet<string>): string[] {
  const found: string[] = [];
  for (const [file, source] of files) {
    if (layerOf(file) < 0)
      found.push(`${file} is in no layer: add its folder to tests/support/import-rules.ts`);
    for (const specifier of importsOf(source)) {
      const why = specifier.startsWith('.')
        ? whyNotFile(file, posix.join(posix.dirname(file), specifier), files)
        : whyNotPackage(file, specifier, packages);
      if (why !== undefined) found.push(`${file} imports ${specifier}: ${why}`);
    }
  }
  return [...found, ...cycles(files).map((cycle) => `import cycle: ${cycle.join(' → ')}`)];
}

/** Every module that a source names: static, re-exported, type-only and dynamic imports. */
export function importsOf(source: string): string[] {
  const code = source.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '$1');
  const pattern =
    /(?:^|[;}\s])(?:import|export)\s[^'";]*?\bfrom\s*['"]([^'"]+)['"]|(?:^|[;}\s])import\s*['"]([^'"]+)['"]|\bimport\s*\(\s*['"]([^'"]+)['"]/gm;
  return [...code.matchAll(pattern)].map((match) => match[1] ?? match[2] ?? match[3] ?? '');
}

function whyNotFile(file: string, target: string, files: ReadonlyMap<string, string>): string | undefined {
  if (target === '../package.json') return undefined;
  if (!files.has(target)) return 'there is no such file below src';
  const [from, to] = [folderOf(file), folderOf(target)];
  if (from === to || layerOf(target) < 0) return undefined;
  if (layerOf(target) < layerOf(file)) return `${to} lies above ${from}`;
  if (WITH_ONE_DOOR.has(to) && target !== `${to}/index.ts`) return `${to} is used through its index.ts only`;
  return undefined;
}

function whyNotPackage(file: string, name: string, packages: ReadonlySet<string>): string | undefined {
  if (name.startsWith('node:')) return undefined;
  // The Workers runtime's own module, for the adapter that runs there.
  if (name === 'cloudflare:workers' && file.startsWith('relay/adapters/cloudflare/')) return undefined;
  const packageName = name.split('/', name.startsWith('@') ? 2 : 1).join('/');
  if (!packages.has(packageName)) return 'not a dependency of package.json';
  if (PROTOCOL_PACKAGES.test(name) && layerOf(file) > LAST_PROTOCOL_LAYER) {
    return `${folderOf(file)} knows nothing of MCP and HTTP`;
  }
  return undefined;
}

/** Every cycle once, as the files on it; the first is named again at the end. */
function cycles(files: ReadonlyMap<string, string>): string[][] {
  const found: string[][] = [];
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (file: string) => {
    const start = path.indexOf(file);
    if (start >= 0) {
      found.push([...path.slice(start), file]);
      return;
    }
    if (done.has(file)) return;
    path.push(file);
    for (const specifier of importsOf(files.get(file) ?? '')) {
      const target = posix.join(posix.dirname(file), specifier);
      if (specifier.startsWith('.') && files.has(target)) visit(target);
    }
    path.pop();
    done.add(file);
  };
  for (const file of files.keys()) visit(file);
  return found;
}

/** The first part of the path: a folder's name, or `main.ts`; of the relay the viewer is a folder of its own. */
function folderOf(file: string): string {
  return file.startsWith('relay/viewer/') ? 'relay/viewer' : (file.split('/', 1)[0] ?? '');
}

function layerOf(file: string): number {
  return LAYERS.findIndex((layer) => layer.includes(folderOf(file)));
}
