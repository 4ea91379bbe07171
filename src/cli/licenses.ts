import { once } from 'node:events';
import { EXIT, type ExitCode } from '../config/usage-error.ts';
import { licencesText } from '../runtime/assets.ts';
import { systemCode } from '../runtime/errors.ts';

/** `local-coder licenses`: the licences of the software of others in this program, as one text. */
export async function licenses(output: NodeJS.WritableStream = process.stdout): Promise<ExitCode> {
  const text = await licencesText();
  if (text === undefined) {
    process.stderr.write('local-coder: licenses.txt, which belongs beside the program, is missing.\n');
    return EXIT.failed;
  }
  try {
    await written(output, text);
  } catch (error) {
    // The reader has seen enough (`| head`, a pager that was left).
    if (systemCode(error) !== 'EPIPE') throw error;
  }
  return EXIT.ok;
}

/** Waits until the reader has all of it: the program's end would cut what a pipe still holds back. */
async function written(output: NodeJS.WritableStream, text: string): Promise<void> {
  const done = new Promise<void>((resolve, reject) => {
    output.write(text, (error) => (error ? reject(error) : resolve()));
  });
  // A stream tells of an error twice; unheard, the second would end the program.
  await Promise.race([done, once(output, 'error').then(([error]) => Promise.reject(error))]);
}
