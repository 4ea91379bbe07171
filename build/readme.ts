/**
 * The parts of README.md and its translations that are made from the program itself, and the address in the installers.
 * `npm run docs` rewrites them; a test holds them against the program.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { definitionOf, SETTINGS, type SettingName } from '../src/config/definitions.ts';
import { REPOSITORY_URL } from '../src/runtime/release.ts';
import type { ToolDefinition } from '../src/tools/define.ts';
import { selectTools } from '../src/tools/index.ts';

/** Each with the parts that it has; what the tools do is said by hand in the other languages. */
export const READMES = {
  'README.md': ['install', 'tools', 'settings'],
  'docs/README.vi.md': ['install'],
  'docs/README.zh-CN.md': ['install'],
} as const;

const PARTS = {
  install: installCommands,
  tools: () => toolTable(selectTools('full')),
  settings: settingsTable,
};

/** A README's text as it should be. */
export async function upToDateReadme(name: keyof typeof READMES): Promise<string> {
  let text = await readFile(new URL(`../${name}`, import.meta.url), 'utf8');
  for (const part of READMES[name]) text = withPart(text, part, PARTS[part]());
  return text;
}

/** The installers, each with the line that names where releases lie. */
export const INSTALLERS: Readonly<Record<string, RegExp>> = {
  'install.sh': /^RELEASES='.*'$/m,
  'install.ps1': /^ {4}\$releases = '.*'$/m,
};

/** An installer's text as it should be. */
export async function upToDateInstaller(name: keyof typeof INSTALLERS): Promise<string> {
  const text = await readFile(new URL(`../${name}`, import.meta.url), 'utf8');
  const line = INSTALLERS[name];
  if (line === undefined || !line.test(text))
    throw new Error(`${name} has no line for the address of releases`);
  return text.replace(line, (old) => old.replace(/'.*'/, () => `'${REPOSITORY_URL}/releases'`));
}

/** Replaces what stands between `<!-- name: … -->` and `<!-- /name -->`. */
export function withPart(text: string, name: string, part: string): string {
  const pattern = new RegExp(`(<!-- ${name}:[^>]*-->\\n)[\\s\\S]*?(<!-- /${name} -->)`);
  if (!pattern.test(text)) throw new Error(`There is no part "${name}"`);
  return text.replace(pattern, (_, start: string, end: string) => `${start}\n${part}\n\n${end}`);
}

function installCommands(): string {
  const latest = `${REPOSITORY_URL}/releases/latest/download`;
  return [
    '```sh',
    `curl -fsSL ${latest}/install.sh | sh`,
    '```',
    '',
    '```powershell',
    `irm ${latest}/install.ps1 | iex`,
    '```',
  ].join('\n');
}

function toolTable(tools: readonly ToolDefinition[]): string {
  const rows = tools.map((tool) => {
    const kind = tool.annotations.readOnlyHint
      ? 'reads'
      : tool.annotations.destructiveHint
        ? 'changes'
        : 'adds';
    return `| \`${tool.name}\` | ${kind}${tool.slim ? ', slim' : ''} | ${cell(firstSentence(tool.description))} |`;
  });
  return [
    `${tools.length} tools; those marked slim are also there with \`--tools slim\`.`,
    '',
    '| tool | | what it does |',
    '|---|---|---|',
    ...rows,
  ].join('\n');
}

function settingsTable(): string {
  const rows = (Object.keys(SETTINGS) as SettingName[])
    .filter((name) => definitionOf(name).help !== '')
    .map((name) => {
      const { placeholder, help } = definitionOf(name);
      return `| \`--${name}${placeholder === undefined ? '' : ` ${placeholder.replaceAll('|', '\\|')}`}\` | ${cell(help)} |`;
    });
  return ['| flag | meaning |', '|---|---|', ...rows].join('\n');
}

function firstSentence(text: string): string {
  return /^.*?[.](?=\s|$)/s.exec(text)?.[0] ?? text;
}

function cell(text: string): string {
  // A glob is no emphasis.
  return text.replaceAll(/[|*]/g, '\\$&').replaceAll('\n', ' ');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const name of Object.keys(READMES) as (keyof typeof READMES)[]) {
    await writeFile(new URL(`../${name}`, import.meta.url), await upToDateReadme(name));
  }
  for (const name of Object.keys(INSTALLERS)) {
    await writeFile(new URL(`../${name}`, import.meta.url), await upToDateInstaller(name));
  }
}
