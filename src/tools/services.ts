import type { AuditLog } from '../access/index.ts';
import type { NoSandbox, Sandbox } from '../access/sandbox/index.ts';
import type { Git } from '../git/index.ts';
import type { CallRecorder, History } from '../history/index.ts';
import type { Search } from '../search/index.ts';
import type { Shell } from '../shell/index.ts';
import type { FileOffers } from '../transfer/index.ts';
import type { Workspace } from '../workspace/index.ts';

/** What tool handlers work with. Made once per process by cli/start-services.ts; tests build their own. */
export interface Services {
  readonly workspace: Workspace;
  readonly search: Search;
  readonly shell: Shell;
  readonly git: Git;
  readonly offers: FileOffers;
  /** Every call, whatever became of it. */
  readonly audit?: AuditLog;
  /** What rewind works on. */
  readonly history?: History;
  /** Makes the recorder of one call's file changes; without it nothing is recorded. */
  readonly recordChanges?: (tool: string, conversation: string | undefined) => CallRecorder;
  /** The sandbox of commands that is being found and tried, in the mode that confines them. */
  readonly sandbox?: Promise<Sandbox | NoSandbox> | undefined;
  /** Private folder of the product (see cli.md, "State"); exists, mode 0700. */
  readonly stateDir: string;
}
