import type { Script, ScriptReader } from './script.ts';
import { tomlTable } from './toml.ts';

/** What every Cargo package can do, and the aliases of .cargo/config.toml. */
export const cargoScripts: ScriptReader = async (folder) => {
  if (!folder.names.has('Cargo.toml')) return [];
  const usual = { build: 'build', test: 'test', check: 'check', lint: 'clippy', format: 'fmt', run: 'run' };
  const scripts = Object.entries(usual).map(([name, command]) =>
    standard('cargo', 'Cargo.toml', name, `cargo ${command}`, '--'),
  );
  const config = (await folder.read('.cargo/config.toml')) ?? (await folder.read('.cargo/config'));
  for (const [name, detail] of tomlTable(config ?? '', 'alias')) {
    scripts.push({ ...standard('cargo', '.cargo/config.toml', name, `cargo ${name}`, ''), detail });
  }
  // `cargo build x` is an error: what follows goes to cargo itself there.
  return scripts.map((script) =>
    /^(test|run)$/.test(script.name) ? script : { ...script, argumentsAfter: '' },
  );
};

export const goScripts: ScriptReader = async (folder) => {
  if (!folder.names.has('go.mod')) return [];
  const usual = {
    build: 'go build ./...',
    test: 'go test ./...',
    lint: 'go vet ./...',
    format: 'gofmt -l -w .',
  };
  return Object.entries(usual).map(([name, command]) => standard('go', 'go.mod', name, command, ''));
};

/** Gradle's usual tasks, and those that the build file registers. */
export const gradleScripts: ScriptReader = async (folder) => {
  const source = ['build.gradle.kts', 'build.gradle'].find((name) => folder.names.has(name));
  if (source === undefined) return [];
  const runner = wrapper(folder.names, 'gradlew', 'gradle');
  const names = new Set(['build', 'test', 'check', 'clean']);
  const text = (await folder.read(source)) ?? '';
  for (const [, registered, plain] of text.matchAll(
    /^\s*(?:tasks\.(?:register|create)(?:<\w+>)?\s*\(?\s*["'](\w+)["']|task\s+["']?(\w+))/gm,
  )) {
    names.add(registered ?? plain ?? '');
  }
  names.delete('');
  return [...names].map((name) => standard('gradle', source, name, `${runner} ${name}`, ''));
};

export const mavenScripts: ScriptReader = async (folder) => {
  if (!folder.names.has('pom.xml')) return [];
  const runner = wrapper(folder.names, 'mvnw', 'mvn');
  const usual = { build: 'package -DskipTests', test: 'test', verify: 'verify', clean: 'clean' };
  return Object.entries(usual).map(([name, goal]) =>
    standard('maven', 'pom.xml', name, `${runner} ${goal}`, ''),
  );
};

export const dotnetScripts: ScriptReader = async (folder) => {
  const source = [...folder.names].find((name) => /\.(sln|slnx|csproj|fsproj|vbproj)$/.test(name));
  if (source === undefined) return [];
  return ['build', 'test', 'run', 'format'].map((name) =>
    standard('dotnet', source, name, `dotnet ${name}`, ''),
  );
};

function wrapper(names: ReadonlySet<string>, script: string, program: string): string {
  if (process.platform === 'win32')
    return names.has(`${script}.bat`) || names.has(`${script}.cmd`) ? `.\\${script}` : program;
  return names.has(script) ? `./${script}` : program;
}

function standard(
  runner: string,
  source: string,
  name: string,
  command: string,
  argumentsAfter: string,
): Script {
  return { name, runner, command, argumentsAfter, source };
}
