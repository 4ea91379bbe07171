import { html } from 'hono/html';
import type {
  AccessModel,
  ActivityModel,
  ActivityQuery,
  ApprovalModel,
  CallDetailModel,
  CallModel,
  HistoryModel,
  ProcessesModel,
  ProcessOutputModel,
  RestorePreviewModel,
  StatusModel,
} from '../models.ts';
import type { Locale } from './locale.ts';

export { chooseLocale, LOCALES, type Locale } from './locale.ts';

export type View = ReturnType<typeof html>;

const plain = (model: unknown): View => html`<pre>${JSON.stringify(model, undefined, 2)}</pre>`;

export const pageShell = (locale: Locale): View => html`<!doctype html>
<html lang="${locale}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>local-coder</title><link rel="stylesheet" href="/page/app.css"><script src="/page/app.js" defer></script></head>
<body><main></main></body></html>
`;
export const statusView = (model: StatusModel, _locale: Locale): View => plain(model);
export const activityView = (model: ActivityModel, _query: ActivityQuery, locale: Locale): View =>
  html`<table><tbody>${activityRows(model.calls, locale)}</tbody></table>`;
export const activityRows = (calls: readonly CallModel[], _locale: Locale): View =>
  html`${calls.map((call) => html`<tr id="call-${call.id}"><td>${call.tool}</td><td>${call.target}</td><td>${call.outcome}</td></tr>`)}`;
export const callView = (detail: CallDetailModel, _locale: Locale): View => plain(detail);
export const historyView = (model: HistoryModel, _locale: Locale): View => plain(model);
export const fileHistoryView = (_path: string, model: HistoryModel, _locale: Locale): View => plain(model);
export const restorePreviewView = (model: RestorePreviewModel, _locale: Locale): View => plain(model);
export const approvalsView = (models: readonly ApprovalModel[], _locale: Locale): View => plain(models);
export const processesView = (model: ProcessesModel, _locale: Locale): View => plain(model);
export const processView = (output: ProcessOutputModel, _locale: Locale): View => plain(output);
/** @param ansi what the `data-ansi` of the piece before said; the page sends it back as `?ansi=` */
export const processOutputView = (output: ProcessOutputModel, _locale: Locale, _ansi?: string): View =>
  plain(output);
export const accessView = (model: AccessModel, _locale: Locale): View => plain(model);
