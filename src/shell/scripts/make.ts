import type { Script, ScriptReader } from './script.ts';

/** Targets of a Makefile that are named like commands; files, patterns and internals are left out. */
export const makeScripts: ScriptReader = async (folder) => {
  // The order in which GNU make looks.
  const source = ['GNUmakefile', 'makefile', 'Makefile'].find((name) => folder.names.has(name));
  const text = source === undefined ? undefined : await folder.read(source);
  if (source === undefined || text === undefined) return [];
  const scripts = new Map<string, Script>();
  for (const line of text.replaceAll('\\\n', ' ').split('\n')) {
    const match = /^([A-Za-z0-9][^\t:=#$%]*?)\s*::?(?![=:])([^#]*)(?:##?\s*(.*))?$/.exec(line);
    for (const name of match?.[1]?.split(/\s+/) ?? []) {
      if (/[/.]/.test(name) || scripts.has(name)) continue;
      const detail = match?.[3]?.trim();
      scripts.set(name, {
        name,
        runner: 'make',
        command: `make ${name}`,
        argumentsAfter: '',
        source,
        ...(detail ? { detail } : {}),
      });
    }
  }
  return [...scripts.values()];
};

/** Recipes of a justfile; private ones are left out. */
export const justScripts: ScriptReader = async (folder) => {
  const source = ['justfile', 'Justfile', '.justfile'].find((name) => folder.names.has(name));
  const text = source === undefined ? undefined : await folder.read(source);
  if (source === undefined || text === undefined) return [];
  const scripts: Script[] = [];
  let comment: string | undefined;
  let isPrivate = false;
  for (const line of text.split('\n')) {
    const match = /^@?([A-Za-z][\w-]*)((?:\s+[^:=\n]*(?:=[^:\n]*)?)?):(?!=)/.exec(line);
    if (line.startsWith('#')) comment = line.replace(/^#+\s*/, '').trim();
    else if (line.startsWith('[')) isPrivate ||= /\bprivate\b/.test(line);
    else {
      if (match?.[1] !== undefined && !isPrivate && !/^(set|alias|export|import|mod)\s/.test(line)) {
        const detail = [match[2]?.trim(), comment].filter(Boolean).join(': ');
        scripts.push({
          name: match[1],
          runner: 'just',
          command: `just ${match[1]}`,
          argumentsAfter: '',
          source,
          ...(detail ? { detail } : {}),
        });
      }
      comment = undefined;
      isPrivate = false;
    }
  }
  return scripts;
};

/** Tasks of a Rakefile that have a name of their own (not inside a namespace). */
export const rakeScripts: ScriptReader = async (folder) => {
  const source = ['Rakefile', 'rakefile', 'Rakefile.rb'].find((name) => folder.names.has(name));
  const text = source === undefined ? undefined : await folder.read(source);
  if (source === undefined || text === undefined) return [];
  const scripts: Script[] = [];
  let description: string | undefined;
  for (const line of text.split('\n')) {
    description = /^desc\s+(["'])(.*)\1/.exec(line)?.[2] ?? description;
    const name = /^(?:multi)?task\s*\(?\s*:?["']?([A-Za-z]\w*)/.exec(line)?.[1];
    if (name === undefined) continue;
    scripts.push({
      name,
      runner: 'rake',
      command: `rake ${name}`,
      argumentsAfter: '',
      source,
      ...(description === undefined ? {} : { detail: description }),
    });
    description = undefined;
  }
  return scripts;
};
