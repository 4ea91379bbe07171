import { announcementLine, ConsentDesk, createAuth, openAuthStore, SecretUrl } from '../auth/index.ts';
import type { Settings } from '../config/load.ts';
import type { CallerAuth } from '../http/guarded-mcp.ts';
import type { Log } from '../runtime/log.ts';

type Store = Awaited<ReturnType<typeof openAuthStore>>;

/** Who may let clients in, for both listeners: one store, one desk, one line per waiting request. */
export interface Gatekeeper {
  readonly store: Store;
  readonly desk: ConsentDesk;
  readonly secretUrl: SecretUrl;
  /**
   * @param origin the address in use; undefined while there is none
   * @param clientAddress the caller's own address, where the tunnel vouches for it
   */
  callerAuth(
    kind: 'oauth' | 'url',
    origin: (request: { readonly headers: { get(name: string): string | null } }) => string | undefined,
    clientAddress?: (request: Request) => string | undefined,
  ): CallerAuth;
  close(): void;
}

export async function openGatekeeper(settings: Settings, stateDir: string, log: Log): Promise<Gatekeeper> {
  const store = await openAuthStore(stateDir);
  const desk = new ConsentDesk({
    store,
    announce: (request) => {
      const terminal = [process.stdout, process.stderr].find(({ isTTY }) => isTTY);
      if (terminal !== undefined) terminal.write(`\n  ${announcementLine(request)}\n\n`);
      // A log is no place for the code: the reference is enough for who sits at this machine.
      else
        log.info(
          `request ${request.number} of "${request.client}" at ${request.host} waits for you: local-coder token approve ${request.reference}`,
        );
    },
  });
  const secretUrl = new SecretUrl(store);
  return {
    store,
    desk,
    secretUrl,
    callerAuth(kind, origin, clientAddress) {
      if (kind === 'url') return { kind, matches: (secret) => secretUrl.matches(secret) };
      const auth = createAuth({
        store,
        publicUrl: origin,
        accessMode: settings.access,
        consent: desk,
        ...(clientAddress === undefined ? {} : { clientAddress }),
        onError: (error) =>
          log.error(error instanceof Error ? (error.stack ?? error.message) : String(error)),
      });
      return { kind, auth };
    },
    close: () => store.close(),
  };
}
