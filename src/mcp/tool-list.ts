import { z } from 'zod';
import { embeddedText } from '../runtime/assets.ts';
import type { ToolDefinition } from '../tools/define.ts';
import type { ToolView } from '../widgets/index.ts';
import { type ResultForm, sendsStructured } from './envelope.ts';

/** A tool as `tools/list` shows it. A type, not an interface: the SDK wants an index signature. */
export type ListedTool = {
  name: string;
  description: string;
  inputSchema: ObjectSchema;
  outputSchema?: ObjectSchema;
  annotations: Record<string, boolean>;
  _meta?: Record<string, unknown>;
};

/**
 * @param quiet a change that rewind can take back is not called destructive (`--annotations quiet`)
 * @param view what hosts may show the tool's results with (`--widgets`)
 */
export function listedTool(
  tool: ToolDefinition,
  form: ResultForm,
  quiet = false,
  view?: ToolView,
): ListedTool {
  const { inputSchema, dataFields } = madeSchemas()[tool.name] ?? toolSchemas(tool);
  const meta = { ...tool.meta, ...(view?.toolNames.has(tool.name) ? view.toolMeta : {}) };
  return {
    name: tool.name,
    description: tool.description,
    inputSchema,
    ...(sendsStructured(tool, form) ? { outputSchema: envelopeSchema(dataFields) } : {}),
    annotations: { ...tool.annotations, ...(quiet && tool.rewindable ? { destructiveHint: false } : {}) },
    ...(Object.keys(meta).length === 0 ? {} : { _meta: meta }),
  };
}

/**
 * The envelope's schema, with the names of what a success carries in `data`. The names alone: types of all fields of all
 * tools would cost every conversation some ten kilobytes, and nothing in `data` can be required, because the envelope
 * of an error carries `data.error` instead. The exact shape is `tool.output`, which the tests hold every result against.
 */
function envelopeSchema(dataFields: readonly string[]): ObjectSchema {
  const data = { type: 'object', properties: Object.fromEntries(dataFields.map((name) => [name, {}])) };
  return {
    type: 'object',
    properties: { ok: { type: 'boolean' }, data },
    required: ['ok', 'tool', 'summary', 'data'],
  };
}

type ObjectSchema = { type: 'object' } & Record<string, unknown>;

/** What tools/list takes from the zod schemas of a tool. */
interface ToolSchemas {
  readonly inputSchema: ObjectSchema;
  readonly dataFields: readonly string[];
}

let made: Readonly<Record<string, ToolSchemas>> | undefined;

/**
 * The schemas by tool name as build.mjs made them from the same sources: making them takes longer than all else of the
 * first tools/list. Only the executable has them.
 */
function madeSchemas(): Readonly<Record<string, ToolSchemas>> {
  made ??= JSON.parse(embeddedText('tool-schemas.json') ?? '{}') as Readonly<Record<string, ToolSchemas>>;
  return made;
}

/**
 * The input as JSON Schema, and the names in `data`. Unknown parameters are refused (input.ts); saying so each time
 * costs 1.6 kB.
 */
export function toolSchemas(tool: ToolDefinition): ToolSchemas {
  return {
    inputSchema: { ...terse(tool.input), type: 'object' },
    dataFields: Object.keys(tool.output().shape),
  };
}

/** The JSON Schema of a zod object without what costs tokens and says nothing. */
function terse(schema: z.ZodObject): Record<string, unknown> {
  const json = z.toJSONSchema(schema, {
    io: 'input',
    override: ({ jsonSchema }) => {
      delete jsonSchema.additionalProperties;
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
    },
  });
  const { $schema: _, ...rest } = json;
  return rest;
}
