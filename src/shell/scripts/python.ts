import { quoteWord } from '../dialects/words.ts';
import type { ProjectFolder, Script, ScriptReader } from './script.ts';
import { hasTomlTable, tomlTable, tomlTablesBelow } from './toml.ts';

/** Task runners of pyproject.toml (poe, pdm, hatch, taskipy), tox, nox, and the usual tools where they are set up. */
export const pythonScripts: ScriptReader = async (folder) => {
  const pyproject = (await folder.read('pyproject.toml')) ?? '';
  const scripts: Script[] = [];
  const add = (runner: string, source: string, name: string, command: string, detail?: string) =>
    scripts.push({ name, runner, command, argumentsAfter: '', source, ...(detail ? { detail } : {}) });

  const tables = [
    ['poe', 'tool.poe.tasks', 'poe'],
    ['pdm', 'tool.pdm.scripts', 'pdm run'],
    ['hatch', 'tool.hatch.envs.default.scripts', 'hatch run'],
    ['taskipy', 'tool.taskipy.tasks', 'task'],
  ] as const;
  for (const [runner, table, command] of tables) {
    for (const [name, detail] of tomlTable(pyproject, table)) {
      if (!name.startsWith('_')) add(runner, 'pyproject.toml', name, `${command} ${quoteWord(name)}`, detail);
    }
    for (const name of tomlTablesBelow(pyproject, table))
      add(runner, 'pyproject.toml', name, `${command} ${quoteWord(name)}`);
  }
  for (const name of await toxEnvironments(folder)) add('tox', 'tox.ini', name, `tox -e ${name}`);
  const nox = (await folder.read('noxfile.py')) ?? '';
  for (const [, name] of nox.matchAll(/^@(?:nox\.)?session[^\n]*\n(?:@[^\n]*\n)*def (\w+)/gm)) {
    if (name !== undefined) add('nox', 'noxfile.py', name, `nox -s ${name}`);
  }
  const pytest = folder.names.has('pytest.ini') ? 'pytest.ini' : 'pyproject.toml';
  if (folder.names.has('pytest.ini') || hasTomlTable(pyproject, 'tool.pytest'))
    add('pytest', pytest, 'test', 'python -m pytest');
  if (folder.names.has('ruff.toml') || hasTomlTable(pyproject, 'tool.ruff')) {
    const source = folder.names.has('ruff.toml') ? 'ruff.toml' : 'pyproject.toml';
    add('ruff', source, 'lint', 'ruff check .');
    add('ruff', source, 'format', 'ruff format .');
  }
  if (folder.names.has('mypy.ini') || hasTomlTable(pyproject, 'tool.mypy')) {
    add('mypy', folder.names.has('mypy.ini') ? 'mypy.ini' : 'pyproject.toml', 'typecheck', 'mypy .');
  }
  return scripts;
};

async function toxEnvironments(folder: ProjectFolder): Promise<string[]> {
  const text = (await folder.read('tox.ini')) ?? '';
  const names = [...text.matchAll(/^\[testenv:([\w.-]+)\]/gm)].map((match) => match[1] ?? '');
  const list = /^env_?list\s*=\s*((?:[^\n]*(?:\n[ \t]+[^\n]*)*))/m.exec(text)?.[1] ?? '';
  for (const name of list.split(/[\s,]+/)) if (/^[\w.-]+$/.test(name)) names.push(name);
  return [...new Set(names)];
}
