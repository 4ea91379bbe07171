/** install.sh under the other shells. */
import { describeHostile } from './support/hostile-table.ts';
import { SHELLS } from './support/sandbox.ts';
import { describeShell } from './support/shell-table.ts';

for (const shell of SHELLS.slice(1)) {
  describeShell(shell);
  describeHostile(shell);
}
