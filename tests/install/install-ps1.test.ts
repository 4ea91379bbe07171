/** install.ps1 cannot run on every machine that develops it: its syntax, and what would break it in Windows PowerShell. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { Language, type Node, Parser } from 'web-tree-sitter';
import { ROOT } from '../support/built.ts';

const TEXT = readFileSync(join(ROOT, 'install.ps1'), 'utf8');

describe('install.ps1', () => {
  let parser: Parser;
  before(async () => {
    await Parser.init();
    const grammar = createRequire(import.meta.url).resolve(
      '@vscode/tree-sitter-wasm/wasm/tree-sitter-powershell.wasm',
    );
    parser = new Parser();
    parser.setLanguage(await Language.load(grammar));
  });

  const parsed = (text: string): Node => {
    const tree = parser.parse(text);
    assert.ok(tree);
    return tree.rootNode;
  };

  test('parses without an error', () => {
    assert.deepEqual(problems(parsed(TEXT)), []);
    assert.notDeepEqual(problems(parsed(TEXT.slice(0, -20))), [], 'a script that was cut off is no script');
    assert.notDeepEqual(problems(parsed('if ($true) { Write-Host "x }')), []);
  });

  test('is ASCII: Windows PowerShell reads a file without a byte order mark in the code page of the machine', () => {
    assert.match(TEXT, /^[\n\x20-\x7e]*$/);
  });

  test('uses nothing that Windows PowerShell 5.1 lacks', () => {
    // The grammar is that of 5.1: conditional operators of PowerShell 7 are errors in it, `&&` alone is not.
    for (const newer of ['$x ? 1 : 2', '$x ?? 1', '$a?.b']) assert.notDeepEqual(problems(parsed(newer)), []);
    const code = withoutCommentsAndStrings(parsed(TEXT));
    for (const operator of ['&&', '||']) assert.ok(!code.includes(operator), operator);
    // Automatic variables of PowerShell 7 alone, which StrictMode makes an error.
    assert.doesNotMatch(code, /\$Is(Windows|Linux|MacOS|CoreCLR)\b/);
    assert.doesNotMatch(code, /Join-Path([^\S\n]+\S+){3,}$/m);
    for (const [line] of code.matchAll(/Invoke-WebRequest.*/g)) assert.match(line, /-UseBasicParsing/);
    assert.doesNotMatch(code, /Invoke-Expression|\biex\b|ExecutionPolicy|\bexit\b|RunAs/i);
  });

  test('every function that is called is defined, or a command of PowerShell', () => {
    const commands = nodes(parsed(TEXT), 'command_name').map((node) => node.text);
    const own = nodes(parsed(TEXT), 'function_name').map((node) => node.text);
    const known = [
      'Add-Type',
      'ForEach-Object',
      'Get-ItemProperty',
      'Invoke-WebRequest',
      'Join-Path',
      'New-Object',
      'Remove-Item',
      'Remove-Variable',
      'Set-StrictMode',
      'Start-Sleep',
      'Write-Host',
      'Write-Verbose',
    ];
    assert.deepEqual(
      [...new Set(commands)].filter((name) => !own.includes(name) && !known.includes(name)),
      [],
    );
    assert.deepEqual(
      own.filter((name) => !commands.includes(name)),
      [],
      'functions that nobody calls',
    );
  });
});

function problems(root: Node): string[] {
  const found: string[] = [];
  walk(root, (node) => {
    if (node.isError || node.isMissing) found.push(`${node.type} in line ${node.startPosition.row + 1}`);
  });
  return found;
}

function nodes(root: Node, kind: string): Node[] {
  const found: Node[] = [];
  walk(root, (node) => {
    if (node.type === kind) found.push(node);
  });
  return found;
}

function withoutCommentsAndStrings(root: Node): string {
  let text = root.text;
  walk(root, (node) => {
    if (!/^(comment|string_literal)$/.test(node.type)) return;
    const blank = node.text.replace(/[^\n]/g, '_');
    text = text.slice(0, node.startIndex) + blank + text.slice(node.endIndex);
  });
  return text;
}

function walk(node: Node, visit: (node: Node) => void): void {
  visit(node);
  for (const child of node.children) if (child !== null) walk(child, visit);
}
