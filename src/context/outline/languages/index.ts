import type { GrammarName } from '../grammars.ts';
import type { LanguageRules } from '../symbols.ts';

/** The rules of a grammar's language; only those of languages that are met are loaded. */
export async function rulesOf(grammar: GrammarName): Promise<LanguageRules> {
  switch (grammar) {
    case 'javascript':
    case 'typescript':
    case 'tsx':
      return (await import('./javascript.ts')).javascript;
    case 'python':
      return (await import('./python.ts')).python;
    case 'go':
      return (await import('./go.ts')).go;
    case 'rust':
      return (await import('./rust.ts')).rust;
    case 'java':
      return (await import('./java.ts')).java;
    case 'c-sharp':
      return (await import('./c-sharp.ts')).cSharp;
    case 'cpp':
      return (await import('./cpp.ts')).cpp;
    case 'php':
      return (await import('./php.ts')).php;
    case 'ruby':
      return (await import('./ruby.ts')).ruby;
    case 'bash':
    case 'powershell':
      return (await import('./shells.ts')).shells;
    case 'css':
      return (await import('./css.ts')).css;
  }
}
