import { functionOrMethod, type LanguageRules, named, type Rule } from '../symbols.ts';

/** The calls that make up an RSpec or Minitest file. */
const TEST_CALL = /^(describe|context|feature|scenario|it|specify|test|shared_examples)$/;

const call: Rule = (node, _place, text) => {
  const name = node.childForFieldName('method');
  if (!name || !node.childForFieldName('block')) return undefined;
  const title = node.childForFieldName('arguments')?.namedChild(0);
  if (!TEST_CALL.test(text(name)) || !title) return 'through';
  return { kind: 'test', names: [`${text(name)} ${text(title)}`] };
};

const constant: Rule = (node, place, text) => {
  const left = node.childForFieldName('left');
  if (left?.type !== 'constant' || place.inFunction) return undefined;
  return { kind: 'constant', names: [text(left)] };
};

export const ruby: LanguageRules = {
  symbols: {
    method: functionOrMethod,
    singleton_method: (node, _place, text) => {
      const name = node.childForFieldName('name');
      const object = node.childForFieldName('object');
      return name && object ? { kind: 'method', names: [`${text(object)}.${text(name)}`] } : 'through';
    },
    class: named('class'),
    module: named('module'),
    singleton_class: () => 'through',
    assignment: constant,
    call,
  },
  through: [
    'program',
    'body_statement',
    'do_block',
    'block',
    'block_body',
    'begin',
    'if',
    'unless',
    'then',
    'else',
  ],
  outsideNamedFunctions: ['call'],
  functions: ['method', 'singleton_method'],
  types: ['class', 'module', 'singleton_class'],
};
