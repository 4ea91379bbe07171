import { ACCESS_MODES, decideLocally, type Grant, openAuthStore, SecretUrl } from '../auth/index.ts';
import type { SettingName } from '../config/definitions.ts';
import { loadSettings } from '../config/load.ts';
import { openStateDir } from '../config/state-dir.ts';
import { EXIT, type ExitCode, UsageError } from '../config/usage-error.ts';
import { forTerminal } from '../runtime/terminal.ts';

const USAGE =
  'local-coder token list | revoke ID | show | rotate | approve REFERENCE [ACCESS] | deny REFERENCE';

interface Output {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

type Store = Awaited<ReturnType<typeof openAuthStore>>;

/**
 * `local-coder token …`: who has been let in through the public listener, and who may. Works on the state folder's
 * database, which running instances read per request: what is revoked here is refused from the next request on.
 * @param words what follows `token` on the command line
 */
export async function token(
  words: readonly string[],
  flags: ReadonlyMap<SettingName, unknown>,
  output: Output = process.stdout,
): Promise<ExitCode> {
  const [action, ...rest] = words;
  const act = ACTIONS.get(action ?? '');
  if (act === undefined || rest.length < act.needs || rest.length > (act.takes ?? act.needs)) {
    throw new UsageError(`Usage: ${USAGE}.`);
  }
  const settings = await loadSettings(flags, process.env, process.cwd());
  const { stateDir } = await openStateDir(settings['state-dir'], {
    portable: settings.portable,
    mustKeep: true,
  });
  const store = await openAuthStore(stateDir);
  try {
    return await act.run(store, rest, output);
  } finally {
    store.close();
  }
}

interface Action {
  /** Words that have to follow, and that may. */
  readonly needs: number;
  readonly takes?: number;
  run(store: Store, words: readonly string[], output: Output): Promise<ExitCode>;
}

const ACTIONS = new Map<string, Action>(
  Object.entries<Action>({
    list: {
      needs: 0,
      async run(store, _words, output) {
        const nowMs = Date.now();
        const grants = await store.grants.list(nowMs);
        output.write(grants.length === 0 ? 'No client has been let in.\n' : table(grants, nowMs));
        return EXIT.ok;
      },
    },
    revoke: {
      needs: 1,
      async run(store, [id = ''], output) {
        const grant = await store.grants.revoke(id.toUpperCase());
        output.write(
          grant === undefined
            ? `There is no client of id "${forTerminal(id)}"; see local-coder token list.\n`
            : `Revoked ${grant.id}: ${forTerminal(grant.clientName)} at ${grant.redirectHost} has no access any more.\n`,
        );
        return grant === undefined ? EXIT.failed : EXIT.ok;
      },
    },
    show: {
      needs: 0,
      async run(store, _words, output) {
        if (!output.isTTY) return notATerminal('show');
        output.write(secretPath(await new SecretUrl(store).path()));
        return EXIT.ok;
      },
    },
    rotate: {
      needs: 0,
      async run(store, _words, output) {
        const path = await new SecretUrl(store).rotate();
        output.write('The old secret address is dead.\n');
        output.write(output.isTTY ? secretPath(path) : 'See the new one with local-coder token show.\n');
        return EXIT.ok;
      },
    },
    approve: {
      needs: 1,
      takes: 2,
      async run(store, [reference = '', access], output) {
        const mode = ACCESS_MODES.find((known) => known === access);
        if (access !== undefined && mode === undefined) {
          throw new UsageError(`"${access}" is no access mode: ${ACCESS_MODES.join(', ')}.`);
        }
        return decide(store, reference, { allowed: true, access: mode }, output);
      },
    },
    deny: {
      needs: 1,
      run: (store, [reference = ''], output) => decide(store, reference, { allowed: false }, output),
    },
  }),
);

async function decide(
  store: Store,
  typed: string,
  decision: { readonly allowed: boolean; readonly access?: Grant['access'] },
  output: Output,
): Promise<ExitCode> {
  const reference = await decideLocally(store, typed, { ...decision, nowMs: Date.now() });
  if (reference === undefined) {
    throw new UsageError(
      `"${typed}" is no reference: it has ten characters, as the page in the browser shows it.`,
    );
  }
  output.write(
    decision.allowed
      ? `Request ${reference} is allowed for ten minutes: press Allow on the page in the browser.\n`
      : `Request ${reference} is denied.\n`,
  );
  return EXIT.ok;
}

function notATerminal(action: string): never {
  throw new UsageError(
    `The secret address is shown on a terminal only; run local-coder token ${action} there.`,
    EXIT.failed,
  );
}

function secretPath(path: string): string {
  return `Secret path  ${path}\nAppend it to the public address of the server. Who has it has your access: treat it as a password.\n`;
}

function table(grants: readonly Grant[], nowMs: number): string {
  const rows = [
    ['ID', 'CLIENT', 'ANSWERS TO', 'ACCESS', 'LAST USED', 'ENDS', 'ADDRESS'],
    ...grants.map((grant) => [
      grant.id,
      forTerminal(grant.clientName),
      grant.redirectHost,
      grant.access,
      `${duration(nowMs - grant.usedMs)} ago`,
      `in ${duration(grant.expiresMs - nowMs)}`,
      grant.issuer,
    ]),
  ];
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows
    .map((row) => `${row.map((cell, column) => cell.padEnd(widths[column]!)).join('  ')}`.trimEnd())
    .map((line) => `${line}\n`)
    .join('');
}

function duration(ms: number): string {
  const minutes = Math.max(0, Math.round(ms / 60_000));
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.round(minutes / 60);
  return hours < 48 ? `${hours} h` : `${Math.round(hours / 24)} days`;
}
