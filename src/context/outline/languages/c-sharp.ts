import { functionOrMethod, type LanguageRules, named, type Rule } from '../symbols.ts';

/** `int a, b;`: the names are two levels down. */
function declared(kind: string): Rule {
  return (node, _place, text) => {
    const list = node.namedChildren.find((child) => child?.type === 'variable_declaration');
    const declarators = list?.namedChildren.filter((child) => child?.type === 'variable_declarator') ?? [];
    const names = declarators.flatMap((declarator) => {
      const name = declarator?.childForFieldName('name') ?? declarator?.namedChild(0);
      return name ? [text(name)] : [];
    });
    return { kind, names };
  };
}

const TYPES = [
  'class_declaration',
  'interface_declaration',
  'struct_declaration',
  'record_declaration',
  'record_struct_declaration',
];

export const cSharp: LanguageRules = {
  symbols: {
    namespace_declaration: named('namespace'),
    file_scoped_namespace_declaration: named('namespace'),
    class_declaration: named('class'),
    interface_declaration: named('interface'),
    struct_declaration: named('struct'),
    record_declaration: named('record'),
    record_struct_declaration: named('record'),
    enum_declaration: named('enum'),
    delegate_declaration: named('delegate'),
    method_declaration: named('method'),
    constructor_declaration: named('constructor'),
    destructor_declaration: (node, _place, text) => {
      const name = node.childForFieldName('name');
      return name ? { kind: 'destructor', names: [`~${text(name)}`] } : undefined;
    },
    operator_declaration: (node, _place, text) => {
      const operator = node.childForFieldName('operator');
      return operator ? { kind: 'operator', names: [`operator ${text(operator)}`] } : undefined;
    },
    indexer_declaration: () => ({ kind: 'indexer', names: ['this[]'] }),
    property_declaration: named('property'),
    event_declaration: named('event'),
    event_field_declaration: declared('event'),
    field_declaration: declared('field'),
    local_function_statement: functionOrMethod,
  },
  through: [
    'compilation_unit',
    'declaration_list',
    'global_statement',
    'block',
    'preproc_if',
    'preproc_region',
  ],
  functions: ['method_declaration', 'constructor_declaration', 'local_function_statement'],
  types: TYPES,
};
