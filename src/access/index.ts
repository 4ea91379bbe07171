/** The public face of access: the audit trail. */
export {
  type AuditEntry,
  AuditLog,
  auditFiles,
  callTarget,
  maskSecrets,
  parseEntry,
  readAuditTail,
} from './audit/index.ts';
