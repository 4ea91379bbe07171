/** Small Debian roots to run executables in, fetched from wherever this machine's apt is told to fetch from. */
import { execFile, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
export const ROOT_LIMIT_MS = 600_000;
/** Where Node needs something of: libc, libm, ld.so; libstdc++; libgcc_s. */
const LIBRARIES = ['libc6', 'libstdc++6', 'libgcc-s1'];

/** What is missing of the programs, as the reason of a skipped test; false when nothing is. */
export function missing(...programs: readonly string[]): string | false {
  const absent = programs.filter((program) => spawnSync('sh', ['-c', `command -v ${program}`]).status !== 0);
  return absent.length > 0 && `there is no ${absent.join(', no ')} on this machine`;
}

/**
 * A minimal Debian, made by debootstrap (about a minute) and kept in the temporary folder.
 * @returns its folder
 */
export async function debianRoot(): Promise<string> {
  const { site, suite } = await mirror();
  const root = join(tmpdir(), `local-coder-debian-${suite}-${process.arch}`);
  if (existsSync(root)) return root;
  const draft = `${root}.${process.pid}`;
  const asRoot = process.getuid?.() === 0 ? [] : ['sudo', '-n'];
  const [program = '', ...args] = [...asRoot, 'debootstrap', '--variant=minbase', suite, draft, site];
  await run(program, args, { timeout: ROOT_LIMIT_MS, maxBuffer: 16 * 1024 * 1024 }).catch((error) => {
    throw new Error(`debootstrap: ${String(error.stdout).slice(-2_000)}${error.stderr}`);
  });
  await keep(draft, root);
  return root;
}

/**
 * The libraries that Node needs, for another architecture, in a folder as `qemu -L` wants it. Nothing of the machine's
 * own package lists changes, and no rights are needed.
 */
export async function foreignLibraries(architecture: string): Promise<string> {
  const { suite } = await mirror();
  const root = join(tmpdir(), `local-coder-libraries-${suite}-${architecture}`);
  if (existsSync(root)) return root;
  const draft = `${root}.${process.pid}`;
  const [lists, archives, debs, files] = ['lists', 'cache', 'debs', 'root'].map((name) =>
    join(draft, name),
  ) as [string, string, string, string];
  for (const folder of [lists, archives, debs, files]) await mkdir(folder, { recursive: true });
  const configuration = join(draft, 'apt.conf');
  await writeFile(
    configuration,
    `APT::Architecture "${architecture}"; APT::Architectures { "${architecture}"; };
     Dir::State::Lists "${lists}"; Dir::State::Status "/dev/null"; Dir::Cache "${archives}";
     Acquire::Languages "none"; APT::Sandbox::User "";`,
  );
  const options = { cwd: debs, timeout: ROOT_LIMIT_MS, env: { ...process.env, APT_CONFIG: configuration } };
  await run('apt-get', ['update', '-qq'], options);
  await run('apt-get', ['download', '-qq', ...LIBRARIES], options);
  for (const deb of await readdir(debs)) await run('dpkg', ['-x', join(debs, deb), files]);
  await keep(files, root);
  await rm(draft, { recursive: true, force: true });
  return root;
}

/** Address and suite of the distribution itself, from the lists that apt was told to keep. */
async function mirror(): Promise<{ readonly site: string; readonly suite: string }> {
  const format = ['--format', '$(SITE) $(CODENAME) $(COMPONENT) $(ORIGIN)', 'Created-By: Packages'];
  const { stdout } = await run('apt-get', ['indextargets', ...format]);
  for (const line of stdout.split('\n')) {
    const [site, suite, component, origin] = line.split(' ');
    if (
      site &&
      suite &&
      !suite.includes('-') &&
      component === 'main' &&
      /^(Debian|Ubuntu)$/.test(origin ?? '')
    )
      return { site, suite };
  }
  throw new Error(`apt knows no list of Debian packages: ${stdout}`);
}

/** Another test run may have made the same in the meantime. */
async function keep(draft: string, root: string): Promise<void> {
  await rename(draft, root).catch(async (error) => {
    if (!existsSync(root)) throw error;
    await rm(draft, { recursive: true, force: true });
  });
}
