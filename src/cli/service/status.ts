import { EXIT, type ExitCode } from '../../config/usage-error.ts';
import { forTerminal } from '../../runtime/terminal.ts';
import { answers, instanceOf, originOf } from './answer.ts';
import { DEFAULT_NAME, readMarker } from './definition.ts';
import { installedNames, managerFor } from './managers.ts';
import type { System } from './system.ts';

const LOG_LINES = 10;

/** What there is to say of one service, or of all; ok when all of them answer. */
export async function status(
  name: string | undefined,
  stateDir: string,
  system: System,
  output: { write(text: string): unknown },
): Promise<ExitCode> {
  const found = name === undefined ? await installedNames(system) : [name];
  const names = found.length === 0 ? [DEFAULT_NAME] : found;
  let isGood = true;
  for (const [index, each] of names.entries()) {
    if (index > 0) output.write('\n');
    isGood = (await describe(each, stateDir, system, output)) && isGood;
  }
  return isGood ? EXIT.ok : EXIT.failed;
}

async function describe(
  name: string,
  stateDir: string,
  system: System,
  output: { write(text: string): unknown },
): Promise<boolean> {
  const manager = managerFor(name, stateDir, system);
  const text = await manager.current();
  const marker = text === undefined ? undefined : readMarker(text);
  if (text === undefined || marker === undefined) {
    const why = text === undefined ? 'is not installed' : 'was not written by local-coder';
    output.write(`${manager.id} ${why} (${manager.place}).\n`);
    return false;
  }
  const state = await manager.state();
  const instance = await instanceOf(state.pid, marker.stateDir);
  const isThere = instance !== undefined && (await answers(instance));
  const again =
    system.platform === 'linux' ? `: systemctl --user enable ${manager.id}` : ', run service install again';
  output.write(
    [
      `Service   ${manager.id} (${manager.place})`,
      `At login  ${state.isEnabled ? 'starts' : `does not start${again}`}`,
      `Now       ${state.detail}${state.pid === undefined ? '' : `, process ${state.pid}`}${isThere ? ', answers' : ', does not answer'}`,
      ...(instance === undefined
        ? []
        : [
            `Address   ${originOf(instance)}/mcp`,
            ...instance.roots.map((root, index) => `${index === 0 ? 'Folder    ' : '          '}${root}`),
            `Access    ${instance.access}`,
          ]),
      `Log       ${manager.logPlace}`,
      ...(await manager.log(LOG_LINES)).map((line) => `  ${forTerminal(line)}`),
      '',
    ].join('\n'),
  );
  return isThere;
}
