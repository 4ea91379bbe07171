import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The published contract, and the part of JSON Schema that it uses. */
const document = JSON.parse(
  readFileSync(join(import.meta.dirname, '../contract/openai-tunnel.openapi.json'), 'utf8'),
) as Contract;

interface Schema {
  readonly [keyword: string]: unknown;
}

interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required: boolean;
  readonly schema: Schema;
}

interface Operation {
  readonly parameters: readonly Parameter[];
  readonly requestBody?: { readonly content: Record<string, { readonly schema: Schema }> };
  readonly responses: Record<string, unknown>;
}

interface Contract {
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: { readonly schemas: Record<string, Schema> };
}

export interface ObservedRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

export interface Checked {
  /** The path of the contract that it was for, such as `/v1/tunnels/{tunnel_id}/poll`. */
  readonly path: string | undefined;
  /** One sentence for each breach. */
  readonly breaches: readonly string[];
}

/** Holds a request against the contract: path, method, parameters, body. */
export function checkRequest(request: ObservedRequest): Checked {
  for (const [path, operations] of Object.entries(document.paths)) {
    const pattern = new RegExp(`^${path.replaceAll(/\{\w+\}/g, '([^/]+)')}$`);
    const match = pattern.exec(request.url.pathname);
    if (match === null) continue;
    const operation = operations[request.method.toLowerCase()];
    if (operation === undefined) return { path, breaches: [`${request.method} is not in the contract`] };
    return {
      path,
      breaches: [...parameterBreaches(operation, request), ...bodyBreaches(operation, request)],
    };
  }
  return { path: undefined, breaches: [`${request.url.pathname} is not in the contract`] };
}

/** Breaches of a named schema of the contract, for what the tests send themselves. */
export function checkAgainst(schemaName: string, value: unknown): string[] {
  return validate({ $ref: `#/components/schemas/${schemaName}` }, value, schemaName);
}

function parameterBreaches(operation: Operation, { url, headers }: ObservedRequest): string[] {
  const breaches: string[] = [];
  const known = new Set<string>();
  for (const parameter of operation.parameters) {
    if (parameter.in === 'path') continue;
    if (parameter.in === 'query') known.add(parameter.name);
    const given =
      parameter.in === 'query'
        ? url.searchParams.get(parameter.name)
        : (headers[parameter.name.toLowerCase()] ?? null);
    if (given === null) {
      if (parameter.required) breaches.push(`${parameter.name} is missing`);
      continue;
    }
    const value = parameter.in === 'query' && /^-?\d+$/.test(String(given)) ? Number(given) : given;
    breaches.push(...validate(parameter.schema, value, parameter.name));
  }
  for (const name of url.searchParams.keys())
    if (!known.has(name)) breaches.push(`query parameter ${name} is not in the contract`);
  return breaches;
}

function bodyBreaches({ requestBody }: Operation, { headers, body }: ObservedRequest): string[] {
  if (requestBody === undefined) return body === '' ? [] : ['a body where the contract has none'];
  const schema = requestBody.content[String(headers['content-type'])]?.schema;
  if (schema === undefined) return [`content type ${headers['content-type']} is not in the contract`];
  try {
    return validate(schema, JSON.parse(body), 'body');
  } catch (error) {
    return [`the body is no JSON: ${error}`];
  }
}

type Check = (argument: never, value: unknown, at: string, schema: Schema) => string[];

/** Keywords that say something to people only. */
const ANNOTATIONS = /^(title|description|default|example|examples|format|x-.*|discriminator)$/;

const CHECKS: Record<string, Check> = {
  $ref: (ref: string, value, at) => {
    const schema = document.components.schemas[ref.replace('#/components/schemas/', '')];
    return schema === undefined ? [`${ref} is not in the contract`] : validate(schema, value, at);
  },
  type: (type: string, value, at) => (isOfType(type, value) ? [] : [`${at} is not of type ${type}`]),
  const: (expected: unknown, value, at) => (value === expected ? [] : [`${at} is not ${expected}`]),
  enum: (allowed: unknown[], value, at) => (allowed.includes(value) ? [] : [`${at} is none of ${allowed}`]),
  pattern: (pattern: string, value, at) =>
    typeof value !== 'string' || new RegExp(pattern, 'u').test(value)
      ? []
      : [`${at} does not match ${pattern}`],
  minimum: (bound: number, value, at) => (Number(value) >= bound ? [] : [`${at} is below ${bound}`]),
  maximum: (bound: number, value, at) => (Number(value) <= bound ? [] : [`${at} is above ${bound}`]),
  maxLength: (bound: number, value, at) =>
    String(value).length <= bound ? [] : [`${at} is longer than ${bound}`],
  anyOf: (schemas: Schema[], value, at) => {
    const all = schemas.map((schema) => validate(schema, value, at));
    return all.some((breaches) => breaches.length === 0) ? [] : all.flat();
  },
  oneOf: (schemas: Schema[], value, at) => {
    const all = schemas.map((schema) => validate(schema, value, at));
    const fitting = all.filter((breaches) => breaches.length === 0).length;
    return fitting === 1 ? [] : [`${at} fits ${fitting} of the alternatives`, ...all.flat()];
  },
  items: (schema: Schema, value, at) =>
    Array.isArray(value) ? value.flatMap((item, index) => validate(schema, item, `${at}[${index}]`)) : [],
  required: (names: string[], value, at) =>
    names.filter((name) => !Object.hasOwn(Object(value), name)).map((name) => `${at}.${name} is missing`),
  properties: (properties: Record<string, Schema>, value, at) =>
    Object.entries(properties).flatMap(([name, schema]) =>
      Object.hasOwn(Object(value), name)
        ? validate(schema, (value as Record<string, unknown>)[name], `${at}.${name}`)
        : [],
    ),
  additionalProperties: (rule: boolean | Schema, value, at, { properties }) => {
    const others = Object.entries(Object(value) as Record<string, unknown>).filter(
      ([name]) => !Object.hasOwn(Object(properties), name),
    );
    if (rule === true) return [];
    if (rule === false) return others.map(([name]) => `${at}.${name} is not in the contract`);
    return others.flatMap(([name, item]) => validate(rule, item, `${at}.${name}`));
  },
};

function validate(schema: Schema, value: unknown, at: string): string[] {
  return Object.entries(schema).flatMap(([keyword, argument]) => {
    if (ANNOTATIONS.test(keyword)) return [];
    const check = CHECKS[keyword];
    // A keyword that is not understood must not pass for one that is satisfied.
    if (check === undefined)
      throw new Error(`the contract uses the keyword ${keyword}, which is not checked`);
    return check(argument as never, value, at, schema);
  });
}

function isOfType(type: string, value: unknown): boolean {
  switch (type) {
    case 'object':
      return typeof value === 'object' && value !== null && !Array.isArray(value);
    case 'array':
      return Array.isArray(value);
    case 'integer':
      return Number.isInteger(value);
    case 'null':
      return value === null;
    default:
      return typeof value === type;
  }
}
