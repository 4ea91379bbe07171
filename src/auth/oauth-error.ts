/** Headers of everything that may carry a token or a code. */
export const NO_STORE = {
  'cache-control': 'no-store',
  pragma: 'no-cache',
  'x-content-type-options': 'nosniff',
};

/** A refusal in the terms of RFC 6749 section 5.2. What it says reaches strangers: never a secret, never a detail of ours. */
export class OAuthError extends Error {
  readonly error: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  /** @param description ASCII without quotes and backslashes (RFC 6749, `error_description`) */
  constructor(error: string, description: string, status = 400, headers: Record<string, string> = {}) {
    super(description);
    this.name = 'OAuthError';
    this.error = error;
    this.status = status;
    this.headers = headers;
  }

  response(): Response {
    const body = { error: this.error, error_description: this.message };
    return json(body, this.status, this.headers);
  }
}

export function json(body: unknown, status = 200, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: { 'content-type': 'application/json', ...NO_STORE, ...headers },
  });
}

/** Refuses other methods than the named ones. */
export function allowMethods(request: Request, ...methods: string[]): void {
  if (!methods.includes(request.method)) {
    throw new OAuthError('invalid_request', `This address answers ${methods.join(' and ')} only.`, 405, {
      allow: methods.join(', '),
    });
  }
}
