/** The parts of the build that are JavaScript, with the types that the tests of executables rely on. */

export interface MachO {
  readonly isArm64: boolean;
  readonly commandsEnd: number;
  readonly firstContentOffset: number;
  readonly signature: { readonly offset: number; readonly size: number } | undefined;
  readonly segments: readonly {
    readonly name: string;
    readonly vmAddress: bigint;
    readonly vmSize: bigint;
    readonly fileOffset: number;
    readonly fileSize: number;
    readonly sections: readonly { readonly name: string; readonly offset: number; readonly size: number }[];
  }[];
}

export interface Store {
  get(
    name: string,
    madeFrom: readonly (string | Uint8Array)[],
    make: (draft: string) => Promise<unknown>,
  ): Promise<{ path: string; reused: boolean }>;
  prune(): Promise<void>;
}

export interface Packages {
  pinned(wanted: { name: string; version: string; integrity: string }, file: string): Promise<string>;
}

interface Modules {
  'elf-strip': { stripElf(file: Buffer): Buffer };
  macho: { readMachO(file: Buffer): MachO };
  'macho-signature': {
    signMachO(file: Buffer, identifier: string): Buffer;
    verifyMachO(file: Buffer): { identifier: string; pages: number; codeLimit: number; isAdHoc: boolean };
  };
  options: {
    WrongOption: new (message: string) => Error;
    readOptions(
      args: readonly string[],
      defaultFolder: string,
    ): { targets: readonly { name: string }[] | undefined; folder: string };
  };
  packages: { Packages: new (root: string, store: Store) => Packages };
  store: { Store: new (folder: string) => Store };
  targets: {
    NODE_PACKAGES: Readonly<Record<string, string>>;
    TARGETS: Readonly<Record<string, { platform: string; base: { package: string; version: string } }>>;
  };
}

/** @param name of the file in build/, without `.mjs` */
export async function buildModule<Name extends keyof Modules>(name: Name): Promise<Modules[Name]> {
  // tsc does not look into JavaScript; what is loaded here is what Modules says of it.
  return (await import(new URL(`../../../build/${name}.mjs`, import.meta.url).href)) as Modules[Name];
}
