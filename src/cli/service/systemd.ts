import { mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { EXIT, UsageError } from '../../config/usage-error.ts';
import { DEFAULT_NAME, markerLine, type ServiceDefinition, serviceId } from './definition.ts';
import { readDefinition, writeWhole } from './definition-file.ts';
import type { ServiceManager } from './manager.ts';
import { must, type System } from './system.ts';

/** A unit of the user's own systemd. Its log is the journal, which bounds itself. */
export function systemdManager(name: string, system: System): ServiceManager {
  const id = `${serviceId(name)}.service`;
  const config = system.env['XDG_CONFIG_HOME'] || join(system.home, '.config');
  const file = join(config, 'systemd', 'user', id);
  const environmentFile = join(config, 'local-coder', `${name}.env`);
  const systemctl = (...args: string[]) => must(system, 'systemctl', ['--user', ...args]);

  return {
    id,
    place: file,
    logPlace: `journalctl --user -u ${id}`,

    async check() {
      const ran = await system.run('systemctl', ['--user', 'show', '--property=Version']);
      if (ran === undefined) {
        throw new UsageError(
          'There is no systemd here. Start local-coder from what starts programs at login on this system, with the command that --help of the server describes.',
          EXIT.failed,
        );
      }
      if (ran.exitCode === 0) return;
      throw new UsageError(
        `There is no systemd session of this user (${ran.stderr.trim().split('\n')[0]}). In a container and in WSL 1 there is none: start local-coder itself there. In WSL 2 put "[boot] systemd=true" into /etc/wsl.conf. After su or sudo, log in as this user directly (ssh or machinectl shell), or: loginctl enable-linger, then log in anew.`,
        EXIT.failed,
      );
    },

    text: (definition) => unitText(definition, environmentFile),

    current: () => readDefinition(file),

    isSame: (installed, text) => installed === text,

    async install(text) {
      await mkdir(dirname(file), { recursive: true });
      await writeWhole(file, text);
      await systemctl('daemon-reload');
      // A service that gave up after many tries is started at once again.
      await system.run('systemctl', ['--user', 'reset-failed', id]);
      await systemctl('enable', id);
      await systemctl('restart', id);
    },

    async state() {
      const properties = 'ActiveState,SubState,UnitFileState,MainPID,Result,ExecMainStatus';
      const ran = await system.run('systemctl', ['--user', 'show', id, `--property=${properties}`]);
      const values = new Map((ran?.stdout ?? '').split('\n').map((line) => splitAt(line)));
      const active = values.get('ActiveState') ?? 'unknown';
      const result = values.get('Result');
      const isGood = result === undefined || result === '' || result === 'success';
      return {
        isEnabled: values.get('UnitFileState') === 'enabled',
        // One that waits for its next try has failed.
        isActive:
          ['active', 'activating', 'reloading'].includes(active) && values.get('SubState') !== 'auto-restart',
        detail: `${active} (${values.get('SubState') ?? ''})${isGood ? '' : `, ${result}, exit code ${values.get('ExecMainStatus')}`}`,
        pid: Number(values.get('MainPID')) || undefined,
      };
    },

    async remove() {
      await systemctl('disable', '--now', id);
      await rm(file, { force: true });
      await systemctl('daemon-reload');
      await system.run('systemctl', ['--user', 'reset-failed', id]);
    },

    async log(count) {
      const ran = await system.run('journalctl', [
        '--user',
        '-u',
        id,
        '-n',
        String(count),
        '--no-pager',
        '-o',
        'cat',
      ]);
      if (ran?.exitCode === 0 && !/^-- No entries --/.test(ran.stdout) && ran.stdout !== '') {
        return ran.stdout.trimEnd().split('\n');
      }
      const why =
        ran === undefined ? 'journalctl is not there' : ran.stderr.trim().split('\n')[0] || 'it is empty';
      return [`(the journal shows nothing: ${why})`];
    },

    async notes() {
      const notes = [
        `credentials for a tunnel (TUNNEL_TOKEN=… and the like) belong into ${environmentFile}, which only you can read (chmod 600); then systemctl --user restart ${id}`,
      ];
      const user = system.env['USER'] || system.env['LOGNAME'] || String(system.uid);
      const linger = await system.run('loginctl', ['show-user', user, '--property=Linger', '--value']);
      if (linger?.stdout.trim() !== 'yes') {
        notes.unshift(
          'it runs while you are logged in; loginctl enable-linger lets it run from the start of the machine',
        );
      }
      return notes;
    },
  };
}

function splitAt(line: string): [string, string] {
  const at = line.indexOf('=');
  return at === -1 ? [line, ''] : [line.slice(0, at), line.slice(at + 1)];
}

/**
 * The unit. It ends by SIGTERM to the server alone, which then ends what the tools started (KillMode=mixed). Wrong
 * usage and a folder that is gone (2, 4) do not heal by another start.
 */
function unitText(definition: ServiceDefinition, environmentFile: string): string {
  const { name, command, args, options, folder, path } = definition;
  const words = [...args, 'serve', ...options].map(argument);
  // systemd takes no program whose path has a quote or a backslash; a shell does, and becomes the program.
  const program = /["'\\]/.test(command)
    ? `"/bin/sh" "-c" ${argument('exec "$0" "$@"')} ${argument(command)}`
    : quoted(command);
  // White space at the end of a line is cut off, and a backslash there takes the next line in.
  const place = specifiers(/[\\\s]$/.test(folder) ? `${folder}/` : folder);
  return `# ${markerLine(definition)}
# Written by local-coder service install${name === DEFAULT_NAME ? '' : ` --name ${name}`}; local-coder service remove takes it out.
[Unit]
Description=local-coder serves ${place}
StartLimitIntervalSec=300
StartLimitBurst=5

[Service]
ExecStart=${[program, ...words].join(' ')}
WorkingDirectory=${place}
Environment=${quoted(`PATH=${path}`)}
EnvironmentFile=-${specifiers(environmentFile)}
Restart=on-failure
RestartSec=5
RestartPreventExitStatus=2 4
KillMode=mixed
TimeoutStopSec=20

[Install]
WantedBy=default.target
`;
}

/** A word in double quotes (systemd.service, "Command lines"; systemd.syntax, "Quoting"). */
function quoted(word: string): string {
  return `"${specifiers(word).replace(/[\\"]/g, '\\$&')}"`;
}

/** In arguments a dollar sign would begin a variable; in the program's path it does not. */
function argument(word: string): string {
  return quoted(word).replaceAll('$', '$$$$');
}

function specifiers(text: string): string {
  return text.replaceAll('%', '%%');
}
