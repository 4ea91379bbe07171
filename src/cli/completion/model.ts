import { definitionOf, SETTINGS, type SettingName } from '../../config/definitions.ts';
import { COMMANDS, type CommandName, commandDefinition } from '../commands.ts';

/** What may stand behind a flag: nothing, one of some words, a folder, a file, or anything. */
export type FlagValue = 'none' | 'folder' | 'file' | 'any' | readonly string[];

export interface Flag {
  /** With its dashes. */
  readonly flag: string;
  readonly value: FlagValue;
  readonly help: string;
}

export interface Command {
  readonly name: string;
  readonly help: string;
  /** The words that may follow, each with those that may follow it. */
  readonly actions: Readonly<Record<string, readonly string[]>>;
  readonly flags: readonly Flag[];
}

/** All that can be completed, from the tables that the command line itself is read with. */
export interface CompletionModel {
  readonly commands: readonly Command[];
  /** Flags without a command, which are those of serve. */
  readonly flags: readonly Flag[];
  /** The command behind which folders stand. */
  readonly foldersOf: 'serve';
}

export function completionModel(): CompletionModel {
  const names = (Object.keys(COMMANDS) as CommandName[]).filter(
    (name) => commandDefinition(name).help !== '',
  );
  const commands = names.map((name): Command => {
    const { help, actions = {}, switches, values = {}, settings } = commandDefinition(name);
    return {
      name,
      help: firstPart(help),
      actions,
      flags: [
        ...switches.map((flag) => ({ flag: `--${flag}`, value: 'none' as const, help: '' })),
        ...Object.entries(values).map(([flag, placeholder]) => ({
          flag: `--${flag}`,
          value: kindOf(placeholder),
          help: '',
        })),
        ...settingFlags(settings),
        { flag: '--help', value: 'none', help: 'how to use it' },
      ],
    };
  });
  return {
    commands: [...commands, { name: 'help', help: 'what there is', actions: {}, flags: [] }],
    foldersOf: 'serve',
    flags: [
      ...settingFlags(undefined),
      { flag: '--version', value: 'none', help: 'the version of this program' },
      { flag: '--help', value: 'none', help: 'how to use it' },
    ],
  };
}

function settingFlags(taken: readonly SettingName[] | undefined): Flag[] {
  return (Object.keys(SETTINGS) as SettingName[])
    .filter((name) => definitionOf(name).help !== '' && (taken?.includes(name) ?? true))
    .map((name) => {
      const { kind, placeholder = '', help } = definitionOf(name);
      const value = kind === 'flag' ? 'none' : (wordsOf(name) ?? kindOf(placeholder));
      return { flag: `--${name}`, value, help: firstPart(help) };
    });
}

/** The values of a setting that has a few, without those that this version refuses. */
function wordsOf(name: SettingName): readonly string[] | undefined {
  const { schema, notAvailable } = definitionOf(name);
  if (!('options' in schema) || !Array.isArray(schema.options)) return undefined;
  const words = schema.options.filter((option): option is string => typeof option === 'string');
  return words.length === 0 ? undefined : words.filter((word) => notAvailable?.(word) === undefined);
}

function kindOf(placeholder: string): FlagValue {
  if (placeholder === 'DIR' || placeholder === 'FOLDER') return 'folder';
  if (placeholder === 'FILE') return 'file';
  return /^[a-z-]+(\|[a-z-]+)+$/.test(placeholder) ? placeholder.split('|') : 'any';
}

/** Up to the first colon, semicolon or parenthesis: a list has one line for each. */
function firstPart(text: string): string {
  return text.split(/[:;(]| \[/)[0]?.trim() ?? '';
}
