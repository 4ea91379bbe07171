/** Files of npm packages, among them packages for other platforms, which npm does not install here. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const FETCH_LIMIT_MS = 300_000;

export class Packages {
  #root;
  #store;
  /** @type {Promise<Record<string, { version: string, integrity: string }>> | undefined} */
  #locked;

  /**
   * @param {string} root  of the repository
   * @param {import('./store.mjs').Store} store
   */
  constructor(root, store) {
    this.#root = root;
    this.#store = store;
  }

  /** Absolute path of a file of an installed package. @param {string} path `package/file` */
  installed(path) {
    const file = join(this.#root, 'node_modules', path);
    if (existsSync(file)) return file;
    throw new Error(`node_modules/${path} is missing: run "npm ci" without --omit=optional.`);
  }

  /** A file of a package that package-lock.json pins, installed or not. @param {string} path `package/file` */
  async locked(path) {
    const [, name, file] = /^((?:@[^/]+\/)?[^/]+)\/(.+)$/.exec(path);
    this.#locked ??= readFile(join(this.#root, 'package-lock.json'), 'utf8').then(
      (text) => JSON.parse(text).packages,
    );
    const entry = (await this.#locked)[`node_modules/${name}`];
    if (entry === undefined) throw new Error(`package-lock.json knows no package ${name}.`);
    return this.pinned({ name, version: entry.version, integrity: entry.integrity }, file);
  }

  /**
   * A file of exactly this package: of the installed one when that is it, else of the registry's, whose hash is checked.
   *
   * @param {{ name: string, version: string, integrity: string }} wanted  integrity as in package-lock.json
   * @param {string} file  its path in the package
   * @returns {Promise<string>} absolute path
   */
  async pinned({ name, version, integrity }, file) {
    const folder = join(this.#root, 'node_modules', name);
    const manifest = await readFile(join(folder, 'package.json'), 'utf8').catch(() => undefined);
    if (
      manifest !== undefined &&
      JSON.parse(manifest).version === version &&
      existsSync(join(folder, file))
    ) {
      return join(folder, file);
    }
    const spec = `${name}@${version}`;
    const { path } = await this.#store.get(spec, [spec, integrity], (draft) =>
      this.#fetch(spec, integrity, draft),
    );
    return join(path, 'package', file);
  }

  /** Has npm fetch the tarball, from the registry and with the settings that npm is configured for. */
  async #fetch(spec, integrity, folder) {
    await mkdir(folder, { recursive: true });
    // Relative, and so free of spaces: see #npm.
    const destination = relative(this.#root, folder);
    await this.#npm(['pack', spec, '--pack-destination', destination, '--loglevel=error']).catch((error) => {
      throw new Error(`npm cannot fetch ${spec}: ${error.stderr?.trim() || error.message}`);
    });
    const [name] = await readdir(folder);
    const tarball = join(folder, name);
    const actual = `sha512-${createHash('sha512')
      .update(await readFile(tarball))
      .digest('base64')}`;
    if (actual !== integrity) {
      throw new Error(
        `${spec} is not what it should be: the registry sent ${actual}, pinned is ${integrity}. Nothing of it was used.`,
      );
    }
    // GNU's and BSD's tar, the latter also part of Windows, agree on this. Without Node's headers, 2,000 files.
    await run('tar', ['-xzf', tarball, '-C', folder, '--exclude=package/include']);
    await rm(tarball);
  }

  #npm(args) {
    const options = { cwd: this.#root, timeout: FETCH_LIMIT_MS };
    const npm = process.env.npm_execpath;
    if (npm !== undefined && /npm-cli\.js$/.test(npm)) return run(process.execPath, [npm, ...args], options);
    // npm is a batch file on Windows, which only a shell starts; none of the arguments needs quoting.
    const isWindows = process.platform === 'win32';
    return run(isWindows ? 'npm.cmd' : 'npm', args, { ...options, shell: isWindows });
  }
}
