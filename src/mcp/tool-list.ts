import { z } from 'zod';
import type { ToolDefinition } from '../tools/define.ts';
import { type ResultForm, sendsStructured } from './envelope.ts';

/** A tool as `tools/list` shows it. A type, not an interface: the SDK wants an index signature. */
export type ListedTool = {
  name: string;
  description: string;
  inputSchema: { type: 'object' } & Record<string, unknown>;
  outputSchema?: { type: 'object' } & Record<string, unknown>;
  annotations: Record<string, boolean>;
  _meta?: Record<string, unknown>;
};

export function listedTool(tool: ToolDefinition, form: ResultForm): ListedTool {
  return {
    name: tool.name,
    description: tool.description,
    inputSchema: asObject({ ...terse(tool.input), additionalProperties: false }),
    ...(sendsStructured(tool, form) ? { outputSchema: envelopeSchema(tool) } : {}),
    annotations: { ...tool.annotations },
    ...(tool.meta === undefined ? {} : { _meta: { ...tool.meta } }),
  };
}

/**
 * The envelope's schema. `data` requires nothing, because the envelope of an error carries `data.error` instead;
 * the exact shape of a success is `tool.output`, which the tests hold every result against.
 */
function envelopeSchema(tool: ToolDefinition): { type: 'object' } & Record<string, unknown> {
  const { required: _, ...data } = terse(tool.output);
  return {
    type: 'object',
    properties: { ok: { type: 'boolean' }, tool: { type: 'string' }, summary: { type: 'string' }, data },
    required: ['ok', 'tool', 'summary', 'data'],
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

function asObject(schema: Record<string, unknown>): { type: 'object' } & Record<string, unknown> {
  return { ...schema, type: 'object' };
}
