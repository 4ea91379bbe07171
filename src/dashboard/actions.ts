import type { Context, Hono } from 'hono';
import type { ApprovalAnswer } from '../access/index.ts';
import { ACCESS_MODES } from '../auth/index.ts';
import { jsonAnswer, refusal } from './answers.ts';
import { localeOf } from './fragments.ts';
import { type PageEnv, SESSION_HEADER } from './guard.ts';
import type { createLogin } from './login.ts';
import type { DashboardParts, PageGatekeeper } from './parts.ts';
import type { Sessions } from './sessions.ts';
import { redo, restore } from './sources/history.ts';
import { shellOf } from './sources/processes.ts';
import { textsOf } from './views/index.ts';

type PageContext = Context<PageEnv>;
type Body = Readonly<Record<string, unknown>>;
/** What is told to whoever looks when an action changed it. */
export type Section = 'approvals' | 'processes' | 'status' | 'access' | 'history';

const MAX_BODY_BYTES = 256 * 1024;
const ANSWERS: ReadonlySet<string> = new Set<ApprovalAnswer>([
  'allow',
  'deny',
  'always-tool',
  'always-call',
  'always-prefix',
]);

export interface ActionTools {
  readonly sessions: Sessions;
  readonly login: ReturnType<typeof createLogin>;
  readonly onChange: (section: Section) => void;
}

/** What the page can do: each action is one POST with a JSON body and answers `{ok, message?}` or `{ok: false, code, message}`. */
export function mountActions(app: Hono<PageEnv>, parts: DashboardParts, tools: ActionTools): void {
  const { sessions, login, onChange } = tools;
  const action =
    (act: (context: PageContext, body: Body) => Promise<Response>) => async (context: PageContext) => {
      const body = await bodyOf(context);
      return 'refused' in body ? body.refused : act(context, body.given);
    };

  app.post(
    '/page/login',
    action((_context, body) => login.login(body)),
  );
  app.post(
    '/page/logout',
    action(async (context) => {
      sessions.close(context.req.header(SESSION_HEADER) ?? '');
      return done();
    }),
  );
  app.post(
    '/page/approvals/:id',
    action(async (context, body) => {
      const given = body['answer'];
      if (typeof given !== 'string' || !ANSWERS.has(given)) return invalid('answer');
      // The set holds answers alone.
      const settled = parts.approvals.answer(context.req.param('id') ?? '', given as ApprovalAnswer);
      return settled ? done() : refusal(409, 'SETTLED', textsFor(context).settled);
    }),
  );
  app.post(
    '/page/calls/:id/stop',
    action(async (context) =>
      parts.calls.stop(context.req.param('id') ?? '')
        ? done()
        : refusal(409, 'NOT_RUNNING', textsFor(context).notRunning),
    ),
  );
  app.post(
    '/page/processes/:id/stop',
    action(async (context, body) => {
      const id = context.req.param('id') ?? '';
      const { survivors } = await (await shellOf(parts, id)).stopProcess(id, body['force'] === true);
      onChange('processes');
      return survivors.length === 0
        ? done()
        : refusal(409, 'SURVIVORS', textsFor(context).survivors(survivors.join(', ')));
    }),
  );
  app.post(
    '/page/processes/:id/input',
    action(async (context, body) => {
      const id = context.req.param('id') ?? '';
      const text = body['text'];
      if (typeof text !== 'string') return invalid('text');
      await (await shellOf(parts, id)).writeInput(id, text, body['close'] === true);
      return done();
    }),
  );
  app.post(
    '/page/history/redo',
    action(async () => {
      const message = await redo(parts);
      onChange('history');
      return done(message);
    }),
  );
  app.post(
    '/page/history/:id/restore',
    action(async (context) => {
      const message = await restore(parts, context.req.param('id') ?? '');
      onChange('history');
      return done(message);
    }),
  );
  mountAccess(app, parts, action, onChange);
}

function mountAccess(
  app: Hono<PageEnv>,
  parts: DashboardParts,
  action: (
    act: (context: PageContext, body: Body) => Promise<Response>,
  ) => (context: PageContext) => Promise<Response>,
  onChange: ActionTools['onChange'],
): void {
  const owner = (act: (keeper: PageGatekeeper, context: PageContext, body: Body) => Promise<Response>) =>
    action(async (context, body) => {
      if (parts.gatekeeper === undefined) {
        return refusal(409, 'NO_AUTH', 'Nothing is asked of clients here, so there is nobody to let in.');
      }
      const answered = await act(parts.gatekeeper, context, body);
      onChange('access');
      return answered;
    });
  app.post(
    '/page/access/grants/:id/revoke',
    owner(async ({ store }, context) => {
      const grant = await store.grants.revoke(context.req.param('id') ?? '');
      return grant === undefined ? refusal(404, 'NOT_FOUND', textsFor(context).noAccess) : done();
    }),
  );
  app.post(
    '/page/access/waiting/:reference/approve',
    owner(async ({ desk }, context, body) => {
      const access = ACCESS_MODES.find((mode) => mode === body['access']);
      if (body['access'] !== undefined && access === undefined) return invalid('access');
      return (await desk.approve(context.req.param('reference') ?? '', access))
        ? done()
        : noReference(context);
    }),
  );
  app.post(
    '/page/access/waiting/:reference/deny',
    owner(async ({ desk }, context) =>
      (await desk.deny(context.req.param('reference') ?? '')) ? done() : noReference(context),
    ),
  );
  app.post(
    '/page/access/rotate',
    owner(async ({ secretUrl }) => {
      await secretUrl.rotate();
      onChange('status');
      return done();
    }),
  );
}

/** The body as an object, or why it is none. */
async function bodyOf(context: PageContext): Promise<{ given: Body } | { refused: Response }> {
  const lengthBytes = Number(context.req.header('content-length') ?? Number.NaN);
  if (!(lengthBytes <= MAX_BODY_BYTES)) {
    const message = `The request must say its length, at most ${MAX_BODY_BYTES} bytes.`;
    return { refused: refusal(413, 'TOO_LARGE', message) };
  }
  const body: unknown = await context.req.json().catch(() => undefined);
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    return { refused: invalid('body') };
  }
  return { given: body as Body }; // any object can be looked into
}

function done(message?: string): Response {
  return jsonAnswer({ ok: true, ...(message === undefined ? {} : { message }) });
}

function invalid(name: string): Response {
  return refusal(400, 'INVALID_PARAMS', `"${name}" is missing or not what it can be.`);
}

/** Whose page it is reads why in its language. */
function textsFor(context: PageContext) {
  return textsOf(localeOf(context));
}

function noReference(context: PageContext): Response {
  return refusal(404, 'NOT_FOUND', textsFor(context).notWaiting);
}
