import { type LanguageRules, named, notInFunctions, type Rule } from '../symbols.ts';

/** A child by its type, for grammars without fields. */
function namedByChild(kind: string, type: string): Rule {
  return (node, _place, text) => {
    const name = node.namedChildren.find((child) => child?.type === type);
    return name ? { kind, names: [text(name)] } : 'through';
  };
}

/** Bash and its relatives, and PowerShell: their grammars share no node type that means two things. */
export const shells: LanguageRules = {
  symbols: {
    function_definition: named('function'),
    variable_assignment: notInFunctions((node, _place, text) => {
      const name = node.childForFieldName('name');
      return name?.type === 'variable_name' ? { kind: 'variable', names: [text(name)] } : undefined;
    }),
    function_statement: namedByChild('function', 'function_name'),
    class_statement: namedByChild('class', 'simple_name'),
    class_method_definition: namedByChild('method', 'simple_name'),
    class_property_definition: namedByChild('field', 'variable'),
    enum_statement: namedByChild('enum', 'simple_name'),
  },
  through: [
    'program',
    'compound_statement',
    'declaration_command',
    'if_statement',
    'elif_clause',
    'else_clause',
    'statement_list',
    'script_block',
    'script_block_body',
    'named_block',
    'named_block_list',
    'statement_block',
  ],
  functions: ['function_definition', 'function_statement', 'class_method_definition'],
  types: ['class_statement'],
};
