import { mkdir, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { EXIT, UsageError } from '../../config/usage-error.ts';
import { lastLines } from './bounded-log.ts';
import { markerLine, readMarker, type ServiceDefinition, serviceId } from './definition.ts';
import { readDefinition, writeWhole } from './definition-file.ts';
import type { ServiceManager } from './manager.ts';
import { logFile, readRecord } from './run-record.ts';
import { must, type System } from './system.ts';
import { xmlText } from './xml.ts';

/** The old service goes away a moment after bootout has answered. */
const BOOTSTRAP_TRIES_MS = [0, 200, 500, 1_000, 2_000];

/** A LaunchAgent. launchd bounds no log, so `service run` stands between and keeps it. */
export function launchdManager(name: string, stateDir: string, system: System): ServiceManager {
  const id = serviceId(name, '.');
  const file = join(system.home, 'Library', 'LaunchAgents', `${id}.plist`);
  const domain = `gui/${system.uid}`;
  const stateDirOf = async () =>
    readMarker(await readFile(file, 'utf8').catch(() => ''))?.stateDir ?? stateDir;

  return {
    id,
    place: file,
    logPlace: logFile(stateDir, name),

    async check() {
      const ran = await system.run('launchctl', ['print', domain]);
      if (ran?.exitCode === 0) return;
      throw new UsageError(
        `There is no desktop session of this user (launchctl print ${domain}). Log in at the screen once, then install it from a terminal there.`,
        EXIT.failed,
      );
    },

    text: plistText,

    current: () => readDefinition(file),

    isSame: (installed, text) => installed === text,

    async install(text) {
      await mkdir(dirname(file), { recursive: true });
      await writeWhole(file, text);
      await system.run('launchctl', ['bootout', `${domain}/${id}`]);
      await must(system, 'launchctl', ['enable', `${domain}/${id}`]);
      for (const [index, waitMs] of BOOTSTRAP_TRIES_MS.entries()) {
        await delay(waitMs);
        const ran = await system.run('launchctl', ['bootstrap', domain, file]);
        if (ran?.exitCode === 0) return;
        if (index === BOOTSTRAP_TRIES_MS.length - 1)
          await must(system, 'launchctl', ['bootstrap', domain, file]);
      }
    },

    async state() {
      const ran = await system.run('launchctl', ['print', `${domain}/${id}`]);
      const isLoaded = ran?.exitCode === 0;
      const state = /^\s*state = (.*)$/m.exec(ran?.stdout ?? '')?.[1];
      const disabled = await system.run('launchctl', ['print-disabled', domain]);
      const isOff = new RegExp(`"${id.replaceAll('.', '\\.')}" => (disabled|true)`).test(
        disabled?.stdout ?? '',
      );
      const { server, watcher } = await readRecord(await stateDirOf(), name);
      return {
        isEnabled: !isOff && (await this.current()) !== undefined,
        isActive: isLoaded && (state === 'running' || watcher !== undefined),
        detail: isLoaded ? (state ?? 'loaded') : 'not loaded',
        pid: server?.pid,
      };
    },

    async remove() {
      await system.run('launchctl', ['bootout', `${domain}/${id}`]);
      await rm(file, { force: true });
    },

    log: async (count) => lastLines(logFile(await stateDirOf(), name), count),

    notes: async () => [
      'it runs while you are logged in at the screen',
      'macOS asks once whether it may read Documents, Desktop or Downloads, where the folder lies in one of them',
      `credentials of your terminal (TUNNEL_TOKEN and the like) are not there; launchctl setenv NAME VALUE gives them until the next login`,
    ],
  };
}

function plistText(definition: ServiceDefinition): string {
  const { name, command, args, options, folder, path } = definition;
  const words = [command, ...args, 'service', 'run', '--name', name, '--', ...options];
  return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<!-- ${markerLine(definition)} -->
<plist version="1.0">
<dict>
  <key>Label</key>
  <string>${xmlText(serviceId(name, '.'))}</string>
  <key>ProgramArguments</key>
  <array>
${words.map((word) => `    <string>${xmlText(word)}</string>`).join('\n')}
  </array>
  <key>WorkingDirectory</key>
  <string>${xmlText(folder)}</string>
  <key>EnvironmentVariables</key>
  <dict>
    <key>PATH</key>
    <string>${xmlText(path)}</string>
  </dict>
  <key>RunAtLoad</key>
  <true/>
  <key>KeepAlive</key>
  <dict>
    <key>Crashed</key>
    <true/>
  </dict>
  <key>ExitTimeOut</key>
  <integer>20</integer>
  <key>ProcessType</key>
  <string>Interactive</string>
</dict>
</plist>
`;
}
