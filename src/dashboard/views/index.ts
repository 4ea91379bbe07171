/** The page's sections: a model and a language make a fragment of HTML, in which every value is text. */
export { accessView } from './access.ts';
export { activityRows, activityView } from './activity.ts';
export { approvalsView } from './approvals.ts';
export { callView } from './call.ts';
export { fileHistoryView, historyView, restorePreviewView } from './history.ts';
export { chooseLocale, LOCALES, type Locale } from './locale.ts';
export { processesView, processOutputView, processView } from './processes.ts';
export { pageShell } from './shell.ts';
export { statusView } from './status.ts';
export { textsOf } from './texts/index.ts';
export type { View } from './view.ts';
