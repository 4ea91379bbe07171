import { createHttpClient } from '../../runtime/http-client.ts';
import { ProxySettingError, proxyFor } from '../../runtime/proxy.ts';
import { inspectTunnel, isFixedAddress } from '../tunnel-inspection.ts';
import { type Check, fail, ok, warn } from './check.ts';

/** Tokens and certificates stop working with a clock that is wrong by more than a few minutes. */
const MAX_SKEW_MS = 2 * 60_000;
const MAX_ANSWER_BYTES = 1024 * 1024;

export const proxy: Check = async ({ env, outside }) => {
  try {
    const found = proxyFor(outside.url, env);
    if (found !== undefined)
      return ok(
        `${outside.url.host} is reached through ${found.host}; tunnel programs have settings of their own`,
      );
    const set = ['HTTPS_PROXY', 'HTTP_PROXY', 'ALL_PROXY'].filter(
      (name) => env[name] || env[name.toLowerCase()],
    );
    return ok(
      set.length === 0 ? 'no proxy variable is set' : `${set.join(', ')} not used for ${outside.url.host}`,
    );
  } catch (error) {
    if (!(error instanceof ProxySettingError)) throw error;
    return fail(error.message, 'give it the form http://host:port, or unset it');
  }
};

/** Must come before `clock`, which needs an answer from outside. */
export const reachability: Check = async (context) => {
  const { outside, env, timeoutMs } = context;
  const client = createHttpClient({ env, maxConnections: 1 });
  try {
    const answer = await client.send({
      method: 'GET',
      url: outside.url,
      headers: { 'user-agent': 'local-coder', accept: '*/*' },
      headersTimeoutMs: timeoutMs,
      bodyTimeoutMs: timeoutMs,
      maxBodyBytes: MAX_ANSWER_BYTES,
      onData: () => {},
    });
    const theirs = Date.parse(String(answer.headers.date ?? ''));
    if (!Number.isNaN(theirs)) context.outsideTimeMs = { theirs, ours: Date.now() };
    return ok(`${outside.url.host} answers (${outside.why})`);
  } catch (error) {
    if (error instanceof ProxySettingError) return fail('not tried', 'mend the proxy variable first');
    const why = error instanceof Error ? error.message : String(error);
    // Clients on this machine do without.
    const weight = (context.settings.tunnel ?? 'none') === 'none' ? warn : fail;
    return weight(
      `${outside.url.host} cannot be reached (${outside.why}): ${why}`,
      'check the network, the firewall and HTTPS_PROXY',
    );
  } finally {
    client.close();
  }
};

export const clock: Check = async ({ outsideTimeMs }) => {
  if (outsideTimeMs === undefined)
    return warn('cannot be compared: nothing outside was reached', 'see reachability');
  const skewMs = outsideTimeMs.ours - outsideTimeMs.theirs;
  const seconds = Math.round(Math.abs(skewMs) / 1000);
  if (Math.abs(skewMs) <= MAX_SKEW_MS) return ok(seconds < 5 ? 'right' : `right within ${seconds} s`);
  return fail(
    `${seconds} s ${skewMs > 0 ? 'ahead' : 'behind'}`,
    'switch automatic time on (timedatectl set-ntp true, or the date settings): sign-in fails with a wrong clock',
  );
};

export const tunnelProgram: Check = async ({ settings, stateDir, env }) => {
  const name = settings.tunnel ?? 'none';
  if (name === 'none')
    return warn(
      'no tunnel: only clients on this machine can connect',
      'start with --tunnel cloudflare (see local-coder tunnel list) for ChatGPT on the web',
    );
  const found = await inspectTunnel(name, settings, stateDir, env);
  return found.ready
    ? ok(`${name}: ${found.summary}`)
    : fail(`${name}: ${found.summary}`, found.fix ?? 'see local-coder tunnel list');
};

/** A connector in ChatGPT keeps the address that it was made with. */
export const address: Check = async ({ settings, env }) => {
  const name = settings.tunnel ?? 'none';
  if (name === 'none' && settings['public-url'] === undefined) return ok('none: nothing is public');
  if (isFixedAddress(settings, env)) return ok('the same at every start');
  return warn(
    'another one at every start: a connector made for the old one says "connection failed"',
    'enter the new URL in the connector, or use a fixed one: a named tunnel with --tunnel-hostname, openai, tailscale',
  );
};
