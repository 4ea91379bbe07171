import type { Node } from 'web-tree-sitter';
import { functionOrMethod, type LanguageRules, named, notInFunctions, type Rule } from '../symbols.ts';

const FUNCTIONS = ['arrow_function', 'function_expression', 'generator_function'];
const CLASSES = ['class', 'class_declaration', 'abstract_class_declaration'];
/** `as const`, `satisfies X`, `!` and brackets around a value. */
const AROUND_VALUES = [
  'as_expression',
  'satisfies_expression',
  'non_null_expression',
  'parenthesized_expression',
];
/** The calls that make up a test file: there the tests are what one looks for. */
const TEST_CALL =
  /^(describe|context|suite|it|test|beforeEach|afterEach|beforeAll|afterAll|before|after)(\.\w+)*$/;

function isFunction(node: Node | null | undefined): boolean {
  return node !== null && node !== undefined && FUNCTIONS.includes(node.type);
}

/** What stands behind brackets and type assertions. */
function bare(node: Node | null): Node | null {
  let current = node;
  while (current !== null && AROUND_VALUES.includes(current.type)) current = current.namedChild(0);
  return current;
}

const method: Rule = (node, _place, text) => {
  const name = node.childForFieldName('name');
  if (!name) return 'through';
  // The modifiers stand before the name, mostly there are none: looking backwards from it is quickest.
  let kind = text(name) === 'constructor' ? 'constructor' : 'method';
  for (let before = name.previousSibling; before !== null; before = before.previousSibling) {
    if (before.type === 'get') kind = 'getter';
    else if (before.type === 'set') kind = 'setter';
  }
  return { kind, names: [text(name)] };
};

const field: Rule = (node, _place, text) => {
  const name = node.childForFieldName('name') ?? node.childForFieldName('property');
  if (!name) return undefined;
  return {
    kind: isFunction(bare(node.childForFieldName('value'))) ? 'method' : 'field',
    names: [text(name)],
  };
};

/** The names that a declaration binds: one, or those of a pattern. */
function boundNames(name: Node, text: (node: Node) => string): string[] {
  if (name.type === 'identifier') return [text(name)];
  return name
    .descendantsOfType(['identifier', 'shorthand_property_identifier_pattern'])
    .flatMap((node) => (node === null ? [] : [text(node)]));
}

const variable: Rule = (node, place, text) => {
  const name = node.childForFieldName('name');
  if (!name) return undefined;
  const value = bare(node.childForFieldName('value'));
  if (isFunction(value)) return { kind: 'function', names: [text(name)] };
  if (value?.type === 'class') return { kind: 'class', names: [text(name)] };
  if (place.inFunction) return 'through';
  const isConstant = node.parent?.child(0)?.type === 'const';
  return { kind: isConstant ? 'constant' : 'variable', names: boundNames(name, text) };
};

/** `exports.f = function () {}`, `Type.prototype.f = () => {}`, `module.exports = { … }`. */
const assignment: Rule = (node, _place, text) => {
  const left = node.childForFieldName('left');
  const right = bare(node.childForFieldName('right'));
  if (!left || !right) return undefined;
  if (isFunction(right)) return { kind: 'function', names: [text(left)] };
  if (right.type === 'class') return { kind: 'class', names: [text(left)] };
  return 'through';
};

/** A property of an object literal: worth a line when it is a function. */
const pair: Rule = (node, _place, text) => {
  const key = node.childForFieldName('key');
  const value = bare(node.childForFieldName('value'));
  if (!key || !value) return undefined;
  if (isFunction(value)) return { kind: 'method', names: [text(key)] };
  return value.type === 'object' ? 'through' : undefined;
};

const call: Rule = (node, _place, text) => {
  const callee = node.childForFieldName('function');
  if (!callee) return undefined;
  const name = callee.type === 'identifier' || callee.type === 'member_expression' ? text(callee) : '';
  if (!TEST_CALL.test(name)) return 'through';
  const title = node.childForFieldName('arguments')?.namedChild(0);
  const isTitle = title?.type === 'string' || title?.type === 'template_string';
  return isTitle ? { kind: 'test', names: [`${name} ${text(title)}`] } : 'through';
};

/** Without a name of its own, what is exported by default is called so. */
const exported: Rule = (node) => {
  const value = bare(node.childForFieldName('value'));
  if (!value || value.childForFieldName('name')) return 'through';
  if (isFunction(value)) return { kind: 'function', names: ['default'] };
  return value.type === 'class' ? { kind: 'class', names: ['default'] } : 'through';
};

const moduleName = named('namespace');
const signature = named('method');

/** JavaScript, TypeScript and TSX: the grammar of TypeScript extends that of JavaScript. */
export const javascript: LanguageRules = {
  symbols: {
    function_declaration: functionOrMethod,
    generator_function_declaration: functionOrMethod,
    function_signature: functionOrMethod,
    class_declaration: named('class'),
    abstract_class_declaration: named('class'),
    class: (node, _place, text) => {
      const name = node.childForFieldName('name');
      return name && node.parent?.type === 'export_statement'
        ? { kind: 'class', names: [text(name)] }
        : 'through';
    },
    interface_declaration: named('interface'),
    type_alias_declaration: notInFunctions(named('type')),
    enum_declaration: named('enum'),
    internal_module: moduleName,
    module: moduleName,
    method_definition: method,
    method_signature: signature,
    abstract_method_signature: signature,
    public_field_definition: field,
    field_definition: field,
    property_signature: (node, place, text) =>
      place.inType ? named('property')(node, place, text) : undefined,
    variable_declarator: variable,
    assignment_expression: assignment,
    pair,
    call_expression: call,
    export_statement: exported,
  },
  through: [
    'program',
    'statement_block',
    'class_body',
    'interface_body',
    'object_type',
    'ambient_declaration',
    'expression_statement',
    'lexical_declaration',
    'variable_declaration',
    'object',
    'arguments',
    'parenthesized_expression',
    'as_expression',
    'satisfies_expression',
    'non_null_expression',
    'if_statement',
    'else_clause',
    'for_statement',
    'for_in_statement',
    'while_statement',
    'try_statement',
    'catch_clause',
    'finally_clause',
    'switch_statement',
    'switch_body',
    'switch_case',
    'switch_default',
    'return_statement',
    'await_expression',
    'unary_expression',
    'sequence_expression',
    ...FUNCTIONS,
  ],
  outsideNamedFunctions: ['call_expression'],
  wrappers: ['export_statement', 'ambient_declaration', 'lexical_declaration', 'variable_declaration'],
  functions: [
    'function_declaration',
    'generator_function_declaration',
    'method_definition',
    'call_expression',
    ...FUNCTIONS,
  ],
  types: [...CLASSES, 'interface_declaration', 'object'],
};
