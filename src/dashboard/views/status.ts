import { html } from 'hono/html';
import type { ClientModel, ConnectorModel, StatusModel, TunnelModel } from '../models.ts';
import type { Locale } from './locale.ts';
import { barChart, qrCode } from './pictures.ts';
import { fact, moment, NONE, type Tongue, tongueOf, type View } from './view.ts';
import { plainText, shown } from './visible.ts';

export async function statusView(model: StatusModel, locale: Locale): Promise<View> {
  const tongue = tongueOf(locale);
  const { t, number, duration } = tongue;
  const { requests } = model;
  return html`<h2>${t.status}</h2>
${requests.total === 0 ? notCalled(tongue, model.connector) : NONE}
<div class="cards">
<section class="card" id="st-serves"><h3>${t.serves}</h3><dl>
${fact(
  model.roots.length > 1 ? t.folders : t.folder,
  html`${model.roots.map((root) => html`<code>${shown(root)}</code> `)}`,
)}
${fact(t.accessMode, html`<b>${t.modes[model.access]}</b> <span class="soft">${t.modeMeans[model.access]}</span>`)}
${fact(t.asksBefore, t.approvePolicy[model.approve])}
${fact(t.localAddress, copyable(model.address, tongue))}
${fact(t.version, html`${model.version} <span class="soft">${t.upFor(duration(model.uptimeSeconds * 1000))}</span>`)}
</dl></section>
<section class="card" id="st-now"><h3>${t.now}</h3>
<dl class="figures">
${fact(t.perMinute, number(requests.perMinute))}
${fact(t.callsRunning, html`<a href="#activity">${number(model.runningCalls)}</a>`)}
${fact(t.processesRunning, html`<a href="#processes">${number(model.runningProcesses)}</a>`)}
${fact(t.approvalsWaiting, html`<a href="#approvals"${model.waitingApprovals > 0 ? html` class="alarm"` : NONE}>${number(model.waitingApprovals)}</a>`)}
</dl>
${barChart(requests.history, t.chart(number(Math.max(0, ...requests.history))))}
<p class="soft">${t.callsInAll(number(requests.total))}${requests.lastCallAt === undefined ? NONE : html` · ${t.lastCall} ${moment(requests.lastCallAt, 'ago')}`}</p>
</section>
${model.tunnel === undefined ? NONE : tunnelCard(model.tunnel, tongue)}
${model.connector === undefined ? NONE : await connectorCard(model.connector, tongue)}
${model.clients.length === 0 ? NONE : clientsCard(model.clients, tongue)}
</div>`;
}

/** Said where it is true only: nobody has called since the start. */
function notCalled({ t }: Tongue, connector: ConnectorModel | undefined): View {
  return html`<section class="notice" id="st-quiet"><h3>${t.notCalled}</h3><p>${t.notCalledWhy}</p><ul>
<li>${t.whyNotNamed}</li>
${connector === undefined ? NONE : html`<li>${t.whyAddress}</li>`}
<li>${t.whyNotConnected}</li>
<li>${t.whyModel}</li>
</ul><p class="soft">${t.doctor} <code>local-coder doctor</code></p></section>`;
}

function tunnelCard(tunnel: TunnelModel, tongue: Tongue): View {
  const { t } = tongue;
  return html`<section class="card" id="st-tunnel"><h3>${t.tunnel} <span class="state ${tunnel.state}">${t.tunnelStates[tunnel.state]}</span></h3><dl>
${fact(t.provider, shown(tunnel.name))}
${tunnel.address === undefined ? NONE : fact(t.address, copyable(tunnel.address, tongue))}
</dl>${tunnel.message === undefined ? NONE : html`<p>${shown(tunnel.message)}</p>`}</section>`;
}

async function connectorCard(connector: ConnectorModel, tongue: Tongue): Promise<View> {
  const { t } = tongue;
  const { server } = connector;
  const isUrl = server.kind === 'url';
  return html`<section class="card wide" id="st-connector"><h3>${t.connector}</h3><p class="soft">${t.connectorWhere} <b>chatgpt.com → Plugins → + → Add custom MCP server</b></p>
<div class="beside"><dl>
${fact('Name', copyable(connector.name, tongue))}
${fact('Description', copyable(connector.description, tongue))}
${fact(isUrl ? 'Server URL' : 'Connection: Tunnel', copyable(server.value, tongue))}
${fact('Authentication', html`${connector.authentication === 'oauth' ? 'OAuth' : 'No authentication'}${connector.authentication === 'oauth' ? html` <span class="soft">${t.oauthHint}</span>` : NONE}`)}
</dl>${isUrl ? await qrCode(server.value, t.qr) : NONE}</div></section>`;
}

function clientsCard(clients: readonly ClientModel[], { t, number }: Tongue): View {
  return html`<section class="card wide" id="st-clients"><h3>${t.clients}</h3><table><thead><tr><th scope="col">${t.client}</th><th scope="col" class="num">${t.calls}</th><th scope="col">${t.lastSeen}</th></tr></thead><tbody>
${clients.map((client) => html`<tr><td>${shown(client.name)}</td><td class="num">${number(client.calls)}</td><td>${moment(client.lastSeenAt, 'ago')}</td></tr>`)}
</tbody></table></section>`;
}

/** A value with a button that copies it. */
function copyable(value: string, { t }: Tongue): View {
  return html`<span class="copy"><code>${shown(value)}</code> <button type="button" class="small" data-copy="${value}" aria-label="${t.copy}: ${plainText(value)}">${t.copy}</button></span>`;
}
