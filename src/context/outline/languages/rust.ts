import { functionOrMethod, type LanguageRules, named, notInFunctions, type Rule } from '../symbols.ts';

const implementation: Rule = (node, _place, text) => {
  const type = node.childForFieldName('type');
  const trait = node.childForFieldName('trait');
  if (!type) return undefined;
  return { kind: 'impl', names: [trait ? `${text(trait)} for ${text(type)}` : text(type)] };
};

export const rust: LanguageRules = {
  symbols: {
    function_item: functionOrMethod,
    function_signature_item: functionOrMethod,
    struct_item: named('struct'),
    enum_item: named('enum'),
    union_item: named('union'),
    trait_item: named('trait'),
    impl_item: implementation,
    type_item: notInFunctions(named('type')),
    associated_type: named('type'),
    mod_item: named('module'),
    macro_definition: named('macro'),
    const_item: notInFunctions(named('constant')),
    static_item: notInFunctions(named('static')),
    field_declaration: named('field'),
  },
  through: [
    'source_file',
    'declaration_list',
    'field_declaration_list',
    'foreign_mod_item',
    'block',
    'expression_statement',
  ],
  functions: ['function_item'],
  types: ['impl_item', 'trait_item'],
};
