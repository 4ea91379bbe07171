import { functionOrMethod, type LanguageRules, named, notInFunctions, type Rule } from '../symbols.ts';

const assignment: Rule = (node, place, text) => {
  const left = node.childForFieldName('left');
  if (left?.type !== 'identifier') return undefined;
  const name = text(left);
  const kind = place.inType ? 'field' : /^[A-Z_][A-Z0-9_]*$/.test(name) ? 'constant' : 'variable';
  return { kind, names: [name] };
};

export const python: LanguageRules = {
  symbols: {
    function_definition: functionOrMethod,
    class_definition: named('class'),
    assignment: notInFunctions(assignment),
    type_alias_statement: notInFunctions(named('type', 'left')),
  },
  through: [
    'module',
    'block',
    'decorated_definition',
    'expression_statement',
    'if_statement',
    'elif_clause',
    'else_clause',
    'try_statement',
    'except_clause',
    'except_group_clause',
    'finally_clause',
    'with_statement',
    'for_statement',
    'while_statement',
  ],
  wrappers: ['decorated_definition'],
  functions: ['function_definition'],
  types: ['class_definition'],
};
