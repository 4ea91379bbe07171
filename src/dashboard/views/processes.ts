import { html } from 'hono/html';
import type { ProcessesModel, ProcessModel, ProcessOutputModel, ShellModel } from '../models.ts';
import { ansi } from './ansi.ts';
import { outputPane } from './call.ts';
import type { Locale } from './locale.ts';
import { fact, moment, NONE, press, type Tongue, tongueOf, type View } from './view.ts';
import { plainText, shown } from './visible.ts';

const MAX_COMMAND_CHARACTERS = 300;

export function processesView(model: ProcessesModel, locale: Locale): View {
  const tongue = tongueOf(locale);
  const { t } = tongue;
  return html`<h2>${t.processes}</h2>
<ul class="list" id="processes">${model.processes.map((process) => item(process, tongue))}</ul>
<p class="soft none">${t.noProcesses}</p>
${model.shells.length === 0 ? NONE : html`<h3>${t.shells}</h3><ul class="list">${model.shells.map((shell) => shellItem(shell, tongue))}</ul>`}`;
}

function item(process: ProcessModel, tongue: Tongue): View {
  const { t, duration, size } = tongue;
  const id = encodeURIComponent(process.id);
  const command =
    process.command.length > MAX_COMMAND_CHARACTERS
      ? `${process.command.slice(0, MAX_COMMAND_CHARACTERS)}…`
      : process.command;
  return html`<li id="process-${process.id}"><div class="head"><a href="#process=${id}" class="command">${
    process.name === undefined ? NONE : html`<b>${shown(process.name)}</b> `
  }<code>${shown(command)}</code></a></div><p class="soft">${state(process, tongue)} <span>${duration(process.durationMs)}</span> · ${size(process.outputBytes)}${
    process.ports.length === 0 ? NONE : html` · ${t.ports(process.ports.join(', '))}`
  } · <code>${shown(process.folder)}</code></p>${process.state === 'exited' ? NONE : stopButton(process, tongue)}</li>`;
}

function shellItem(shell: ShellModel, { t, number }: Tongue): View {
  return html`<li><b>${shown(shell.name)}</b> ${shown(shell.kind)} · <code>${shown(shell.folder)}</code>${
    shell.runningCommands > 0 ? html` · ${t.commandsRunning(number(shell.runningCommands))}` : NONE
  }</li>`;
}

function state(process: ProcessModel, { t }: Tongue): View {
  const failed = process.signal !== null || (process.exitCode !== null && process.exitCode !== 0);
  if (process.state !== 'exited') {
    return html`<span class="state running">${t.processStates[process.state]}</span>`;
  }
  return html`<span class="state ${failed ? 'failed' : 'ok'}">${
    process.signal !== null
      ? t.endedBy(plainText(process.signal))
      : process.exitCode === null
        ? t.processStates.exited
        : t.endedWith(String(process.exitCode))
  }</span>`;
}

function stopButton(process: ProcessModel, { t }: Tongue): View {
  return press({
    path: `processes/${encodeURIComponent(process.id)}/stop`,
    label: t.stop,
    what: plainText(process.name ?? process.command.slice(0, 80)),
    sure: t.sureStop,
    done: t.stopAsked,
    look: 'bad',
  });
}

/** The page of one process; its output is fetched by the script, from `output.cursor` on where that is given. */
export function processView(output: ProcessOutputModel, locale: Locale): View {
  const tongue = tongueOf(locale);
  const { t, duration, size } = tongue;
  const { process } = output;
  const id = encodeURIComponent(process.id);
  return html`<p class="back"><a href="#processes">← ${t.processes}</a></p>
<div class="head"><h2>${shown(process.name ?? process.id)}</h2> ${state(process, tongue)}${process.state === 'exited' ? NONE : stopButton(process, tongue)}</div>
<p class="subject"><code>${shown(process.command)}</code></p>
<dl class="facts">${fact(t.folder, html`<code>${shown(process.folder)}</code>`)}${fact(t.started, moment(process.startedAt))}${fact(t.took, duration(process.durationMs))}${fact(t.outputSize, size(process.outputBytes))}${
    process.shell === undefined ? NONE : fact(t.shell, shown(process.shell))
  }${process.ports.length === 0 ? NONE : fact(t.portsTitle, process.ports.join(', '))}</dl>
${outputPane(process.id, tongue)}
${
  !process.readsInput
    ? NONE
    : html`<form class="bar" data-do="processes/${id}/input" data-done="${t.sent}"><input name="text" aria-label="${t.input}" placeholder="${t.input}" autocomplete="off" autocapitalize="off" spellcheck="false"><button>${t.send}</button></form>`
}`;
}

/**
 * A piece of output. The script appends it and asks for the next one from `data-cursor`, with `data-ansi` as `ansi`.
 *
 * @param before the `data-ansi` of the piece before
 */
export function processOutputView(output: ProcessOutputModel, locale: Locale, before = ''): View {
  const { t } = tongueOf(locale);
  const piece = ansi(output.stdout, before);
  const errors = output.stderr === '' ? undefined : ansi(output.stderr);
  return html`<div data-cursor="${output.cursor}" data-ansi="${piece.state}" data-state="${output.process.state}"${
    output.remainingBytes > 0 ? html` data-more` : NONE
  }${piece.overwrites ? html` data-cr` : NONE}>${
    output.truncated ? html`<span class="x">${t.outputCut}</span>\n` : NONE
  }${piece.view}${errors === undefined ? NONE : html`<span class="err">${errors.view}</span>`}</div>`;
}
