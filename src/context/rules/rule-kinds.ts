import { parseFrontMatter, splitAtCommas } from './front-matter.ts';

/** When a rule file holds, as it says itself. */
export type Applies =
  | { readonly when: 'always' }
  /** For paths that match one of the globs, relative to the folder that the rules belong to. */
  | { readonly when: 'globs'; readonly globs: readonly string[] }
  /** When whoever works finds it useful; the description says what for. */
  | { readonly when: 'asked'; readonly description: string };

/** A place where an editor or agent keeps rules for parts of a project. */
export interface RuleKind {
  /** Below the folder that the rules belong to. */
  readonly folder: string;
  readonly name: RegExp;
  /** Only in the top folder of the project. */
  readonly topOnly: boolean;
  readonly applies: (text: string) => Applies;
}

export const RULE_KINDS: readonly RuleKind[] = [
  { folder: '.claude/rules', name: /\.md$/i, topOnly: false, applies: claudeRule },
  { folder: '.cursor/rules', name: /\.(mdc|md)$/i, topOnly: false, applies: cursorRule },
  { folder: '.github/instructions', name: /\.instructions\.md$/i, topOnly: true, applies: copilotRule },
];

/** Files in the top folder that hold for every path. */
export const ALWAYS_FILES: readonly string[] = ['.github/copilot-instructions.md', '.cursorrules'];

/** Claude Code: without `paths` a rule always holds. */
function claudeRule(text: string): Applies {
  const globs = globsIn(text, 'paths');
  return globs.length === 0 ? { when: 'always' } : { when: 'globs', globs };
}

/** Cursor: `alwaysApply`, else `globs`, else the model decides by the description. */
function cursorRule(text: string): Applies {
  const { fields } = parseFrontMatter(text);
  if (fields.get('alwaysApply')?.[0] === 'true') return { when: 'always' };
  const globs = globsIn(text, 'globs').map(anywhere);
  if (globs.length > 0) return { when: 'globs', globs };
  return { when: 'asked', description: fields.get('description')?.join(' ') ?? '' };
}

/** GitHub Copilot: without `applyTo` a file is only used by hand. */
function copilotRule(text: string): Applies {
  const globs = globsIn(text, 'applyTo').map(anywhere);
  if (globs.includes('**') || globs.includes('**/*')) return { when: 'always' };
  if (globs.length > 0) return { when: 'globs', globs };
  return { when: 'asked', description: parseFrontMatter(text).fields.get('description')?.join(' ') ?? '' };
}

function globsIn(text: string, field: string): string[] {
  return (parseFrontMatter(text).fields.get(field) ?? []).flatMap(splitAtCommas);
}

/** There `*.ts` means every such file, however deep; in Claude's rules it means those in the top folder. */
function anywhere(glob: string): string {
  return glob.includes('/') || glob === '**' ? glob : `**/${glob}`;
}
