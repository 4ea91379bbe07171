import { html } from 'hono/html';
import type { CheckpointModel, FileHistoryModel, HistoryModel, RestorePreviewModel } from '../models.ts';
import { diffView } from './diff.ts';
import type { Locale } from './locale.ts';
import { moment, NONE, press, type Tongue, tongueOf, type View } from './view.ts';
import { shown } from './visible.ts';

/** Of one checkpoint in a list. */
const MAX_FILES = 8;

export function historyView(model: HistoryModel, locale: Locale): View {
  const tongue = tongueOf(locale);
  const { t, size } = tongue;
  return html`<div class="head"><h2>${t.history}</h2>${
    model.canRedo ? press({ path: 'history/redo', label: t.redo, done: t.redone, sure: t.sureRedo }) : NONE
  }</div>
<p class="soft">${t.historyAbout} ${t.historyUses(size(model.usedBytes), size(model.budgetBytes))}</p>
${list(model, tongue)}`;
}

/** The changes of one file; with `model.against`, and what became of it since before that one. */
export function fileHistoryView(path: string, model: FileHistoryModel, locale: Locale): View {
  const tongue = tongueOf(locale);
  const { t } = tongue;
  const { against, diff } = model;
  return html`<p class="back"><a href="#history">← ${t.history}</a></p>
<h2 class="subject">${shown(path)}</h2>
${
  against === undefined
    ? html`<p class="soft">${t.fileHistoryAbout}</p>`
    : html`<h3>${t.sinceBefore} <a href="#checkpoint=${encodeURIComponent(against)}">${shown(against)}</a></h3>${
        diff === undefined ? html`<p class="notice">${t.notInCheckpoint}</p>` : diffView([diff], tongue)
      }<h3>${t.fileHistoryAbout}</h3>`
}
${list(model, tongue, path)}`;
}

function list(model: HistoryModel, tongue: Tongue, path?: string): View {
  const { t } = tongue;
  return html`<ol class="list" id="checkpoints">${model.checkpoints.map((checkpoint) => item(checkpoint, tongue, path))}</ol>
<p class="soft none">${t.noCheckpoints}</p>
<p class="more">${model.next === undefined ? NONE : html`<button type="button" data-older="${model.next}">${t.older}</button>`}</p>`;
}

/** @param path of the file whose history this is */
function item(checkpoint: CheckpointModel, tongue: Tongue, path: string | undefined): View {
  const { t } = tongue;
  const id = encodeURIComponent(checkpoint.id);
  return html`<li id="checkpoint-${checkpoint.id}"><div class="head"><a href="#checkpoint=${id}"><b>${toolOf(checkpoint, tongue)}</b></a> ${moment(checkpoint.at)}${
    checkpoint.restores === undefined
      ? NONE
      : html` <span class="soft">${t.tookBack} <a href="#checkpoint=${encodeURIComponent(checkpoint.restores)}">${shown(checkpoint.restores)}</a></span>`
  }${
    path === undefined
      ? NONE
      : html` <a href="#since=${encodeURIComponent(`${checkpoint.id} ${path}`)}">${t.compare}</a>`
  }</div>${files(checkpoint, tongue)}</li>`;
}

function files(checkpoint: CheckpointModel, { t, number }: Tongue): View {
  const more = checkpoint.fileCount - Math.min(checkpoint.files.length, MAX_FILES);
  return html`<ul class="files">${checkpoint.files
    .slice(0, MAX_FILES)
    .map(
      ({ path, change }) =>
        html`<li><span class="soft change">${wordFor(change, t.changes)}</span> <a href="#file=${encodeURIComponent(path)}">${shown(path)}</a></li>`,
    )}${more > 0 ? html`<li class="soft">${t.moreFiles(number(more))}</li>` : NONE}</ul>`;
}

/** What was restored from this page is no tool's doing. */
function toolOf({ tool }: CheckpointModel, { t }: Tongue): View | string {
  return tool === 'page' ? t.restoredHere : shown(tool);
}

/** The history's words for what happened to a file, in the page's language where it knows them. */
function wordFor(change: string, words: Readonly<Record<string, string>>): View {
  return shown(Object.hasOwn(words, change) ? (words[change] ?? change) : change);
}

export function restorePreviewView(model: RestorePreviewModel, locale: Locale): View {
  const tongue = tongueOf(locale);
  const { t, number } = tongue;
  const { checkpoint, steps } = model;
  const blocked = model.conflictCount > 0 || model.hiddenCount > 0;
  const toDo = model.moreSteps > 0 || steps.some(({ action }) => action === 'restore');
  return html`<p class="back"><a href="#history">← ${t.history}</a></p>
<div class="head"><h2>${t.takeBackOf} ${toolOf(checkpoint, tongue)}</h2> ${moment(checkpoint.at)}</div>
<p class="soft">${t.restoreAbout}</p>
${model.conflictCount > 0 ? html`<p class="notice bad" role="alert">${t.conflicts(number(model.conflictCount))}</p>` : NONE}
${model.hiddenCount > 0 ? html`<p class="notice bad">${t.outside(number(model.hiddenCount))}</p>` : NONE}
<ul class="list steps">${steps.map(
    ({ path, action, later }) =>
      html`<li><span class="state ${action}">${t.steps[action]}</span> <a href="#file=${encodeURIComponent(path)}">${shown(path)}</a>${
        later.length === 0
          ? NONE
          : html` <span class="soft">${t.changedLater} ${later.map((id) => html`<a href="#checkpoint=${encodeURIComponent(id)}">${shown(id)}</a> `)}</span>`
      }</li>`,
  )}${model.moreSteps > 0 ? html`<li class="soft">${t.moreFiles(number(model.moreSteps))}</li>` : NONE}</ul>
${
  blocked || !toDo
    ? html`<p><button type="button" class="good" disabled>${t.restore}</button> <span class="soft">${blocked ? t.restoreBlocked : t.nothingToRestore}</span></p>`
    : html`<p>${press({ path: `history/${encodeURIComponent(checkpoint.id)}/restore`, label: t.restore, sure: t.sureRestore, done: t.restored, look: 'good' })}</p>`
}
${model.diffs.length === 0 ? NONE : html`<h3>${t.whatRestoreDoes}</h3>`}
${diffView(model.diffs, tongue)}`;
}
