/**
 * The bundle for Claude Desktop (.mcpb): a zip with a manifest and the executable, which a user installs by opening it.
 *
 * One per platform, of type `binary`. Type `node` would be one small file for all of them, but which Node runs it is
 * the application's choice: its own, or an older one that it finds on the machine.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { selectTools } from '../src/tools/index.ts';
import { zip } from './archives-zip.mjs';
import { iconPng } from './icon.mjs';

/** The manifest's current version; 0.4 is experimental and adds nothing for this type. */
const MANIFEST_VERSION = '0.3';
const ICON_PIXELS = 512;
const PLATFORMS = { linux: 'linux', win: 'win32', darwin: 'darwin' };

const ABOUT = `Work on the code of this computer: read and search files, edit and patch them, run commands and tests, use git. \
Every change that a tool makes to a file is recorded and can be taken back.

Choose the folders to work in. With the access mode \`full\` the tools reach every file and run every command that you \
can; \`workspace\` keeps them in the folders and commands in a sandbox; \`read-only\` changes nothing.`;

/**
 * @param {object} options
 * @param {string} options.executable  @param {string} options.target  @param {string} options.outDir
 * @param {{ name: string, version: string, description: string, license: string, repository: { url: string } }} options.manifest
 *   package.json
 * @returns {Promise<string>} name of the file written
 */
export async function writeMcpb({ executable, target, manifest, outDir }) {
  const contents = mcpbManifest(manifest, target);
  const files = [
    { name: 'manifest.json', content: Buffer.from(`${JSON.stringify(contents, null, 2)}\n`), mode: 0o644 },
    { name: contents.icon, content: await iconPng(ICON_PIXELS), mode: 0o644 },
    { name: contents.server.entry_point, content: await readFile(executable), mode: 0o755 },
  ];
  const name = `local-coder-${manifest.version}-${target}.mcpb`;
  await writeFile(join(outDir, name), await zip(files));
  return name;
}

/** @returns what stands in the bundle's manifest.json */
export function mcpbManifest({ name, version, description, license, repository }, target) {
  const platform = PLATFORMS[target.split('-')[0]];
  const executable = `server/local-coder${platform === 'win32' ? '.exe' : ''}`;
  return {
    manifest_version: MANIFEST_VERSION,
    name,
    display_name: name,
    version,
    description,
    long_description: ABOUT,
    author: { name: 'local-coder contributors' },
    repository: { type: 'git', url: repository.url.replace(/^git\+/, '') },
    icon: 'icon.png',
    server: {
      type: 'binary',
      entry_point: executable,
      mcp_config: {
        command: `\${__dirname}/${executable}`,
        // Chosen folders become one argument each, which is why they are not values of --workspace.
        args: ['serve', '--stdio', `--access=\${user_config.access}`, `\${user_config.folders}`],
        env: {},
      },
    },
    tools: selectTools('full').map((tool) => ({
      name: tool.name,
      description: firstSentence(tool.description),
    })),
    keywords: ['code', 'files', 'shell', 'git', 'development'],
    license,
    compatibility: { platforms: [platform] },
    user_config: {
      folders: {
        type: 'directory',
        title: 'Folders',
        description:
          'The projects to work on; the first one is where commands run unless they say otherwise.',
        multiple: true,
        required: true,
      },
      access: {
        type: 'string',
        title: 'Access mode',
        description:
          'What the tools may touch: full, workspace (only the folders, commands in a sandbox) or read-only.',
        // Not `required`: of a required value an application asks that it was typed, whatever the default.
        default: 'full',
      },
    },
  };
}

function firstSentence(text) {
  return /^.*?[.](?=\s|$)/s.exec(text)?.[0] ?? text;
}
