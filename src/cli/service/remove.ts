import { EXIT, type ExitCode, UsageError } from '../../config/usage-error.ts';
import { confirm } from '../confirm.ts';
import { readMarker } from './definition.ts';
import type { ServiceOptions } from './install.ts';
import { managerFor } from './managers.ts';

/** Ends a service and takes its definition away; what local-coder did not write stays. */
export async function remove(
  { name, yes, system, terminal }: ServiceOptions,
  stateDir: string,
): Promise<ExitCode> {
  const manager = managerFor(name, stateDir, system);
  const text = await manager.current();
  if (text === undefined) {
    terminal.output.write(`${manager.id} is not installed (${manager.place}).\n`);
    return EXIT.ok;
  }
  if (readMarker(text) === undefined) {
    throw new UsageError(`${manager.place} was not written by local-coder, so it stays.`, EXIT.failed);
  }
  await manager.check();
  const { detail, pid } = await manager.state();
  terminal.output.write(
    `${manager.id}: ${manager.place}\nNow: ${detail}${pid === undefined ? '' : `, process ${pid}`}\n`,
  );
  if (!(await confirm('End it and take it out?', { yes, terminal }))) {
    terminal.output.write('\nNothing was changed.\n');
    return EXIT.failed;
  }
  await manager.remove();
  terminal.output.write(`Ended and removed: ${manager.place}\n`);
  return EXIT.ok;
}
