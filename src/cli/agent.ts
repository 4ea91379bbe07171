import { join } from 'node:path';
import { AuditLog } from '../access/index.ts';
import type { SettingName } from '../config/definitions.ts';
import { loadSettings } from '../config/load.ts';
import { openStateDir } from '../config/state-dir.ts';
import { EXIT, type ExitCode, UsageError } from '../config/usage-error.ts';
import type { CallRecord } from '../mcp/call.ts';
import { readConfiguration } from '../relay/agent/configuration.ts';
import { takeRunLock } from '../relay/agent/run-lock.ts';
import { createLog } from '../runtime/log.ts';
import { auditEntry } from './audit-entry.ts';
import { onTermination } from './termination.ts';

/**
 * `local-coder agent`: stays connected to the relay and serves its calls until a signal ends it.
 * @param serveTools the normal tools as well (`--serve-tools`, which needs `--access`); otherwise none that could
 *   change anything is even loaded
 */
export async function agent(
  flags: ReadonlyMap<SettingName, unknown>,
  serveTools: boolean,
): Promise<ExitCode> {
  if (serveTools && !flags.has('access')) {
    throw new UsageError(
      '--serve-tools lets the relay use the normal tools on this machine: say how much with --access (workspace is suggested, since whoever runs the relay could use it).',
    );
  }
  const settings = await loadSettings(flags, process.env, process.cwd());
  const log = createLog(settings['log-level']);
  for (const warning of settings.warnings) log.warn(warning);
  const { stateDir, warning, portable } = await openStateDir(settings['state-dir'], settings);
  if (warning !== undefined) log.warn(warning);
  if (portable !== undefined) log[portable.isKept ? 'info' : 'warn'](`portable: ${portable.says}`);
  if ((await readConfiguration(stateDir)).agent === undefined) {
    throw new UsageError(
      'This machine is not paired: ask the relay for a code, then local-coder pair CODE --relay URL.',
      EXIT.failed,
    );
  }
  const lock = await takeRunLock(stateDir);
  if ('heldBy' in lock) {
    throw new UsageError(
      `An agent runs on this machine already (pid ${lock.heldBy}); it takes over new workspaces by itself.`,
      EXIT.failed,
    );
  }
  const stop = new AbortController();
  void onTermination().then((signal) => {
    log.info(`${signal}: ending`);
    stop.abort();
  });
  const { runAgent } = await import('../relay/agent/run-agent.ts');
  const common = { stateDir, env: process.env, log, signal: stop.signal };
  try {
    if (!serveTools) {
      const { viewerAgent } = await import('../relay/agent/viewer-agent.ts');
      const audit = new AuditLog({
        file: settings['audit-log'] ?? join(stateDir, 'audit', 'audit.jsonl'),
        onError: (error) => log.error(`the audit log cannot be written: ${String(error)}`),
      });
      const onCall = (record: CallRecord) => audit.record(auditEntry(record));
      try {
        return await runAgent({
          ...common,
          tools: (configuration) => viewerAgent(configuration, { ...common, onCall }),
        });
      } finally {
        await audit.flush();
      }
    }
    const { fullAgent } = await import('./full-agent.ts');
    const full = await fullAgent(settings, flags.has('workspace'), stateDir, log);
    try {
      return await runAgent({ ...common, tools: full.tools });
    } finally {
      await full.close();
    }
  } finally {
    lock.release();
  }
}
