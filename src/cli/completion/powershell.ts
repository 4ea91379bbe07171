import type { CompletionModel, Flag } from './model.ts';
import { pathsOf, perCommand, withValue } from './tables.ts';

/** For Windows PowerShell 5.1 and PowerShell 7. */
export function powershellCompletion(model: CompletionModel): string {
  const commands = perCommand(model);
  return `# Completion of local-coder for PowerShell.
# Install it for yourself: add this line to the file that $PROFILE names, and start PowerShell anew:
#   local-coder completion powershell | Out-String | Invoke-Expression

Register-ArgumentCompleter -Native -CommandName @('local-coder', 'local-coder.exe') -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $values = @{
${withValue(model)
  .map(({ flag, value }) => `        ${quoted(flag)} = ${valueList(value)}`)
  .join('\n')}
    }
    $next = @{
        '' = ${list(model.commands.map(({ name }) => name))}
${pathsOf(commands)
  .map(([path, words]) => `        ${quoted(path)} = ${list(words)}`)
  .join('\n')}
    }
    $flags = @{
        '' = ${list(model.flags.map(({ flag }) => flag))}
${commands.map(({ name, flags }) => `        ${quoted(name)} = ${list(flags.map(({ flag }) => flag))}`).join('\n')}
    }

    $before = @($commandAst.CommandElements |
        Where-Object { $_.Extent.EndOffset -lt $cursorPosition } |
        Select-Object -Skip 1 |
        ForEach-Object { $_.ToString() })
    $path = @()
    $pending = ''
    foreach ($word in $before) {
        if ($pending) { $pending = ''; continue }
        if ($values.ContainsKey($word)) { $pending = $word; continue }
        if (-not $word.StartsWith('-')) { $path += $word }
    }

    $prefix = ''
    $current = $wordToComplete
    if (-not $pending -and $current -match '^(--[a-z-]+)=(.*)$' -and $values.ContainsKey($Matches[1])) {
        $pending = $Matches[1]
        $prefix = $pending + '='
        $current = $Matches[2]
    }
    $command = if ($path.Count -gt 0) { $path[0] } else { '' }
    $isFolder = $command -eq ${quoted(model.foldersOf)} -and -not $current.StartsWith('-')
    if ($pending -or $isFolder) {
        $candidates = 'folder'
        if ($pending) { $candidates = $values[$pending] }
        if ($candidates -is [string]) {
            if ($candidates -eq 'any') { return }
            $onlyFolders = $candidates -eq 'folder'
            $candidates = @(Get-ChildItem -Path ($current + '*') -Directory:$onlyFolders -ErrorAction SilentlyContinue |
                ForEach-Object { $_.FullName })
            $current = ''
        }
    } elseif ($current.StartsWith('-')) {
        $candidates = $flags[$command]
    } else {
        $candidates = $next[$path -join ' ']
    }
    foreach ($candidate in $candidates) {
        if (-not $candidate.StartsWith($current)) { continue }
        $text = $prefix + $candidate
        # What is put into the line is read as code: $(...), ; and & in a name must not be. Quotes have five spellings.
        if ($text -notmatch '^[A-Za-z0-9_./\\\\:=-]+$') {
            $text = "'" + ($text -replace "['\\u2018-\\u201b]", '$0$0') + "'"
        }
        [System.Management.Automation.CompletionResult]::new($text, $candidate, 'ParameterValue', $candidate)
    }
}
`;
}

function valueList(value: Flag['value']): string {
  return typeof value === 'string' ? quoted(value) : list(value);
}

function list(words: readonly string[]): string {
  return `@(${words.map(quoted).join(', ')})`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
