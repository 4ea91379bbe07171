import type { Dialect, Invocation, ShellState } from './dialect.ts';
import { latin1ToUtf8, utf8ToLatin1 } from './words.ts';

/** Made by PowerShell itself at each start. */
const OWN_ENVIRONMENT =
  /^(PSModulePath|POWERSHELL_DISTRIBUTION_CHANNEL|PSExecutionPolicyPreference|PWD|OLDPWD|SHLVL|_)$/i;

/**
 * What is there before anything is restored, by name, so that only what the user added is saved; and the save. It
 * runs in a `finally`, which `exit` and `throw` pass through as well. Values that are no text, number, list or table
 * of these become plain copies, as in a remote session.
 */
const SAVE = `$global:__lc_functions = @{}
Get-ChildItem function: | ForEach-Object { $global:__lc_functions[$_.Name] = $_.Definition }
$global:__lc_aliases = @{}
Get-ChildItem alias: | ForEach-Object { $global:__lc_aliases[$_.Name] = $_.Definition }
$global:__lc_variables = @{}
Get-Variable -Scope Global | ForEach-Object { $global:__lc_variables[$_.Name] = $true }
function global:__lc_save {
  if (-not $global:__lc_dump) { return }
  $environment = @{}
  foreach ($entry in [Environment]::GetEnvironmentVariables().GetEnumerator()) { $environment[[string]$entry.Key] = [string]$entry.Value }
  $functions = @{}
  Get-ChildItem function: | Where-Object { $_.Name -notlike '__lc_*' -and $global:__lc_functions[$_.Name] -cne $_.Definition } | ForEach-Object { $functions[$_.Name] = [string]$_.Definition }
  $aliases = @{}
  Get-ChildItem alias: | Where-Object { $global:__lc_aliases[$_.Name] -cne $_.Definition } | ForEach-Object { $aliases[$_.Name] = [string]$_.Definition }
  $variables = @{}
  Get-Variable -Scope Global | Where-Object { -not $global:__lc_variables.ContainsKey($_.Name) -and $_.Name -notlike '__lc_*' -and $_.Options -eq 'None' } | ForEach-Object { $variables[$_.Name] = $_.Value }
  $state = @{
    cwd = (Get-Location -PSProvider FileSystem).ProviderPath
    environment = $environment; functions = $functions; aliases = $aliases
    variables = [Management.Automation.PSSerializer]::Serialize($variables, 3)
  }
  [IO.File]::WriteAllText($global:__lc_dump, (ConvertTo-Json $state -Depth 3 -Compress))
  $global:__lc_dump = $null
}`;

interface Dump {
  readonly cwd: string;
  readonly environment: Record<string, string>;
  readonly functions: Record<string, string>;
  readonly aliases: Record<string, string>;
  readonly variables: string;
}

function powershell(kind: 'pwsh' | 'powershell'): Dialect {
  return {
    kind,
    // Always a file: no quoting survives the way through a Windows command line better.
    maxArgumentBytes: -1,
    quote,

    restoreScript(state) {
      const lines = [SAVE];
      if (state.variables !== '') {
        lines.push(
          `$__lc_saved = [Management.Automation.PSSerializer]::Deserialize(${quote(state.variables)})`,
          'foreach ($__lc_name in @($__lc_saved.Keys)) { Set-Variable -Scope Global -Name $__lc_name -Value $__lc_saved[$__lc_name] }',
        );
      }
      for (const [name, body] of Object.entries(state.functions)) {
        lines.push(
          `Set-Item -LiteralPath ${quote(`function:global:${name}`)} -Value ([ScriptBlock]::Create(${quote(body)}))`,
        );
      }
      for (const [name, target] of Object.entries(readAliases(state))) {
        lines.push(`Set-Alias -Scope Global -Force -Name ${quote(name)} -Value ${quote(target)}`);
      }
      return utf8ToLatin1(`${lines.join('\n')}\n`);
    },

    functionsScript: () => '',

    // The last line tells how the last command ended; after an error it is not reached.
    commandFileText: (command) => `${command}\n$global:__lc_ok = $?\n`,

    invocation(_command, _state, files): Invocation {
      const run = [
        `$ProgressPreference = 'SilentlyContinue'`,
        '$OutputEncoding = [Console]::OutputEncoding = New-Object Text.UTF8Encoding $false',
        `$global:__lc_dump = ${quote(files.dump)}`,
        `. ([ScriptBlock]::Create([IO.File]::ReadAllText(${quote(files.restore)})))`,
        '$global:LASTEXITCODE = 0; $global:__lc_ok = $true',
        `try { . ([ScriptBlock]::Create([IO.File]::ReadAllText(${quote(files.command ?? '')}))) } finally { __lc_save }`,
        'if ($global:__lc_ok) { exit 0 } elseif ($LASTEXITCODE) { exit $LASTEXITCODE } else { exit 1 }',
      ].join('\n');
      const encoded = Buffer.from(run, 'utf16le').toString('base64');
      const options = [
        '-NoLogo',
        '-NoProfile',
        '-NonInteractive',
        '-ExecutionPolicy',
        'Bypass',
        '-OutputFormat',
        'Text',
      ];
      return { args: [...options, '-EncodedCommand', encoded] };
    },

    parseDump(dump, _previous, environment) {
      const state = readDump(latin1ToUtf8(dump) ?? '');
      if (!state) return undefined;
      return {
        cwd: state.cwd,
        environment: changedEnvironment(state.environment, environment, OWN_ENVIRONMENT),
        variables: state.variables,
        functions: state.functions,
        settings: JSON.stringify(state.aliases),
        options: '',
      };
    },
  };
}

export const pwsh = powershell('pwsh');
export const windowsPowershell = powershell('powershell');

/** Differences of an environment; names differ in case alone on Windows, where they mean the same. */
export function changedEnvironment(
  after: Readonly<Record<string, string>>,
  before: Readonly<Record<string, string>>,
  isOwn: RegExp,
): Record<string, string | null> {
  const changed: Record<string, string | null> = {};
  const known = new Map(Object.entries(before).map(([name, value]) => [name.toUpperCase(), value]));
  const left = new Set(Object.keys(after).map((name) => name.toUpperCase()));
  for (const [name, value] of Object.entries(after)) {
    if (!isOwn.test(name) && !/^(LOCAL_CODER_|__lc_)/i.test(name) && known.get(name.toUpperCase()) !== value)
      changed[name] = value;
  }
  for (const name of Object.keys(before))
    if (!left.has(name.toUpperCase()) && !isOwn.test(name)) changed[name] = null;
  return changed;
}

function readDump(text: string): Dump | undefined {
  try {
    const parsed: unknown = JSON.parse(text.replace(/^\ufeff/, ''));
    if (typeof parsed !== 'object' || parsed === null || !('cwd' in parsed)) return undefined;
    // Written by SAVE above; empty tables may be missing.
    const { cwd, environment = {}, functions = {}, aliases = {}, variables = '' } = parsed as Dump;
    return { cwd, environment, functions, aliases, variables };
  } catch {
    return undefined;
  }
}

function readAliases(state: ShellState): Record<string, string> {
  return state.settings === '' ? {} : (JSON.parse(state.settings) as Record<string, string>);
}

/** PowerShell takes typographic quotes for quotes, too. */
function quote(text: string): string {
  return `'${text.replaceAll(/['\u2018\u2019\u201a\u201b]/g, '$&$&')}'`;
}
