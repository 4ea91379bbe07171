import manifest from '../../package.json' with { type: 'json' };

/** The product's version. package.json is its only source; the bundle has it inlined. */
export const VERSION: string = manifest.version;
