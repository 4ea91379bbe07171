/** The public face of the audit trail. */
export { type AuditEntry, AuditLog, auditFiles, parseEntry, readAuditTail } from './audit-log.ts';
export { callTarget } from './call-target.ts';
export { maskSecrets } from './mask-secrets.ts';
