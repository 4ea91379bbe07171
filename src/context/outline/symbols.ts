import type { Node } from 'web-tree-sitter';

/** Something that has a name in a source file. */
export interface OutlineSymbol {
  /** function, method, class, constant, … in the words of the language. */
  readonly kind: string;
  readonly name: string;
  /** 1-based and inclusive. */
  readonly startLine: number;
  readonly endLine: number;
  readonly children: OutlineSymbol[];
}

/** Where a node was met. */
export interface Place {
  /** Inside of a function: what is a variable there is nobody else's business. */
  readonly inFunction: boolean;
  /** Directly inside of a class or the like: functions are methods there. */
  readonly inType: boolean;
  /** Inside of a function that has a line of its own; not in one that is merely handed to a call. */
  readonly inNamedFunction: boolean;
}

/** What a node of the syntax tree is called, and what kind of thing it is. */
export interface Found {
  readonly kind: string;
  /** Several for `const a = 1, b = 2`; none: not worth a line, but what is inside may be. */
  readonly names: readonly string[];
}

/**
 * Judges a node: what it is; `through` to look inside without a line for it; undefined to leave it out with all
 * that is in it.
 */
export type Rule = (node: Node, place: Place, text: (node: Node) => string) => Found | 'through' | undefined;

/** How to read the syntax trees of a language. */
export interface LanguageRules {
  readonly symbols: Readonly<Record<string, Rule>>;
  /** Types that are looked into: blocks, bodies, statements that hold statements. */
  readonly through: readonly string[];
  /**
   * Types that are passed by inside of functions with a name: calls are many there, and the functions handed to them
   * define nothing that others look for. Outside of them they are what wraps a module or makes up a test.
   */
  readonly outsideNamedFunctions?: readonly string[];
  /** Of these the first line counts for what is in them: decorators and `export` belong to the definition. */
  readonly wrappers?: readonly string[];
  /** Types of nodes in which variables are local. */
  readonly functions: readonly string[];
  /** Types of nodes in which functions are methods. */
  readonly types: readonly string[];
}

/** A rule for nodes that have their name in a field. */
export function named(kind: string, field = 'name'): Rule {
  return (node, _place, text) => {
    const name = node.childForFieldName(field);
    return name ? { kind, names: [text(name)] } : undefined;
  };
}

/** A function, or a method where it is inside of a type. */
export const functionOrMethod: Rule = (node, place, text) => {
  const name = node.childForFieldName('name');
  return name ? { kind: place.inType ? 'method' : 'function', names: [text(name)] } : 'through';
};

/** As `rule` says, but nothing where variables are local. */
export function notInFunctions(rule: Rule): Rule {
  return (node, place, text) => (place.inFunction ? undefined : rule(node, place, text));
}
