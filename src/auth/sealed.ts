import type { webcrypto } from 'node:crypto';
import { base64Url, fromBase64Url, type RandomBytes } from './crypto.ts';

/**
 * Puts a value into the hands of a browser so that it comes back unchanged: JSON with an HMAC under a key that lives
 * as long as this object. Whatever strangers start then costs this server no memory.
 */
export class Seal<Value> {
  readonly #key: Promise<webcrypto.CryptoKey>;

  constructor(random: RandomBytes) {
    const raw = new Uint8Array(random(32));
    const algorithm = { name: 'HMAC', hash: 'SHA-256' };
    this.#key = crypto.subtle.importKey('raw', raw, algorithm, false, ['sign', 'verify']);
  }

  async close(value: Value): Promise<string> {
    const content = new TextEncoder().encode(JSON.stringify(value));
    const signature = await crypto.subtle.sign('HMAC', await this.#key, content);
    return `${base64Url(content)}.${base64Url(new Uint8Array(signature))}`;
  }

  /** @returns undefined for anything that this object did not close */
  async open(sealed: string): Promise<Value | undefined> {
    const [content, signature] = sealed.split('.', 2).map(fromBase64Url);
    if (content === undefined || signature === undefined) return undefined;
    const ours = await crypto.subtle.verify('HMAC', await this.#key, signature, content);
    return ours ? (JSON.parse(new TextDecoder().decode(content)) as Value) : undefined; // signed: it is what was closed
  }
}
