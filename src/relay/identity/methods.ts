import { gitHubSignIn } from './github.ts';
import type { SignInMethod } from './identity.ts';
import { isPasswordHash } from './password.ts';
import { reviewerSignIn } from './reviewer.ts';

/** Variables of the process, or of the Worker. */
export type RelayEnvironment = Readonly<Record<string, string | undefined>>;

/** The ways to sign in that the environment configures: GitHub, and the reviewer. @throws {Error} naming a wrong variable */
export function configuredMethods(env: RelayEnvironment): SignInMethod[] {
  const methods: SignInMethod[] = [];
  const [clientId, clientSecret] = both(env, 'GITHUB_CLIENT_ID', 'GITHUB_CLIENT_SECRET');
  if (clientId !== undefined && clientSecret !== undefined) {
    methods.push(
      gitHubSignIn({
        clientId,
        clientSecret,
        allowedLogins: env['GITHUB_ALLOWED_LOGINS']?.split(/[\s,]+/).filter((login) => login !== ''),
        webUrl: origin(env, 'GITHUB_URL'),
        apiUrl: origin(env, 'GITHUB_API_URL'),
      }),
    );
  }
  const [email, passwordHash] = both(env, 'REVIEW_EMAIL', 'REVIEW_PASSWORD_HASH');
  if (email !== undefined && passwordHash !== undefined) {
    if (!isPasswordHash(passwordHash)) {
      throw new Error('REVIEW_PASSWORD_HASH is no hash: make one with local-coder relay hash-password.');
    }
    methods.push(
      reviewerSignIn({ email, passwordHash, subject: env['REVIEW_PROVIDER_SUBJECT'] || 'reviewer' }),
    );
  }
  return methods;
}

function both(
  env: RelayEnvironment,
  first: string,
  second: string,
): [string | undefined, string | undefined] {
  const values: [string | undefined, string | undefined] = [
    env[first] || undefined,
    env[second] || undefined,
  ];
  if ((values[0] === undefined) !== (values[1] === undefined)) {
    throw new Error(`${first} and ${second} belong together: one of them is missing.`);
  }
  return values;
}

function origin(env: RelayEnvironment, name: string): string | undefined {
  const value = env[name];
  if (value === undefined || value === '') return undefined;
  if (!/^https?:\/\/[^/@?#]+(\/[^?#]*)?$/.test(value))
    throw new Error(`${name} must be an http or https address.`);
  return value.replace(/\/+$/, '');
}
