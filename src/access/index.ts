/** The public face of access: the audit trail and approval. */
export {
  type ApprovalAnswer,
  ApprovalDesk,
  type ApprovalPolicy,
  type ApprovalRequest,
  approvalSubject,
} from './approval/index.ts';
export {
  type AuditEntry,
  AuditLog,
  auditFiles,
  callTarget,
  maskSecrets,
  parseEntry,
  readAuditTail,
} from './audit/index.ts';
