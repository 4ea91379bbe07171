import { EXIT, type ExitCode } from '../config/usage-error.ts';
import { licencesText } from '../runtime/assets.ts';

/** `local-coder licenses`: the licences of the software of others in this program, as one text. */
export async function licenses(): Promise<ExitCode> {
  const text = await licencesText();
  if (text === undefined) {
    process.stderr.write('local-coder: licenses.txt, which belongs beside the program, is missing.\n');
    return EXIT.failed;
  }
  process.stdout.write(text);
  return EXIT.ok;
}
