import { EXIT, UsageError } from '../../config/usage-error.ts';
import { homeFolder } from '../../runtime/platform.ts';
import { runProgram } from '../../runtime/run-program.ts';
import { which } from '../../runtime/which.ts';

export interface Ran {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The machine as the managers see it; tests put others in. */
export interface System {
  readonly platform: NodeJS.Platform;
  readonly env: NodeJS.ProcessEnv;
  readonly home: string;
  readonly uid: number;
  /** Runs a program of the system; undefined when it is not there. */
  run(program: string, args: readonly string[]): Promise<Ran | undefined>;
}

const LIMIT_MS = 30_000;

export function thisSystem(): System {
  return {
    platform: process.platform,
    env: process.env,
    home: homeFolder(),
    uid: process.getuid?.() ?? 0,
    async run(program, args) {
      const file = await which(program);
      if (file === undefined) return undefined;
      const { exitCode, stdout, stderr } = await runProgram(file, args, {
        cwd: homeFolder(),
        timeoutMs: LIMIT_MS,
        maxBytes: 4 * 1024 * 1024,
      });
      return { exitCode, stdout: decoded(stdout), stderr };
    },
  };
}

/** schtasks answers /XML in UTF-16 on some systems. */
function decoded(bytes: Buffer): string {
  const isUtf16 = bytes[0] === 0xff && bytes[1] === 0xfe;
  return isUtf16 ? bytes.subarray(2).toString('utf16le') : bytes.toString('utf8');
}

/** Runs a program that has to succeed. @throws {UsageError} with its own words */
export async function must(system: System, program: string, args: readonly string[]): Promise<Ran> {
  const ran = await system.run(program, args);
  if (ran?.exitCode === 0) return ran;
  const said =
    ran === undefined ? 'is not there' : `failed: ${(ran.stderr.trim() || ran.stdout.trim()).slice(0, 500)}`;
  throw new UsageError(`${[program, ...args].join(' ')} ${said}`, EXIT.failed);
}
