import { UsageError } from '../../config/usage-error.ts';

/** A server that the system starts at login. */
export interface ServiceDefinition {
  readonly name: string;
  /** Absolute path of the program. */
  readonly command: string;
  /** What starts it: everything before the options of the server. */
  readonly args: readonly string[];
  readonly options: readonly string[];
  /** The working folder: where .env and .local-coder.json are looked for. */
  readonly folder: string;
  /** PATH of the terminal in which it was installed: what a login session has is often less. */
  readonly path: string;
  readonly stateDir: string;
}

/** What a definition says of itself: that it is ours, and where its state is. */
export interface Marker {
  readonly name: string;
  readonly stateDir: string;
}

export const DEFAULT_NAME = 'default';
const MARK = 'local-coder-service';

/** "local-coder" for the default name, else with the name behind it. */
export function serviceId(name: string, separator = '-'): string {
  return name === DEFAULT_NAME ? 'local-coder' : `local-coder${separator}${name}`;
}

/** The name of a service with this id; undefined for what is none of ours. */
export function nameOfId(id: string, separator = '-'): string | undefined {
  if (id === 'local-coder') return DEFAULT_NAME;
  const prefix = `local-coder${separator}`;
  return id.startsWith(prefix) && id.length > prefix.length ? id.slice(prefix.length) : undefined;
}

/** One line for a comment of any format: a "--" would end one of XML, a brace the marker. */
export function markerLine({ name, stateDir }: Marker): string {
  const inner = JSON.stringify({ name, stateDir })
    .slice(1, -1)
    .replace(/[-<>&'{}]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return `${MARK} {${inner}}`;
}

/** The marker in a definition; undefined for one that somebody else wrote. */
export function readMarker(text: string): Marker | undefined {
  const found = new RegExp(`${MARK} (\\{[^\\r\\n]*?\\})`).exec(text.replaceAll('&quot;', '"'))?.[1];
  if (found === undefined) return undefined;
  try {
    const marker = JSON.parse(found) as Partial<Marker>;
    const { name, stateDir } = marker;
    return typeof name === 'string' && typeof stateDir === 'string' ? { name, stateDir } : undefined;
  } catch {
    return undefined;
  }
}

/** @throws {UsageError} for characters that no definition can hold */
export function assertPrintable(definition: ServiceDefinition): void {
  const texts = [
    definition.command,
    ...definition.args,
    ...definition.options,
    definition.folder,
    definition.path,
  ];
  const odd = texts.find((text) => /[\u0000-\u001f\u007f]/.test(text));
  if (odd !== undefined) {
    throw new UsageError(
      `${JSON.stringify(odd)} has a control character, which a service cannot be given. Rename it first.`,
    );
  }
}
