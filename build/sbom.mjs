/**
 * The release's SBOM (CycloneDX): what npm knows of the packages that the product uses, and what npm does not know,
 * the parts inside of them and Node under each executable. The same sources give the same bytes: there is no time
 * stamp in it, and its serial number is made from its contents.
 */
import { createHash } from 'node:crypto';
import { npm } from './npm.mjs';

/**
 * @typedef {object} NodeBase  the npm package that Node was taken from for a target
 * @property {string} target  @property {string} name  @property {string} version
 * @property {string} integrity  as in package-lock.json
 */

/**
 * @param {object} options
 * @param {string} options.root  of the repository
 * @param {{ name: string, version: string }} options.manifest  package.json
 * @param {readonly import('./licences.mjs').Licence[]} options.licences  of everything in the files
 * @param {readonly NodeBase[]} options.bases
 * @returns {Promise<string>} JSON
 */
export async function makeSbom({ root, manifest, licences, bases }) {
  // npm's own --omit=dev loses every package that development uses as well, the MCP SDK among them.
  const printed = await npm(['sbom', '--sbom-format=cyclonedx', '--package-lock-only'], { cwd: root });
  const all = JSON.parse(printed);
  const packages = all.components.filter(
    (component) => !isForDevelopment(component) && !isNodeBase(component),
  );
  const known = new Set(packages.map(({ purl }) => purl));
  assertComplete(licences, known);
  const embedded = licences.filter(({ purl }) => !known.has(purl)).map(embeddedComponent);
  const nodes = bases.map(nodeComponent);
  const components = [...packages, ...embedded, ...nodes].sort(byReference);

  const own = { ...all.metadata.component, name: manifest.name, type: 'application', properties: [] };
  const references = new Set([own, ...components].map((component) => component['bom-ref']));
  const kept = all.dependencies.filter(({ ref }) => references.has(ref));
  const dependencies = [
    ...kept.map(({ ref, dependsOn }) => ({
      ref,
      dependsOn: [
        ...dependsOn.filter((other) => references.has(other)),
        ...(ref === own['bom-ref'] ? [...embedded, ...nodes].map((component) => component['bom-ref']) : []),
      ].sort(),
    })),
  ];
  const { $schema, bomFormat, specVersion } = all;
  const metadata = { lifecycles: [{ phase: 'build' }], component: own };
  const contents = { version: 1, metadata, components, dependencies };
  return `${JSON.stringify({ $schema, bomFormat, specVersion, serialNumber: serial(contents), ...contents }, null, 2)}\n`;
}

/** What is in the bundle must be among what npm says that the product uses: else npm has lost a package again. */
function assertComplete(licences, known) {
  const lost = licences.filter(
    ({ within, purl }) => within === 'local-coder' && purl?.startsWith('pkg:npm/'),
  );
  const missing = lost.find(({ purl }) => !known.has(purl));
  if (missing)
    throw new Error(`npm sbom does not list ${missing.name} ${missing.version}, which is in the bundle.`);
}

function isForDevelopment({ properties }) {
  return properties?.some(({ name }) => name === 'cdx:npm:package:development') ?? false;
}

/** The Node that the sources run on; what the executables have comes from the table of targets. */
function isNodeBase({ name }) {
  return /^node(-bin)?-(linux|darwin|win)-/.test(name);
}

function embeddedComponent({ name, version, spdx, within, purl }) {
  return {
    'bom-ref': `${within}/${name}@${version}`,
    type: 'library',
    name,
    ...(version === '' ? {} : { version }),
    ...(purl === undefined ? {} : { purl }),
    licenses: [{ license: { id: spdx } }],
    properties: [{ name: 'local-coder:within', value: within }],
  };
}

function nodeComponent({ target, name, version, integrity }) {
  return {
    'bom-ref': `node@${version}/${target}`,
    type: 'platform',
    name: 'node',
    version,
    purl: `pkg:npm/${name}@${version}`,
    // Its own; the licences of what it is made of are in the text that nodeLicence (licences-node.mjs) takes over.
    licenses: [{ license: { id: 'MIT' } }],
    hashes: [
      { alg: 'SHA-512', content: Buffer.from(integrity.replace(/^sha512-/, ''), 'base64').toString('hex') },
    ],
    properties: [{ name: 'local-coder:target', value: target }],
  };
}

function byReference(one, other) {
  return one['bom-ref'] < other['bom-ref'] ? -1 : 1;
}

/** A UUID of version 8, the kind whose bits are the maker's own. */
function serial(contents) {
  const hex = createHash('sha256').update(JSON.stringify(contents)).digest('hex');
  const groups = [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `8${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ];
  return `urn:uuid:${groups.join('-')}`;
}
