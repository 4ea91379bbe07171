import { join, resolve } from 'node:path';
import { AuditLog } from '../access/index.ts';
import { commandsRefused, rulesOf } from '../access/modes.ts';
import {
  type Confinement,
  cleanEnvironment,
  confinementBy,
  confinementRefusing,
  createSandbox,
  withoutFolders,
} from '../access/sandbox/index.ts';
import type { Settings } from '../config/load.ts';
import { createGit } from '../git/index.ts';
import { createHistory } from '../history/index.ts';
import type { Log } from '../runtime/log.ts';
import { createSearch } from '../search/index.ts';
import { childEnvironment, createShell } from '../shell/index.ts';
import type { Services } from '../tools/services.ts';
import { FileOffers } from '../transfer/index.ts';
import { Workspace } from '../workspace/index.ts';

/** Makes what the tools work with from the settings. Nothing is started or read before a call needs it. */
export function startServices(settings: Settings, stateDir: string, log?: Log): Services {
  const audit = new AuditLog({
    file: settings['audit-log'] ?? join(stateDir, 'audit', 'audit.jsonl'),
    onError: (error) =>
      log?.error(`the audit log cannot be written: ${error instanceof Error ? error.message : error}`),
  });
  // Older parts of the audit log stand beside it.
  const auditFiles = Array.from({ length: 10 }, (_, index) =>
    index === 0 ? audit.file : `${audit.file}.${index}`,
  );
  const workspace = new Workspace({
    roots: settings.workspace,
    accessMode: settings.access,
    // The data folder of a portable run is another one where it cannot be written.
    protectedPaths: [stateDir, settings['state-dir'], ...auditFiles],
  });
  const environment = childEnvironment(process.env);
  const { commands } = rulesOf(settings.access);
  const { roots } = workspace;
  // Found and tried while the rest starts; only who starts a program waits for it.
  const sandbox =
    commands === 'sandboxed'
      ? createSandbox({
          roots,
          network: settings['sandbox-network'] !== 'off',
          readDirs: (settings['sandbox-read'] ?? []).map((path) => resolve(path)),
          stateDir,
          hidden: settings.portable && settings['state-dir'] !== stateDir ? [settings['state-dir']] : [],
          protectedFiles: auditFiles,
          env: environment,
        })
      : undefined;
  const confinement: Confinement | undefined = sandbox
    ? confinementBy(sandbox, roots)
    : commands === 'none'
      ? confinementRefusing(commandsRefused, roots)
      : undefined;
  // Nothing that runs unconfined is looked up where a confined command can write (`npm start` puts such folders first).
  if (confinement) process.env['PATH'] = withoutFolders(process.env, roots)['PATH'];
  const history = createHistory({
    stateDir,
    workspace,
    budgetBytes: settings['history-size'] * 1024 * 1024,
    log,
  });
  return {
    stateDir,
    workspace,
    history,
    recordChanges: (tool, conversation) => history.recorder({ tool, conversation }),
    sandbox,
    search: createSearch({ stateDir, visibility: workspace, confinement }),
    shell: createShell({
      stateDir,
      defaultShell: settings.shell,
      shellTimeoutSeconds: settings['shell-timeout'],
      yieldMs: settings.yield,
      env: environment,
      confinement,
      // What they start of their own accord leaves traces in the home folder (completion dumps, caches).
      startFiles: !settings.portable,
    }),
    audit,
    offers: new FileOffers(),
    // Hooks and credential helpers get what commands get: not the product's own settings and credentials.
    git: createGit({
      env: confinement ? cleanEnvironment(environment) : environment,
      accessMode: settings.access,
      confinement,
    }),
  };
}
