/** What the release makes, install.sh and upgrade understand: archives, sums and signature of the one, read by the others. */
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { upgrade } from '../../src/cli/upgrade.ts';
import { buildModule } from '../build/build-modules.ts';
import { standIn } from './support/archives.ts';
import { type Mirror, startMirror } from './support/mirror.ts';
import { noInstaller, Sandbox, SHELLS, type Shell } from './support/sandbox.ts';

const DASH = SHELLS[0] as Shell;
const PROGRAM = standIn('2.0.0-rc.1');

describe('a release', { skip: noInstaller(DASH) }, () => {
  let base: string;
  let mirror: Mirror;
  let publicKey: string;
  before(async () => {
    base = mkdtempSync(join(tmpdir(), 'lc-contract-'));
    mirror = await startMirror();
    const outDir = join(base, 'out');
    mkdirSync(outDir);
    const executable = join(base, 'program');
    writeFileSync(executable, PROGRAM);
    const { writeArchives } = await buildModule('archives');
    for (const target of ['linux-x64', 'linux-arm64', 'win-x64'])
      await writeArchives({ executable, target, version: '2.0.0-rc.1', outDir });
    writeFileSync(join(outDir, 'install.sh'), '#');
    writeFileSync(join(outDir, 'local-coder-2.0.0-rc.1-linux-x64.mcpb'), 'x');
    writeFileSync(join(outDir, 'local-coder-2.0.0-rc.1-sbom.cdx.json'), '{}');
    const { rawPublicKey, signSums, writeSums } = await buildModule('sums');
    const { privateKey } = generateKeyPairSync('ed25519');
    publicKey = rawPublicKey(privateKey);
    await writeSums(outDir);
    await signSums(outDir, String(privateKey.export({ format: 'pem', type: 'pkcs8' })), publicKey);
    for (const name of readdirSync(outDir))
      mirror.files.set(`latest/download/${name}`, readFileSync(join(outDir, name)));
  });
  after(async () => {
    await mirror.stop();
    rmSync(base, { recursive: true, force: true });
  });

  test('is installed by install.sh, from either archive', async () => {
    for (const programs of [Sandbox.programs({}), Sandbox.programs({ without: ['xz'] })]) {
      const box = new Sandbox(mirror.url, programs);
      const { code, stderr } = await box.run(DASH);
      assert.equal(`${stderr}${code}`, '0');
      assert.deepEqual(readFileSync(box.program), PROGRAM);
      box.remove();
    }
  });

  for (const target of ['linux-x64', 'win-x64']) {
    test(`is taken by upgrade: ${target}`, async () => {
      const executable = join(mkdtempSync(join(base, 'bin-')), 'local-coder');
      writeFileSync(executable, standIn('1.0.0'));
      chmodSync(executable, 0o755);
      await upgrade(
        new Map(),
        { check: false, to: undefined },
        {
          origin: { executable },
          version: '1.0.0',
          target,
          publicKey,
          env: { LOCAL_CODER_BASE_URL: mirror.url },
          signal: new AbortController().signal,
          pauseMs: 0,
          write: () => {},
        },
      );
      assert.deepEqual(readFileSync(executable), PROGRAM);
    });
  }
});
