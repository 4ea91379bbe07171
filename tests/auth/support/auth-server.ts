import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Hono } from 'hono';
import {
  type Announcement,
  type AuthOptions,
  announcementLine,
  ConsentDesk,
  createAuth,
  openAuthStore,
} from '../../../src/auth/index.ts';
import { listen } from '../../../src/http/listener.ts';

export type AuthServer = Awaited<ReturnType<typeof startAuthServer>>;

interface ServerOptions
  extends Partial<Pick<AuthOptions, 'accessMode' | 'clientAddress' | 'fetchDocument' | 'resourceUrl'>> {
  /** The name under which it is public; loopback over http by default. */
  readonly publicUrl?: string;
  readonly stateDir?: string;
  /** Answers /mcp once the caller is known. */
  readonly mcp?: (request: Request) => Promise<Response>;
}

/** An authorization server with a protected /mcp, on a free loopback port, with a clock that tests can move. */
export async function startAuthServer(options: ServerOptions = {}) {
  const ownFolder = options.stateDir === undefined ? await mkdtemp(join(tmpdir(), 'lc-auth-')) : undefined;
  const stateDir = options.stateDir ?? ownFolder!;
  const store = await openAuthStore(stateDir);
  const announced: Announcement[] = [];
  const defects: unknown[] = [];
  const time = { passedMs: 0 };
  const clock = () => Date.now() + time.passedMs;
  const desk = new ConsentDesk({ store, clock, announce: (request) => announced.push(request) });
  let base = '';
  const at = { publicUrl: options.publicUrl };
  const auth = createAuth({
    store,
    accessMode: options.accessMode ?? 'full',
    consent: desk,
    clock,
    onError: (error) => defects.push(error),
    fetchDocument: async () => {
      throw new Error('no document is served in this test');
    },
    ...options,
    publicUrl: () => at.publicUrl ?? base,
  });
  const app = new Hono();
  app.route('/', auth.app);
  app.all('/mcp', async (context) => {
    const who = await auth.authenticate(context.req.raw);
    if (who instanceof Response) return who;
    return options.mcp?.(context.req.raw) ?? context.json(who);
  });
  const listener = await listen(app.fetch, { host: '127.0.0.1', port: 0 });
  base = `http://127.0.0.1:${listener.port}`;
  return {
    /** Where it is reached. */
    base,
    /** The public URL in use; may be changed. */
    at,
    get issuer() {
      return at.publicUrl ?? base;
    },
    stateDir,
    store,
    desk,
    announced,
    announcedLines: () => announced.map(announcementLine),
    defects,
    /** Lets time pass for the server. */
    pass: (ms: number) => {
      time.passedMs += ms;
    },
    async close() {
      await listener.close(0);
      store.close();
      if (ownFolder !== undefined) await rm(ownFolder, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

export const CALLBACK = 'https://client.example/callback';

export async function registerClient(
  server: AuthServer,
  metadata: Record<string, unknown> = {},
): Promise<string> {
  const response = await postJson(`${server.base}/register`, {
    client_name: 'Test client',
    redirect_uris: [CALLBACK],
    token_endpoint_auth_method: 'none',
    ...metadata,
  });
  const body = (await response.json()) as { client_id: string };
  if (response.status !== 201) throw new Error(`not registered: ${response.status} ${JSON.stringify(body)}`);
  return body.client_id;
}

export function pkce() {
  const verifier = randomBytes(32).toString('base64url');
  return { verifier, challenge: createHash('sha256').update(verifier).digest('base64url') };
}

/** The query of a right authorization request; a change of undefined leaves a parameter out. */
export function authorizeUrl(
  server: AuthServer,
  clientId: string,
  challenge: string,
  changes: Record<string, string | undefined> = {},
): string {
  const parameters = {
    response_type: 'code',
    client_id: clientId,
    redirect_uri: CALLBACK,
    code_challenge: challenge,
    code_challenge_method: 'S256',
    state: 'state of the client',
    scope: 'mcp offline_access',
    resource: `${server.issuer}/mcp`,
    ...changes,
  };
  const given = Object.entries(parameters).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  return `${server.base}/authorize?${new URLSearchParams(given)}`;
}

/** A browser without JavaScript: cookies, one form, one refresh. */
export class Browser {
  cookie: string | undefined;

  async open(url: string, headers: Record<string, string> = {}): Promise<Page> {
    return this.#take(await fetch(url, { redirect: 'manual', headers: this.#headers(headers) }));
  }

  /** Sends the page's form with the given fields set. */
  async submit(
    page: Page,
    fields: Record<string, string>,
    headers: Record<string, string> = {},
  ): Promise<Page> {
    const body = new URLSearchParams({ ...page.fields, ...fields });
    const url = new URL(page.action ?? '/authorize', page.url);
    return this.#take(
      await fetch(url, { method: 'POST', redirect: 'manual', body, headers: this.#headers(headers) }),
    );
  }

  #headers(more: Record<string, string>): Record<string, string> {
    return { accept: 'text/html', ...(this.cookie === undefined ? {} : { cookie: this.cookie }), ...more };
  }

  async #take(response: Response): Promise<Page> {
    this.cookie = response.headers.get('set-cookie')?.split(';', 1)[0] ?? this.cookie;
    const html = await response.text();
    const inputs = [
      ...html.matchAll(/<input type="(?:hidden|radio)" name="(\w+)" value="([^"]*)"( checked)?>/g),
    ];
    const fields = inputs.filter(([tag, , , checked]) => tag.includes('hidden') || checked !== undefined);
    return {
      url: response.url,
      status: response.status,
      headers: response.headers,
      html,
      text: html
        .replace(/<style>[\s\S]*?<\/style>/, '')
        .replace(/<[^>]*>/g, ' ')
        .replace(/\s+/g, ' '),
      action: /<form[^>]* action="([^"]*)"/.exec(html)?.[1],
      fields: Object.fromEntries(fields.map(([, name = '', value = '']) => [name, value])),
      number: /class="number">(\d+)</.exec(html)?.[1],
      reference: /token approve ([A-Z0-9-]+)</.exec(html)?.[1],
      leadsTo:
        response.headers.get('location') ?? /^0; url=(.+)$/.exec(response.headers.get('refresh') ?? '')?.[1],
    };
  }
}

