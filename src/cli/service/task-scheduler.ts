import { mkdir, rm } from 'node:fs/promises';
import { win32 } from 'node:path';
import { stopInstance } from '../stop-instance.ts';
import { lastLines } from './bounded-log.ts';
import { markerLine, readMarker, type ServiceDefinition, serviceId } from './definition.ts';
import { writeWhole } from './definition-file.ts';
import type { ServiceManager } from './manager.ts';
import { logFile, readRecord, serviceFolder } from './run-record.ts';
import { must, type System } from './system.ts';
import { xmlText } from './xml.ts';

/** A task at logon. Its states are printed in the system's language, so what runs is told by our own record. */
export function taskSchedulerManager(name: string, stateDir: string, system: System): ServiceManager {
  const id = serviceId(name);
  const query = async () => {
    const ran = await system.run('schtasks', ['/Query', '/TN', id, '/XML']);
    return ran?.exitCode === 0 ? ran.stdout : undefined;
  };
  const stateDirOf = async () => readMarker((await query()) ?? '')?.stateDir ?? stateDir;

  return {
    id,
    place: `task ${id} of the Task Scheduler`,
    logPlace: logFile(stateDir, name),

    async check() {
      await must(system, 'schtasks', ['/Query', '/FO', 'CSV', '/NH']);
    },

    text: (definition) => taskText(definition, system),
    current: query,
    isSame: (installed, text) => meaning(installed) === meaning(text),

    async install(text) {
      await end(await stateDirOf());
      const folder = serviceFolder(stateDir);
      await mkdir(folder, { recursive: true });
      const file = `${folder}${win32.sep}${name}.xml`;
      // schtasks reads UTF-16 with a byte order mark.
      await writeWhole(file, Buffer.from(`\uFEFF${text}`, 'utf16le'));
      try {
        await must(system, 'schtasks', ['/Create', '/TN', id, '/XML', file, '/F']);
      } finally {
        await rm(file, { force: true });
      }
      await must(system, 'schtasks', ['/Run', '/TN', id]);
    },

    async state() {
      const text = await query();
      const settings = /<Settings>[\s\S]*<\/Settings>/.exec(text ?? '')?.[0] ?? '';
      const { server, watcher } = await readRecord(readMarker(text ?? '')?.stateDir ?? stateDir, name);
      return {
        isEnabled: text !== undefined && !/<Enabled>false<\/Enabled>/.test(settings),
        isActive: watcher !== undefined,
        detail: watcher === undefined ? 'no process' : `process ${watcher.pid}`,
        pid: server?.pid,
      };
    },

    async remove() {
      const own = await stateDirOf();
      await system.run('schtasks', ['/End', '/TN', id]);
      await end(own);
      await must(system, 'schtasks', ['/Delete', '/TN', id, '/F']);
    },

    log: async (count) => lastLines(logFile(await stateDirOf(), name), count),

    notes: async () => [
      'it runs while you are logged in',
      'credentials of your terminal (TUNNEL_TOKEN and the like) are not there unless they are variables of your account (setx)',
    ],
  };

  /** Ends what watches first, which would start the server again; by force, for Windows knows no other way. */
  async function end(from: string): Promise<void> {
    const { watcher, server } = await readRecord(from, name);
    for (const process of [watcher, server]) {
      if (process)
        await stopInstance({
          ...process,
          host: '',
          port: 0,
          roots: [],
          access: '',
          version: '',
          startedAtMs: 0,
        });
    }
  }
}

/** What a definition does: the system adds a date and an address of its own, and lays the text out anew. */
function meaning(text: string): string {
  const parts = ['Arguments', 'Command', 'WorkingDirectory', 'Description'].map(
    (tag) => new RegExp(`<${tag}>([\\s\\S]*?)</${tag}>`).exec(text)?.[1] ?? '',
  );
  return parts.join('\n').replaceAll('&quot;', '"').replaceAll('&apos;', "'").replaceAll('&gt;', '>');
}

function taskText(definition: ServiceDefinition, { env }: System): string {
  const { name, command, args, options, folder } = definition;
  const user = [env['USERDOMAIN'], env['USERNAME']].filter(Boolean).join('\\');
  // conhost --headless: a console program in a session would otherwise open a window.
  const conhost = win32.join(env['SystemRoot'] || 'C:\\Windows', 'System32', 'conhost.exe');
  const words = ['--headless', command, ...args, 'service', 'run', '--name', name, '--', ...options];
  return `<?xml version="1.0" encoding="UTF-16"?>
<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <RegistrationInfo>
    <Author>${xmlText(user)}</Author>
    <Description>${xmlText(markerLine(definition))}</Description>
    <URI>\\${xmlText(serviceId(name))}</URI>
  </RegistrationInfo>
  <Triggers>
    <LogonTrigger>
      <Enabled>true</Enabled>
      <UserId>${xmlText(user)}</UserId>
    </LogonTrigger>
  </Triggers>
  <Principals>
    <Principal id="Author">
      <UserId>${xmlText(user)}</UserId>
      <LogonType>InteractiveToken</LogonType>
      <RunLevel>LeastPrivilege</RunLevel>
    </Principal>
  </Principals>
  <Settings>
    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
    <AllowHardTerminate>true</AllowHardTerminate>
    <StartWhenAvailable>true</StartWhenAvailable>
    <AllowStartOnDemand>true</AllowStartOnDemand>
    <Enabled>true</Enabled>
    <Hidden>false</Hidden>
    <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>
    <Priority>5</Priority>
    <RestartOnFailure>
      <Interval>PT1M</Interval>
      <Count>5</Count>
    </RestartOnFailure>
  </Settings>
  <Actions Context="Author">
    <Exec>
      <Command>${xmlText(conhost)}</Command>
      <Arguments>${xmlText(words.map(windowsQuoted).join(' '))}</Arguments>
      <WorkingDirectory>${xmlText(folder)}</WorkingDirectory>
    </Exec>
  </Actions>
</Task>
`;
}

/** A word as CommandLineToArgvW takes it apart again. */
export function windowsQuoted(word: string): string {
  if (word !== '' && !/[\s"]/.test(word)) return word;
  return `"${word.replace(/(\\*)"/g, '$1$1\\"').replace(/\\+$/, '$&$&')}"`;
}
