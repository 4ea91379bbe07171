/** Small pieces over Web Crypto, which Node, Deno and Workers share. */

/** @param count bytes of unguessable randomness */
export type RandomBytes = (count: number) => Uint8Array;

export const systemRandom: RandomBytes = (count) => crypto.getRandomValues(new Uint8Array(count));

/** What codes and references are spelled with: no letter or digit that is taken for another (0 O, 1 I L, 2 Z, 5 S, 8 B). */
const PLAIN_ALPHABET = 'ACDEFGHJKMNPQRTUVWXY3479';

/** 256 random bits, in characters that are safe in URLs, forms and headers. */
export function randomToken(random: RandomBytes, prefix = ''): string {
  return prefix + base64Url(random(32));
}

/**
 * A code that a person reads and types: `groups` of `groupLength` characters, joined by `-`; 4.58 bits each.
 * Bytes that would make some characters more likely than others are thrown away.
 */
export function readableCode(random: RandomBytes, groups: number, groupLength: number): string {
  const fair = 256 - (256 % PLAIN_ALPHABET.length);
  const wanted = groups * groupLength;
  let characters = '';
  while (characters.length < wanted) {
    for (const byte of random(wanted)) {
      if (byte < fair && characters.length < wanted)
        characters += PLAIN_ALPHABET[byte % PLAIN_ALPHABET.length];
    }
  }
  return characters.match(new RegExp(`.{${groupLength}}`, 'g'))!.join('-');
}

/** A typed code as it is compared: capitals without what people put between the groups. */
export function normalizedCode(typed: string): string {
  return typed.toUpperCase().replace(/[\s\u2010-\u2015_.-]/g, '');
}

/** Hex SHA-256: the only form in which tokens and codes are stored. */
export async function sha256(text: string): Promise<string> {
  return hex(await digest(text));
}

/** BASE64URL(SHA256(text)): the S256 transformation of RFC 7636. */
export async function s256(text: string): Promise<string> {
  return base64Url(await digest(text));
}

/** Compares in a time that tells nothing of where the two differ, nor of their lengths. */
export async function sameSecret(a: string, b: string): Promise<boolean> {
  const [left, right] = await Promise.all([digest(a), digest(b)]);
  let difference = 0;
  for (let index = 0; index < left.length; index++) difference |= left[index]! ^ right[index]!;
  return difference === 0;
}

export function base64Url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
}

/** @returns undefined for text that is not base64url */
export function fromBase64Url(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (!/^[A-Za-z0-9_-]*$/.test(text)) return undefined;
  try {
    const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
    return Uint8Array.from(binary, (character) => character.charCodeAt(0));
  } catch {
    return undefined;
  }
}

async function digest(text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)));
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
