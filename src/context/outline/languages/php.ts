import { functionOrMethod, type LanguageRules, named, notInFunctions, type Rule } from '../symbols.ts';

/** The names of the elements of a list: `const A = 1, B = 2;`, `public $a, $b;`. */
function elements(kind: string, type: string): Rule {
  return (node, _place, text) => ({
    kind,
    names: node.namedChildren.flatMap((child) => {
      const name = child?.type === type ? (child.childForFieldName('name') ?? child.namedChild(0)) : null;
      return name ? [text(name)] : [];
    }),
  });
}

export const php: LanguageRules = {
  symbols: {
    function_definition: functionOrMethod,
    method_declaration: named('method'),
    class_declaration: named('class'),
    interface_declaration: named('interface'),
    trait_declaration: named('trait'),
    enum_declaration: named('enum'),
    namespace_definition: (node, _place, text) => {
      const name = node.childForFieldName('name');
      return name ? { kind: 'namespace', names: [text(name)] } : 'through';
    },
    const_declaration: notInFunctions(elements('constant', 'const_element')),
    property_declaration: elements('property', 'property_element'),
  },
  through: [
    'program',
    'declaration_list',
    'enum_declaration_list',
    'compound_statement',
    'colon_block',
    'if_statement',
    'else_clause',
    'else_if_clause',
  ],
  functions: ['function_definition', 'method_declaration'],
  types: ['class_declaration', 'interface_declaration', 'trait_declaration', 'enum_declaration'],
};
