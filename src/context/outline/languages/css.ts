import type { LanguageRules, Rule } from '../symbols.ts';

/** What stands before the braces. */
const rule: Rule = (node, _place, text) => {
  const head: string[] = [];
  for (const child of node.children) {
    if (child === null || child.type === 'block' || child.type === 'keyframe_block_list') break;
    head.push(text(child));
  }
  return { kind: node.type === 'rule_set' ? 'rule' : 'at-rule', names: [head.join(' ')] };
};

export const css: LanguageRules = {
  symbols: {
    rule_set: rule,
    media_statement: rule,
    supports_statement: rule,
    keyframes_statement: rule,
    at_rule: rule,
    scope_statement: rule,
  },
  through: ['stylesheet', 'block'],
  functions: [],
  types: [],
};
