/** install.sh under the other shells. */
import { SHELLS } from './support/sandbox.ts';
import { describeShell } from './support/shell-table.ts';

for (const shell of SHELLS.slice(1)) describeShell(shell);
