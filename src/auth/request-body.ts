import { OAuthError } from './oauth-error.ts';

/** Bytes that a body of any endpoint here may have: the largest honest one is a registration of a few hundred. */
export const MAX_BODY_BYTES = 16 * 1024;

/** The parameters of a query or a form. One that is there twice is an error: two readers could read two things. */
export class Parameters {
  readonly #values: URLSearchParams;

  constructor(values: URLSearchParams) {
    this.#values = values;
  }

  /**
   * The one value; undefined when there is none or it is empty (RFC 6749 section 3.1).
   * @throws {OAuthError} invalid_request when the parameter is repeated
   */
  one(name: string): string | undefined {
    const values = this.#values.getAll(name);
    if (values.length > 1) throw new OAuthError('invalid_request', `The parameter ${name} is there twice.`);
    return values[0] === '' ? undefined : values[0];
  }

  required(name: string): string {
    const value = this.one(name);
    if (value === undefined) throw new OAuthError('invalid_request', `The parameter ${name} is missing.`);
    return value;
  }
}

/** @throws {OAuthError} for another media type than a form, or a body that is too large */
export async function readForm(request: Request): Promise<Parameters> {
  if (!hasType(request, 'application/x-www-form-urlencoded')) {
    throw new OAuthError('invalid_request', 'Content-Type must be application/x-www-form-urlencoded.', 415);
  }
  return new Parameters(new URLSearchParams(await readBody(request)));
}

/** @throws {OAuthError} for another media type than JSON, for bad JSON, or a body that is too large */
export async function readJson(request: Request): Promise<unknown> {
  if (!hasType(request, 'application/json')) {
    throw new OAuthError('invalid_client_metadata', 'Content-Type must be application/json.', 415);
  }
  try {
    return JSON.parse(await readBody(request));
  } catch (error) {
    if (error instanceof OAuthError) throw error;
    throw new OAuthError('invalid_client_metadata', 'The body is not JSON.');
  }
}

function hasType(request: Request, type: string): boolean {
  const contentType = request.headers.get('content-type') ?? '';
  return contentType.split(';', 1)[0]!.trim().toLowerCase() === type;
}

async function readBody(request: Request): Promise<string> {
  if (Number(request.headers.get('content-length')) > MAX_BODY_BYTES) throw tooLarge();
  const text = request.body === null ? '' : await readText(request.body, MAX_BODY_BYTES);
  if (text === undefined) throw tooLarge();
  return text;
}

/** @returns undefined when there is more than `maxBytes`, of which no more is read then */
export async function readText(
  body: AsyncIterable<Uint8Array>,
  maxBytes: number,
): Promise<string | undefined> {
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > maxBytes) return undefined;
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

function tooLarge(): OAuthError {
  return new OAuthError('invalid_request', `The body has more than ${MAX_BODY_BYTES} bytes.`, 413);
}
