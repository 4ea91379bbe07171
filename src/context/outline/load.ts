import { readFile } from 'node:fs/promises';
import type { Language } from 'web-tree-sitter';
import { type AssetName, assetFile, embeddedAsset } from '../../runtime/assets.ts';
import { CodedError } from '../../runtime/errors.ts';
import type { GrammarName } from './grammars.ts';

type TreeSitter = typeof import('web-tree-sitter');

let treeSitter: Promise<TreeSitter> | undefined;
const languages = new Map<GrammarName, Promise<Language>>();

/** The parser, started when first needed and kept. */
export function loadTreeSitter(): Promise<TreeSitter> {
  treeSitter ??= (async () => {
    const [module, wasmBinary] = await Promise.all([import('web-tree-sitter'), bytesOf('tree-sitter')]);
    // Given its bytes, the library looks for no file of its own, which a bundle does not have.
    await module.Parser.init({ wasmBinary });
    return module;
  })().catch((error: unknown) => {
    treeSitter = undefined;
    throw error;
  });
  return treeSitter;
}

/**
 * The grammar of a language, loaded when first needed and kept.
 * @throws {CodedError} NOT_AVAILABLE where its file is not installed
 */
export function loadLanguage(grammar: GrammarName): Promise<Language> {
  let language = languages.get(grammar);
  if (language === undefined) {
    language = (async () => {
      const [{ Language }, bytes] = await Promise.all([loadTreeSitter(), bytesOf(`tree-sitter-${grammar}`)]);
      return Language.load(bytes);
    })();
    languages.set(grammar, language);
    language.catch(() => languages.delete(grammar));
  }
  return language;
}

async function bytesOf(name: AssetName): Promise<Buffer> {
  const embedded = embeddedAsset(name);
  if (embedded) return embedded.read();
  const file = await assetFile(name);
  if (file !== undefined) return readFile(file);
  throw new CodedError(
    'NOT_AVAILABLE',
    `Outlines are not available: ${name} is not installed.`,
    'Use grep for definitions instead, or install the program again with its dependencies (npm ci).',
  );
}
