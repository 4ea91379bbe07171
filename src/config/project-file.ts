import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { systemCode } from '../runtime/errors.ts';
import { isSameOrInside } from '../runtime/paths.ts';
import { definitionOf, environmentName, isSettingName, SETTINGS, type SettingName } from './definitions.ts';
import { parseJsonWithComments } from './json-with-comments.ts';
import { UsageError } from './usage-error.ts';

/**
 * What a project may say about the server that serves it. `.env` and `.local-coder.json` of the working folder
 * belong to whatever repository was cloned there, and the model can write them: only harmless values and values
 * that tighten are taken (cli.md, "Settings").
 */
export interface ProjectValues {
  readonly values: ReadonlyMap<SettingName, { raw: unknown; source: string }>;
  /** Credentials of the openai tunnel, by the names of their variables. */
  readonly credentials: Readonly<Record<string, string>>;
  /** Keys that were there and are not taken, one sentence each. */
  readonly warnings: readonly string[];
}

/** Values a project may choose for a setting that it may only tighten, the loosest first. */
const TIGHTENING: Partial<Record<SettingName, readonly string[]>> = {
  access: ['full', 'workspace', 'read-only'],
  approve: ['never', 'destructive', 'all'],
  tools: ['full', 'slim', 'viewer'],
};

const ENV_ALIASES: Readonly<Record<string, SettingName>> = {
  PORT: 'port',
  WORKSPACE_PATH: 'workspace',
  SHELL_TIMEOUT: 'shell-timeout',
};

const OPENAI_TUNNEL = /^(OPENAI_TUNNEL_ID|OPENAI_TUNNEL_API_KEY)$/;

export async function readProjectValues(folder: string): Promise<ProjectValues> {
  const values = new Map<SettingName, { raw: unknown; source: string }>();
  const warnings: string[] = [];
  const credentials: Record<string, string> = {};
  const take = (name: SettingName, raw: unknown, source: string) => {
    const refusal = refusalOf(name, raw, folder);
    if (refusal === undefined) values.set(name, { raw, source });
    else warnings.push(`${source} is ignored: ${refusal}.`);
  };

  const jsonFile = join(folder, '.local-coder.json');
  const json = await readIfThere(jsonFile);
  if (json !== undefined) {
    for (const [key, raw] of Object.entries(parseJsonWithComments(json, jsonFile))) {
      const source = `"${key}" in .local-coder.json`;
      if (isSettingName(key)) take(key, raw, source);
      else throw new UsageError(`${source} is not a setting. See local-coder --help for the settings.`);
    }
  }
  const dotEnv = await readIfThere(join(folder, '.env'));
  if (dotEnv !== undefined) {
    for (const [key, raw] of Object.entries(parseEnv(dotEnv))) {
      const name = settingOfVariable(key);
      const source = `${key} in .env`;
      if (name !== undefined) take(name, name === 'workspace' ? [raw] : raw, source);
      else if (OPENAI_TUNNEL.test(key)) {
        if (raw) credentials[key] = raw;
        if (raw && key.endsWith('_API_KEY'))
          warnings.push(`${source} can be read there by the model; the environment is a safer place for it.`);
      } else if (key === 'FULL_DISK_ACCESS') take('access', isFalse(raw) ? 'workspace' : 'full', source);
      else if (/^(LOCAL_CODER_|AUDIT_LOG_PATH$|CHATGPT_AUTO_APPROVE$)/.test(key)) {
        warnings.push(`${source} is ignored: a project file may not set it.`);
      }
    }
  }
  return { values, credentials, warnings };
}

function settingOfVariable(variable: string): SettingName | undefined {
  const alias = ENV_ALIASES[variable];
  if (alias !== undefined) return alias;
  return (Object.keys(SETTINGS) as SettingName[]).find((name) => environmentName(name) === variable);
}

function refusalOf(name: SettingName, raw: unknown, folder: string): string | undefined {
  const rule = definitionOf(name).fromProject;
  if (rule === undefined) return 'a project file may not set it';
  if (rule === 'tighten' && TIGHTENING[name]?.[0] === raw) return undefined;
  if (name === 'workspace') {
    const outside = (Array.isArray(raw) ? raw : [raw]).find(
      (path) => typeof path !== 'string' || !isSameOrInside(resolve(folder, path), folder),
    );
    if (outside !== undefined) return 'a project file may only name folders inside its own folder';
  }
  return undefined;
}

/** Index of a value on the scale from loose to tight; -1 for settings without one. */
export function tightness(name: SettingName, value: unknown): number {
  return TIGHTENING[name]?.indexOf(String(value)) ?? -1;
}

export function isFalse(value: string | undefined): boolean {
  return value !== undefined && /^(0|false|no|off)$/i.test(value.trim());
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT' || code === 'EISDIR' || code === 'ENOTDIR') return undefined;
    throw new UsageError(
      `${file} cannot be read (${code ?? 'unknown error'}). Mend its permissions or remove it.`,
    );
  }
}
