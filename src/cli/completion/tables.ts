import type { Command, CompletionModel, Flag } from './model.ts';

/** The commands that have anything to complete. */
export function perCommand({ commands }: CompletionModel): readonly Command[] {
  return commands.filter(({ flags, actions }) => flags.length > 0 || Object.keys(actions).length > 0);
}

/** Every flag that takes a value, once: no two commands give one name different meanings. */
export function withValue({ commands, flags }: CompletionModel): Flag[] {
  const byName = new Map<string, Flag>();
  for (const flag of [...flags, ...commands.flatMap((command) => command.flags)]) {
    if (flag.value !== 'none' && !byName.has(flag.flag)) byName.set(flag.flag, flag);
  }
  return [...byName.values()];
}

/** The words that may follow a path such as `client add`. */
export function pathsOf(commands: readonly Command[]): [path: string, next: readonly string[]][] {
  return commands.flatMap(({ name, actions }): [string, readonly string[]][] => [
    ...(Object.keys(actions).length === 0
      ? []
      : [[name, Object.keys(actions)] as [string, readonly string[]]]),
    ...Object.entries(actions)
      .filter(([, next]) => next.length > 0)
      .map(([action, next]): [string, readonly string[]] => [`${name} ${action}`, next]),
  ]);
}
