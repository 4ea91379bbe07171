import { hash } from 'node:crypto';

/** The SHA-256 of bytes as lower-case hexadecimal, the form in which tools give and take it. */
export function sha256Hex(bytes: Uint8Array): string {
  return hash('sha256', bytes, 'hex');
}
