import { Buffer } from 'node:buffer';
import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';

/** Memory 16 MiB, some 50 ms: what a Worker may spend on a request. */
const COST = { N: 16_384, r: 8, p: 1 };
const KEY_BYTES = 32;

/** `scrypt:N:r:p:salt:key`, both base64url: the form of REVIEW_PASSWORD_HASH. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16);
  const key = await derive(password, salt, COST);
  return ['scrypt', COST.N, COST.r, COST.p, salt.toString('base64url'), key.toString('base64url')].join(':');
}

/**
 * Compares a password with a hash: of hashPassword, or the older `sha256:<hex>`.
 * @returns false also for a hash that is none
 */
export async function passwordMatches(password: string, hash: string): Promise<boolean> {
  const [kind = '', ...parts] = hash.split(':');
  if (kind === 'sha256' && /^[0-9a-f]{64}$/i.test(parts[0] ?? '')) {
    const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(password));
    return timingSafeEqual(Buffer.from(digest), Buffer.from(parts[0]!, 'hex'));
  }
  const [N, r, p] = parts.slice(0, 3).map(Number);
  const [salt, key] = parts.slice(3).map((part) => Buffer.from(part, 'base64url'));
  if (kind !== 'scrypt' || !N || !r || !p || salt === undefined || key?.length !== KEY_BYTES) return false;
  if (N > 131_072 || r > 16 || p > 4) return false;
  return timingSafeEqual(await derive(password, salt, { N, r, p }), key);
}

/** What passwordMatches can read. */
export function isPasswordHash(hash: string): boolean {
  return /^(sha256:[0-9a-f]{64}|scrypt:\d+:\d+:\d+:[\w-]{16,}:[\w-]{43})$/i.test(hash);
}

function derive(
  password: string,
  salt: Uint8Array,
  cost: { readonly N: number; readonly r: number; readonly p: number },
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(
      password.normalize('NFC'),
      salt,
      KEY_BYTES,
      { ...cost, maxmem: 256 * 1024 * 1024 },
      (error, key) => (error === null ? resolve(key) : reject(error)),
    );
  });
}
