/** The public face of approval. */
export {
  type ApprovalAnswer,
  ApprovalDesk,
  type ApprovalDeskOptions,
  type ApprovalPolicy,
  type ApprovalRequest,
} from './approval-desk.ts';
export { approvalSubject } from './approval-subject.ts';
