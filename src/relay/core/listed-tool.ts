import { z } from 'zod';
import type { ListedTool } from '../../mcp/tool-list.ts';
import type { ViewerToolContract } from '../viewer-contract.ts';

/** A contract as `tools/list` shows it; the same form as local tools have (mcp/tool-list.ts). */
export function listedContract(contract: ViewerToolContract): ListedTool {
  return {
    name: contract.name,
    description: contract.description,
    inputSchema: inputSchema(contract.input),
    ...(contract.bulk === undefined ? { outputSchema: envelopeSchema(contract.output()) } : {}),
    annotations: { ...contract.annotations },
  };
}

function inputSchema(input: z.ZodObject): ListedTool['inputSchema'] {
  const { $schema: _, ...schema } = z.toJSONSchema(input, {
    io: 'input',
    override: ({ jsonSchema }) => {
      delete jsonSchema.additionalProperties;
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
    },
  });
  return { ...schema, type: 'object' };
}

function envelopeSchema(output: z.ZodObject): NonNullable<ListedTool['outputSchema']> {
  const data = {
    type: 'object',
    properties: Object.fromEntries(Object.keys(output.shape).map((n) => [n, {}])),
  };
  return {
    type: 'object',
    properties: { ok: { type: 'boolean' }, data },
    required: ['ok', 'tool', 'summary', 'data'],
  };
}
