/**
 * Stands in for tunnel programs: the real options, the real output, and a real way to the local port. What comes from
 * "the internet" (internet.ts) for a host name arrives at the edge that is registered for it in EDGE_DIR.
 *
 * Usage: stand-in.mjs cloudflared|ngrok|tailscale ARGUMENTS…; STAND_IN_MODE says what goes wrong.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const [program, ...args] = process.argv.slice(2);
const mode = process.env.STAND_IN_MODE ?? '';
const edgeDir = process.env.EDGE_DIR ?? '';

/** A name that is new at each start, and a server that forwards what arrives for it. */
function openEdge(hostname, port) {
  const buffered = (incoming) => mode === 'buffer' || incoming.method === 'GET';
  const server = createServer((incoming, outgoing) => {
    const headers = { ...incoming.headers, 'cf-connecting-ip': '203.0.113.7' };
    const onward = request({ host: '127.0.0.1', port, method: incoming.method, path: incoming.url, headers });
    onward.on('error', () => outgoing.writeHead(502).end('bad gateway'));
    onward.on('response', (answer) => {
      if (!buffered(incoming)) {
        outgoing.writeHead(answer.statusCode, answer.headers);
        outgoing.flushHeaders();
        return answer.pipe(outgoing);
      }
      const chunks = [];
      answer.on('data', (chunk) => chunks.push(chunk));
      answer.on('end', () => {
        const { 'transfer-encoding': _, ...rest } = answer.headers;
        outgoing.writeHead(answer.statusCode, rest);
        outgoing.end(Buffer.concat(chunks));
      });
    });
    incoming.pipe(onward);
  });
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      writeFileSync(join(edgeDir, hostname), String(server.address().port));
      resolve();
    });
  });
}

function newName(domain) {
  return `${randomBytes(4).toString('hex')}-stand-in.${domain}`;
}

function endOnSignal(act = () => {}) {
  for (const signal of ['SIGTERM', 'SIGINT']) {
    process.on(signal, () => {
      if (mode === 'stubborn') return;
      act();
      process.exit(0);
    });
  }
}

function fail(...lines) {
  for (const line of lines) console.error(line);
  process.exit(1);
}

async function cloudflared() {
  if (args[0] === '--version') return console.log('cloudflared version 2026.9.3 (built 2026-09-30-1200 UTC)');
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      config: { type: 'string' },
      'no-autoupdate': { type: 'boolean' },
      metrics: { type: 'string' },
      url: { type: 'string' },
      'token-file': { type: 'string' },
    },
  });
  const log = (level, text) => console.error(`${new Date().toISOString().slice(0, 19)}Z ${level} ${text}`);
  if (positionals[0] !== 'tunnel' || !values['no-autoupdate']) fail('Incorrect Usage');
  if (mode === 'hang') return void setInterval(() => {}, 1_000);
  if (mode === 'garbage') {
    // Lines without end, half characters, colours, links to elsewhere: none of it is an address.
    process.stderr.write(randomBytes(3_000_000));
    log('INF', 'Thank you for trying Cloudflare Tunnel. See https://developers.cloudflare.com/ \u001b[31m');
    log('INF', 'Requesting new quick Tunnel on trycloudflare.com...');
    log('INF', 'https://api.trycloudflare.com/tunnel gave error code: 1015');
    process.exitCode = 1;
    return;
  }
  let hostname;
  let port;
  let ready = false;
  if (positionals[1] === 'run') {
    const token = readFileSync(values['token-file'], 'utf8').trim();
    if (mode === 'badtoken') fail('Provided Tunnel token is not valid.', `debug: the token was ${token}`);
    const parsed = JSON.parse(Buffer.from(token, 'base64').toString());
    hostname = parsed.hostname;
    port = parsed.port;
  } else {
    hostname = newName('trycloudflare.com');
    port = Number(new URL(values.url).port);
  }
  const metrics = createServer((incoming, outgoing) => {
    if (incoming.url === '/ready')
      return outgoing.writeHead(ready ? 200 : 503).end('{"status":200,"readyConnections":4}');
    if (incoming.url === '/quicktunnel' && mode !== 'no-quicktunnel')
      return outgoing.end(JSON.stringify({ hostname: ready ? hostname : '' }));
    outgoing.writeHead(404).end('404 page not found');
  });
  const [host, metricsPort] = values.metrics.split(':');
  await new Promise((resolve) => metrics.listen(Number(metricsPort), host, resolve));
  log('INF', `Starting metrics server on ${values.metrics}/metrics`);
  log('INF', 'Requesting new quick Tunnel on trycloudflare.com...');
  if (mode === 'slow') await new Promise((resolve) => setTimeout(resolve, 1_500));
  await openEdge(hostname, port);
  endOnSignal(() => rmSync(join(edgeDir, hostname), { force: true }));
  const border = `+${'-'.repeat(92)}+`;
  if (positionals[1] !== 'run') {
    log('INF', border);
    log(
      'INF',
      '|  Your quick Tunnel has been created! Visit it at (it may take some time to be reachable):  |',
    );
    log('INF', `|  https://${hostname.padEnd(80)}  |`);
    log('INF', border);
  }
  log('INF', 'Registered tunnel connection connIndex=0 location=fra01 protocol=quic');
  ready = true;
}

