import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ProxySettingError, proxyFor } from '../../src/runtime/proxy.ts';

const via = (url: string, env: Record<string, string>) => proxyFor(new URL(url), env)?.href;

describe('proxy variables', () => {
  const P = 'http://proxy:3128/';
  const cases: [string, Record<string, string>, string | undefined][] = [
    ['https://api.example', {}, undefined],
    ['https://api.example', { HTTPS_PROXY: 'http://proxy:3128' }, P],
    ['https://api.example', { HTTP_PROXY: 'http://proxy:3128' }, undefined],
    ['http://api.example', { HTTP_PROXY: 'http://proxy:3128' }, P],
    ['https://api.example', { https_proxy: 'http://proxy:3128', HTTPS_PROXY: 'http://other' }, P],
    ['https://api.example', { ALL_PROXY: 'proxy:3128' }, P],
    ['https://api.example', { HTTPS_PROXY: '' }, undefined],
    ['https://localhost', { HTTPS_PROXY: P }, undefined],
    ['http://127.0.0.9:8080', { HTTP_PROXY: P }, undefined],
    ['http://[::1]:8080', { HTTP_PROXY: P }, undefined],
  ];
  for (const [url, env, expected] of cases) {
    test(`${url} with ${JSON.stringify(env)}: ${expected ?? 'direct'}`, () =>
      assert.equal(via(url, env), expected));
  }

  const exceptions: [string, string, boolean][] = [
    ['https://api.example', '*', true],
    ['https://api.example', 'api.example', true],
    ['https://api.example', 'API.Example', true],
    ['https://api.example', 'example', true],
    ['https://api.example', '.example', true],
    ['https://api.example', '*.example', true],
    ['https://notexample', 'example', false],
    ['https://api.example', 'other, api.example', true],
    ['https://api.example', 'other api.example', true],
    ['https://api.example:8443', 'api.example:8443', true],
    ['https://api.example:8443', 'api.example:443', false],
    ['https://api.example', 'api.example:443', true],
    ['https://10.1.2.3', '10.0.0.0/8', true],
    ['https://11.1.2.3', '10.0.0.0/8', false],
    ['https://10.1.2.3', '10.1.2.3', true],
    ['https://110.1.2.3', '10.1.2.3', false],
    ['https://[fd00::1]', 'fd00::/8', true],
    ['https://[fd00::1]', 'fd00::1', true],
    ['https://10.1.2.3', '10.0.0.0/99', false],
    ['https://10.1.2.3', 'nonsense/8', false],
    ['https://api.example', '', false],
  ];
  for (const [url, noProxy, excepted] of exceptions) {
    test(`${url} with NO_PROXY="${noProxy}" is ${excepted ? '' : 'not '}excepted`, () => {
      assert.equal(via(url, { HTTPS_PROXY: P, NO_PROXY: noProxy }), excepted ? undefined : P);
    });
  }

  test('a value that is no http or https proxy is named, not shown', () => {
    for (const value of ['socks5://user:secret@proxy', 'http://', 'ftp://secret']) {
      assert.throws(
        () => via('https://api.example', { HTTPS_PROXY: value }),
        (error) =>
          error instanceof ProxySettingError &&
          /HTTPS_PROXY/.test(error.message) &&
          !/secret/.test(error.message),
      );
    }
  });
});
