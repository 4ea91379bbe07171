/** One thing that a project defines and that can be run by its name. */
export interface Script {
  /** Unique within a folder: a name that two manifests define is "make:test" the second time. */
  readonly name: string;
  /** The program that runs it: npm, make, cargo … */
  readonly runner: string;
  /** The exact command, without further arguments. */
  readonly command: string;
  /** What stands between the command and further arguments ("--" for npm). */
  readonly argumentsAfter: string;
  /** The manifest that defines it, a file name in the folder. */
  readonly source: string;
  /** What the manifest says it does: its command line, its description. */
  readonly detail?: string;
}

/** Files of one folder, as the readers of manifests see it. */
export interface ProjectFolder {
  /** Names of the folder's files. */
  readonly names: ReadonlySet<string>;
  /** Text of a file in it; undefined when it is missing or larger than a manifest ever is. */
  readonly read: (name: string) => Promise<string | undefined>;
  /** True for a name that this folder or one of those above it has, up to the repository's. */
  readonly hasAbove: (name: string) => Promise<boolean>;
}

/** Reads one family of manifests. Throws nothing: a manifest that cannot be read defines nothing. */
export type ScriptReader = (folder: ProjectFolder) => Promise<Script[]>;