export interface Page {
  readonly url: string;
  readonly status: number;
  readonly headers: Headers;
  readonly html: string;
  readonly text: string;
  readonly action: string | undefined;
  readonly fields: Record<string, string>;
  readonly number: string | undefined;
  readonly reference: string | undefined;
  /** Where a redirect or a refresh leads. */
  readonly leadsTo: string | undefined;
}

/** The code that the terminal shows for the number on a page. */
export function codeFor(server: AuthServer, page: Page): string {
  // The short number is for a person who compares two screens: over hundreds of requests it comes again.
  const code = server.announced.findLast((request) => request.number === page.number)?.code;
  if (code === undefined) throw new Error(`no code was announced for request ${page.number}`);
  return code;
}

/** Walks through consent. @returns the parameters that the client is told */
export async function consent(
  server: AuthServer,
  url: string,
  fields: Record<string, string> = {},
): Promise<URLSearchParams> {
  const browser = new Browser();
  const page = await browser.open(url);
  if (page.number === undefined)
    throw new Error(`no consent page: ${page.status} ${page.leadsTo ?? page.text}`);
  const answer = await browser.submit(page, { decision: 'allow', code: codeFor(server, page), ...fields });
  if (answer.leadsTo === undefined) throw new Error(`not let in: ${answer.status} ${answer.text}`);
  return new URL(answer.leadsTo).searchParams;
}

export interface Tokens {
  readonly access_token: string;
  readonly refresh_token: string;
  readonly scope: string;
  readonly expires_in: number;
  readonly token_type: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly body: Record<string, unknown>;
}

export async function postForm(
  url: string,
  fields: Record<string, string> | URLSearchParams,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const response = await fetch(url, {
    method: 'POST',
    redirect: 'manual',
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    body: new URLSearchParams(fields).toString(),
  });
  return answerOf(response);
}

export async function answerOf(response: Response): Promise<Answer> {
  const text = await response.text();
  let body: Record<string, unknown> = {};
  try {
    body = JSON.parse(text) as Record<string, unknown>;
  } catch {
    // Not JSON: the text says more.
  }
  return { status: response.status, headers: response.headers, text, body };
}

export function postJson(url: string, body: unknown): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

export interface SignedIn extends Tokens {
  readonly clientId: string;
  readonly code: string;
  readonly verifier: string;
}

/** Registers a client, gets a code and does not use it. */
export async function getCode(
  server: AuthServer,
  fields: Record<string, string> = {},
): Promise<{ clientId: string; code: string; verifier: string }> {
  const clientId = await registerClient(server);
  const { verifier, challenge } = pkce();
  const told = await consent(server, authorizeUrl(server, clientId, challenge), fields);
  return { clientId, code: told.get('code') ?? '', verifier };
}

export function redeem(
  server: AuthServer,
  got: { clientId: string; code: string; verifier: string },
  changes: Record<string, string> = {},
): Promise<Answer> {
  return postForm(`${server.base}/token`, {
    grant_type: 'authorization_code',
    code: got.code,
    redirect_uri: CALLBACK,
    client_id: got.clientId,
    code_verifier: got.verifier,
    resource: `${server.issuer}/mcp`,
    ...changes,
  });
}

/** The whole way to tokens. */
export async function signIn(server: AuthServer, fields: Record<string, string> = {}): Promise<SignedIn> {
  const got = await getCode(server, fields);
  const answer = await redeem(server, got);
  if (answer.status !== 200) throw new Error(`no tokens: ${answer.status} ${answer.text}`);
  return { ...got, ...(answer.body as unknown as Tokens) };
}

export function refresh(
  server: AuthServer,
  signedIn: { clientId: string },
  refreshToken: string,
  changes: Record<string, string> = {},
): Promise<Answer> {
  return postForm(`${server.base}/token`, {
    grant_type: 'refresh_token',
    refresh_token: refreshToken,
    client_id: signedIn.clientId,
    ...changes,
  });
}

export async function callMcp(server: AuthServer, accessToken: string | undefined): Promise<Answer> {
  const headers: Record<string, string> =
    accessToken === undefined ? {} : { authorization: `Bearer ${accessToken}` };
  return answerOf(await fetch(`${server.base}/mcp`, { method: 'POST', headers }));
}
