import type { Context, Hono } from 'hono';
import { htmlAnswer, refusal } from './answers.ts';
import type { PageEnv } from './guard.ts';
import type { ActivityQuery, CallOutcome } from './models.ts';
import type { DashboardParts } from './parts.ts';
import { accessModel } from './sources/access.ts';
import { activityModel } from './sources/activity.ts';
import { approvalModels } from './sources/approvals.ts';
import { callDetail } from './sources/call-detail.ts';
import { fileHistoryModel, historyModel, restorePreview } from './sources/history.ts';
import { processesModel, processOutput } from './sources/processes.ts';
import { statusModel } from './sources/status.ts';
import {
  accessView,
  activityView,
  approvalsView,
  callView,
  chooseLocale,
  fileHistoryView,
  historyView,
  type Locale,
  processesView,
  processOutputView,
  processView,
  restorePreviewView,
  statusView,
  type View,
} from './views/index.ts';

type PageContext = Context<PageEnv>;

const CALLS_PER_PAGE = 100;
const OUTCOMES: ReadonlySet<string> = new Set<CallOutcome>([
  'ok',
  'failed',
  'denied',
  'cancelled',
  'running',
]);

/** The sections of the page as HTML, in the language that the browser asks for. */
export function mountFragments(app: Hono<PageEnv>, parts: DashboardParts): void {
  const draw = async (context: PageContext, view: (locale: Locale) => View | Promise<View>) =>
    htmlAnswer(String(await view(localeOf(context))));

  app.get('/page/status', async (context) => {
    const model = await statusModel(parts);
    return draw(context, (locale) => statusView(model, locale));
  });
  app.get('/page/activity', async (context) => {
    const query = activityQuery(context);
    const model = await activityModel(parts, query);
    return draw(context, (locale) => activityView(model, query, locale));
  });
  app.get('/page/calls/:id', async (context) => {
    const detail = await callDetail(parts, context.req.param('id'));
    if (detail === undefined) return refusal(404, 'NOT_FOUND', 'This call is not on record any more.');
    return draw(context, (locale) => callView(detail, locale));
  });
  app.get('/page/history', async (context) => {
    const model = await historyModel(parts, context.req.query('before'));
    return draw(context, (locale) => historyView(model, locale));
  });
  app.get('/page/history/file', async (context) => {
    const { path = '', before, against } = context.req.query();
    const model = await fileHistoryModel(parts, path, { before, against });
    return draw(context, (locale) => fileHistoryView(model.path, model, locale));
  });
  app.get('/page/history/:id', async (context) => {
    const model = await restorePreview(parts, context.req.param('id'));
    return draw(context, (locale) => restorePreviewView(model, locale));
  });
  app.get('/page/approvals', async (context) => {
    const models = await approvalModels(parts);
    return draw(context, (locale) => approvalsView(models, locale));
  });
  app.get('/page/processes', async (context) => {
    const model = await processesModel(parts);
    return draw(context, (locale) => processesView(model, locale));
  });
  app.get('/page/processes/:id', async (context) => {
    const output = await processOutput(parts, context.req.param('id'), undefined);
    return draw(context, (locale) => processView(output, locale));
  });
  app.get('/page/processes/:id/output', async (context) => {
    const output = await processOutput(parts, context.req.param('id'), context.req.query('cursor'));
    const ansi = context.req.query('ansi');
    return draw(context, (locale) => processOutputView(output, locale, ansi));
  });
  app.get('/page/access', async (context) => {
    const model = await accessModel(parts);
    return draw(context, (locale) => accessView(model, locale));
  });
}

export function localeOf(context: Pick<PageContext, 'req'>): Locale {
  return chooseLocale(context.req.header('accept-language'), context.req.query('lang'));
}

function activityQuery({ req }: PageContext): ActivityQuery {
  const outcome = req.query('outcome');
  return {
    before: req.query('before') || undefined,
    limit: CALLS_PER_PAGE,
    search: req.query('q')?.slice(0, 200) || undefined,
    // The set holds outcomes alone.
    outcome: outcome !== undefined && OUTCOMES.has(outcome) ? (outcome as CallOutcome) : undefined,
    tool: req.query('tool') || undefined,
  };
}
