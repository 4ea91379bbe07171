/** The parts of the release that are JavaScript, with the types that the tests rely on. */

export interface PackedFile {
  readonly name: string;
  readonly content: Buffer;
  readonly mode: number;
}

export interface Licence {
  readonly name: string;
  readonly version: string;
  readonly spdx: string;
  readonly text: string;
  readonly within: string;
  readonly purl?: string;
}

export interface Metafile {
  readonly outputs: Readonly<
    Record<string, { readonly inputs: Readonly<Record<string, { readonly bytesInOutput: number }>> }>
  >;
}

export interface McpbManifest {
  readonly icon: string;
  readonly tools: readonly { readonly name: string; readonly description: string }[];
  readonly server: {
    readonly type: string;
    readonly entry_point: string;
    readonly mcp_config: { readonly command: string; readonly args: readonly string[] };
  };
  readonly compatibility: { readonly platforms: readonly string[] };
}

interface Modules {
  'archives-tar': { tar(files: readonly PackedFile[]): Buffer };
  'archives-zip': { zip(files: readonly PackedFile[]): Promise<Buffer> };
  archives: {
    gzipped(content: Buffer): Promise<Buffer>;
    xzipped(content: Buffer): Promise<Buffer>;
    writeArchives(options: {
      executable: string;
      target: string;
      version: string;
      outDir: string;
    }): Promise<string[]>;
  };
  bundle: { bundle(options: { entry: string; outfile: string; target?: string }): Promise<Metafile> };
  icon: { iconPng(size: number): Promise<Buffer> };
  licences: {
    collectLicences(metafile: Metafile): Promise<Licence[]>;
    assertKnown(licence: { name: string; version: string; spdx: string; text: string }): void;
  };
  'licences-embedded': {
    nativeParts(): readonly { name: string; version: string; within: string }[];
    grammarParts(grammars: readonly string[]): readonly unknown[];
    vendoredPart(name: string, version: string, within: string): unknown;
  };
  'licences-file': { LICENCES_FILE: string; upToDateLicences(): Promise<string> };
  mcpb: {
    mcpbManifest(manifest: object, target: string): McpbManifest;
    writeMcpb(options: {
      executable: string;
      target: string;
      manifest: object;
      outDir: string;
    }): Promise<string>;
  };
  'node-check': { OLDEST_TARGET: string };
  'npm-package': {
    packNpmPackage(options: {
      root: string;
      bundle: string;
      licences: string;
      staging: string;
      outDir: string;
    }): Promise<string>;
    publishedManifest(root: string): Promise<{
      readonly engines: { readonly node: string };
      readonly dependencies: Readonly<Record<string, string>>;
      readonly optionalDependencies: Readonly<Record<string, string>>;
    }>;
  };
  'release-key': { makeKey(options: { keyFile: string; manifestFile: string }): Promise<string> };
  sums: {
    writeSums(dir: string): Promise<string>;
    signSums(dir: string, privateKey: string, publicKey: string | null): Promise<void>;
    isSigned(sums: Buffer, signature: string, publicKey: string): boolean;
    rawPublicKey(privateKey: unknown): string;
  };
}

/** @param name of the file in build/, without `.mjs` */
export async function buildModule<Name extends keyof Modules>(name: Name): Promise<Modules[Name]> {
  // tsc does not look into JavaScript; what is loaded here is what Modules says of it.
  return (await import(new URL(`../../build/${name}.mjs`, import.meta.url).href)) as Modules[Name];
}
