import { join } from 'node:path';
import { AuditLog } from '../access/index.ts';
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
  const workspace = new Workspace({
    roots: settings.workspace,
    accessMode: settings.access,
    protectedPaths: [stateDir, audit.file],
  });
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
    search: createSearch({ stateDir }),
    shell: createShell({
      stateDir,
      defaultShell: settings.shell,
      shellTimeoutSeconds: settings['shell-timeout'],
      yieldMs: settings.yield,
      env: process.env,
    }),
    audit,
    offers: new FileOffers(),
    // Hooks and credential helpers get what commands get: not the product's own settings and credentials.
    git: createGit({ env: childEnvironment(process.env), accessMode: settings.access }),
  };
}
