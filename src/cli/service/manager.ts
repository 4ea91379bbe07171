import type { ServiceDefinition } from './definition.ts';

/** What the system says of a service. */
export interface ServiceState {
  /** It starts at the next login. */
  readonly isEnabled: boolean;
  /** Its process is there, or is being started again. */
  readonly isActive: boolean;
  /** In the system's words, for people. */
  readonly detail: string;
  /** The process that serves, while there is one. */
  readonly pid: number | undefined;
}

/** A system's way of starting programs at login; one file for each system, the same names in each. */
export interface ServiceManager {
  /** What the system calls it. */
  readonly id: string;
  /** Where the definition is kept, for people. */
  readonly place: string;
  /** How the log is read in full, for people. */
  readonly logPlace: string;
  /** Whether services can be had here at all. @throws {UsageError} with the next step */
  check(): Promise<void>;
  /** The definition's text. */
  text(definition: ServiceDefinition): string;
  /** What is installed now; undefined when nothing is. */
  current(): Promise<string | undefined>;
  /** Whether the installed definition says what the text says. */
  isSame(installed: string, text: string): boolean;
  /** Puts the definition there and starts it anew. @throws {UsageError} with what the system said */
  install(text: string): Promise<void>;
  state(): Promise<ServiceState>;
  /** Ends it and takes the definition away. @throws {UsageError} */
  remove(): Promise<void>;
  /** The last lines of its log, oldest first; a sentence in their place where they cannot be read. */
  log(count: number): Promise<string[]>;
  /** What a person should know after the installation. */
  notes(): Promise<string[]>;
}
