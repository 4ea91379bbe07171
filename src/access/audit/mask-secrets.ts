const MASK = '***';

/** Names that say that their value is a secret: TOKEN=…, --password …, "apiKey": …. */
const SECRET_NAME = String.raw`[\w.-]{0,100}(?:passwo?r?d|passphrase|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credential|auth[_-]?key)[\w.-]{0,100}`;
const VALUE = String.raw`(?:"[^"]*"|'[^']*'|[^\s"'&;|]+)`;

const PATTERNS: readonly [pattern: RegExp, replacement: string][] = [
  [new RegExp(String.raw`(\b${SECRET_NAME}["']?\s*[=:]\s*)${VALUE}`, 'gi'), `$1${MASK}`],
  [new RegExp(String.raw`(--?${SECRET_NAME}\s+)${VALUE}`, 'gi'), `$1${MASK}`],
  [/\b(authorization\s*:\s*(?:bearer|basic|token)\s+)[^\s"']+/gi, `$1${MASK}`],
  [/(\bcurl\b[^\n]{0,2000}?\s(?:-u|--user)\s+)\S+/gi, `$1${MASK}`],
  // user:password@host in addresses
  [/(\b[a-z][a-z0-9+.-]{0,20}:\/\/[^\s:/@]{0,200}:)[^\s@/]+@/gi, `$1${MASK}@`],
  // Well-known forms of tokens, wherever they stand.
  [/\b(?:sk|pk|rk)-[A-Za-z0-9_-]{16,}/g, MASK],
  [/\bgh[pousr]_[A-Za-z0-9]{20,}|\bgithub_pat_[A-Za-z0-9_]{20,}/g, MASK],
  [/\bxox[abprs]-[A-Za-z0-9-]{10,}/g, MASK],
  [/\bAKIA[0-9A-Z]{16}\b/g, MASK],
  // A hyphen is both a part of such a token and the end of a word: within a run of them the look ahead is bounded.
  [/(?:(?<![\w-])eyJ[\w-]{8,}|\beyJ[\w-]{8,200})\.[\w-]{8,}\.[\w-]{8,}/g, MASK],
  [/\/mcp\/[A-Za-z0-9_-]{40,}/g, `/mcp/${MASK}`],
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g, MASK],
];

/**
 * Text with what looks like a secret taken out, for logs. A best effort on free text: what never enters the log (file
 * contents, location data) does not depend on it.
 */
export function maskSecrets(text: string): string {
  return PATTERNS.reduce((masked, [pattern, replacement]) => masked.replace(pattern, replacement), text);
}
