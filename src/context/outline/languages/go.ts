import type { Node } from 'web-tree-sitter';
import { functionOrMethod, type LanguageRules, named, notInFunctions, type Rule } from '../symbols.ts';

/** `Type.Method`: the methods of a type stand anywhere in its package. */
const method: Rule = (node, _place, text) => {
  const name = node.childForFieldName('name');
  const receiver = node.childForFieldName('receiver')?.descendantsOfType('type_identifier')[0];
  if (!name) return undefined;
  return { kind: 'method', names: [receiver ? `${text(receiver)}.${text(name)}` : text(name)] };
};

const type: Rule = (node, _place, text) => {
  const name = node.childForFieldName('name');
  if (!name) return undefined;
  const kinds: Record<string, string> = { struct_type: 'struct', interface_type: 'interface' };
  return { kind: kinds[node.childForFieldName('type')?.type ?? ''] ?? 'type', names: [text(name)] };
};

function names(node: Node, text: (node: Node) => string): string[] {
  return node.childrenForFieldName('name').flatMap((name) => (name?.isNamed ? [text(name)] : []));
}

function each(kind: string): Rule {
  return (node, _place, text) => ({ kind, names: names(node, text) });
}

export const go: LanguageRules = {
  symbols: {
    function_declaration: functionOrMethod,
    method_declaration: method,
    type_spec: type,
    type_alias: named('type'),
    method_elem: named('method'),
    field_declaration: each('field'),
    const_spec: notInFunctions(each('constant')),
    var_spec: notInFunctions(each('variable')),
  },
  through: [
    'source_file',
    'type_declaration',
    'struct_type',
    'interface_type',
    'field_declaration_list',
    'const_declaration',
    'var_declaration',
    'var_spec_list',
    'block',
    'statement_list',
  ],
  functions: ['function_declaration', 'method_declaration'],
  types: ['struct_type', 'interface_type'],
};
