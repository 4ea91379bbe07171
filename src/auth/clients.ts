import { ClientDocuments, type FetchDocument, isDocumentAddress } from './client-document.ts';
import type { AuthStore } from './store.ts';

const MAX_NAME_LENGTH = 80;

export interface Client {
  readonly id: string;
  /** What the client calls itself, without control and bidirectional characters; anybody can claim any name. */
  readonly name: string;
  /** The host that published the client's document, which proves who it is; undefined when it registered itself. */
  readonly publishedBy: string | undefined;
  readonly redirectUris: readonly string[];
}

/** Finds clients by their id: a document's address, or a registration. */
export class Clients {
  readonly #store: AuthStore;
  readonly #documents: ClientDocuments;

  constructor(store: AuthStore, fetch: FetchDocument, now: () => number) {
    this.#store = store;
    this.#documents = new ClientDocuments(fetch, now);
  }

  async find(id: string, issuer: string): Promise<Client | undefined> {
    if (/^[a-z]+:/i.test(id)) {
      if (!isDocumentAddress(id)) return undefined;
      const document = await this.#documents.get(id);
      if (document === undefined) return undefined;
      const { host } = new URL(id);
      return {
        id,
        name: displayName(document.name) ?? host,
        publishedBy: host,
        redirectUris: document.redirectUris,
      };
    }
    const stored = await this.#store.clients.get(id, issuer);
    return stored && { id, name: stored.name, publishedBy: undefined, redirectUris: stored.redirectUris };
  }
}

/**
 * A name fit for people: one line, no control, format or bidirectional characters, not longer than a line.
 * @returns undefined when nothing is left
 */
export function displayName(name: string): string | undefined {
  const clean = name
    .slice(0, 1_000)
    .normalize('NFC')
    .replace(/[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]/gu, '')
    .replace(/\s+/g, ' ')
    .trim();
  const characters = [...clean];
  const cut =
    characters.length > MAX_NAME_LENGTH ? `${characters.slice(0, MAX_NAME_LENGTH).join('')}…` : clean;
  return cut === '' ? undefined : cut;
}