async function ngrok() {
  if (args[0] === '--version') return console.log('ngrok version 3.30.0');
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      log: { type: 'string' },
      'log-format': { type: 'string' },
      config: { type: 'string' },
      url: { type: 'string' },
    },
  });
  const log = (entry) => console.log(JSON.stringify({ t: new Date().toISOString(), lvl: 'info', ...entry }));
  const token = values.config && /authtoken: "(.*)"/.exec(readFileSync(values.config, 'utf8'))?.[1];
  if (mode === 'badtoken') {
    log({
      lvl: 'eror',
      msg: 'failed to reconnect session',
      obj: 'csess',
      err: `authentication failed: The authtoken you specified does not look like a proper ngrok tunnel authtoken.\nYour authtoken: ${token}\r\n\r\nERR_NGROK_105\r\n`,
    });
    fail(
      'ERROR:  authentication failed: The authtoken you specified does not look like a proper ngrok tunnel authtoken.',
      `ERROR:  Your authtoken: ${token}`,
      'ERROR:  ERR_NGROK_105',
    );
  }
  const addr = positionals[1];
  const hostname = values.url ? new URL(values.url).host : newName('ngrok-free.app');
  const api = createServer((incoming, outgoing) => {
    if (incoming.url !== '/api/tunnels') return outgoing.writeHead(404).end();
    outgoing.end(
      JSON.stringify({
        tunnels: [
          {
            name: 'command_line',
            public_url: `https://${hostname}`,
            proto: 'https',
            config: { addr, inspect: true },
          },
        ],
      }),
    );
  });
  await new Promise((resolve) => api.listen(0, '127.0.0.1', resolve));
  log({ msg: 'no configuration paths supplied' });
  await openEdge(hostname, Number(new URL(addr).port));
  log({ msg: 'starting web service', obj: 'web', addr: `127.0.0.1:${api.address().port}`, allow_hosts: [] });
  log({ msg: 'client session established', obj: 'tunnels.session' });
  if (mode !== 'api-only')
    log({ msg: 'started tunnel', obj: 'tunnels', name: 'command_line', addr, url: `https://${hostname}` });
  endOnSignal();
}

async function tailscale() {
  if (args[0] === 'status') {
    if (mode === 'down') fail("failed to connect to local tailscaled; it doesn't appear to be running");
    return console.log(
      JSON.stringify({
        BackendState: mode === 'logged-out' ? 'NeedsLogin' : 'Running',
        Self: { DNSName: 'box.tail0123.ts.net.' },
      }),
    );
  }
  if (args[0] !== 'funnel' || args[1] !== '--yes') fail('flag provided but not defined');
  if (mode === 'not-enabled') {
    console.log(
      '\nFunnel is not enabled on your tailnet.\nTo enable, visit:\n\n         https://login.tailscale.com/f/funnel?node=nABC\n',
    );
    return void setInterval(() => {}, 1_000); // it waits until somebody has
  }
  await openEdge('box.tail0123.ts.net', Number(new URL(args[2]).port));
  console.log(
    `Available on the internet:\n\nhttps://box.tail0123.ts.net/\n|-- proxy ${args[2]}\n\nPress Ctrl+C to exit.`,
  );
  endOnSignal();
}

await { cloudflared, ngrok, tailscale }[program]();
