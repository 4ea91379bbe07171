import type { Node } from 'web-tree-sitter';
import { type LanguageRules, named, notInFunctions, type Place, type Rule } from '../symbols.ts';

const NAMES = [
  'identifier',
  'field_identifier',
  'type_identifier',
  'qualified_identifier',
  'destructor_name',
  'operator_name',
  'operator_cast',
  'template_function',
];

/** The name inside of pointers, references, arrays and parameter lists: `char *(*names(int))[3]`. */
function nameIn(declarator: Node | null): Node | undefined {
  let current = declarator;
  for (let depth = 0; current !== null && depth < 20; depth++) {
    if (NAMES.includes(current.type)) return current;
    current = current.childForFieldName('declarator') ?? firstNamed(current);
  }
  return undefined;
}

function firstNamed(node: Node): Node | null {
  return (
    node.namedChildren.find((child) => child !== null && /declarator$|identifier$/.test(child.type)) ?? null
  );
}

function declaresFunction(declarator: Node | null): boolean {
  for (
    let node = declarator;
    node !== null;
    node = node.childForFieldName('declarator') ?? firstNamed(node)
  ) {
    // A pointer to a function is a variable.
    if (node.type === 'function_declarator')
      return node.childForFieldName('declarator')?.type !== 'parenthesized_declarator';
    if (NAMES.includes(node.type)) return false;
  }
  return false;
}

const definition: Rule = (node, place, text) => {
  const name = nameIn(node.childForFieldName('declarator'));
  if (!name) return 'through';
  return { kind: place.inType || text(name).includes('::') ? 'method' : 'function', names: [text(name)] };
};

/** Prototypes, variables and members; a type that is defined on the way is looked into. */
function declaration(variable: string): Rule {
  return (node, place, text) => {
    const declarators = node.childrenForFieldName('declarator').filter((child) => child !== null);
    const found = declarators.flatMap((declarator) => {
      const name = nameIn(declarator);
      return name ? [{ name: text(name), isFunction: declaresFunction(declarator) }] : [];
    });
    if (found.length === 0) return 'through';
    if (place.inFunction) return undefined;
    const kind = found[0]!.isFunction ? functionKind(place) : variable;
    return { kind, names: found.map(({ name }) => name) };
  };
}

function functionKind(place: Place): string {
  return place.inType ? 'method' : 'function';
}

/** Only where it is defined: `struct point p;` merely uses it. */
function withBody(kind: string): Rule {
  return (node, _place, text) => {
    const name = node.childForFieldName('name');
    if (!node.childForFieldName('body')) return undefined;
    return name ? { kind, names: [text(name)] } : 'through';
  };
}

const typeDefinition: Rule = (node, _place, text) => {
  const names = node.childrenForFieldName('declarator').flatMap((declarator) => {
    const name = nameIn(declarator);
    return name ? [text(name)] : [];
  });
  return { kind: 'type', names };
};

/** C++, and C. */
export const cpp: LanguageRules = {
  symbols: {
    function_definition: definition,
    declaration: declaration('variable'),
    field_declaration: declaration('field'),
    class_specifier: withBody('class'),
    struct_specifier: withBody('struct'),
    union_specifier: withBody('union'),
    enum_specifier: withBody('enum'),
    namespace_definition: (node, _place, text) => {
      const name = node.childForFieldName('name');
      return name ? { kind: 'namespace', names: [text(name)] } : 'through';
    },
    type_definition: notInFunctions(typeDefinition),
    alias_declaration: notInFunctions(named('type')),
    concept_definition: named('concept'),
    preproc_def: notInFunctions(named('macro')),
    preproc_function_def: named('macro'),
  },
  through: [
    'translation_unit',
    'declaration_list',
    'linkage_specification',
    'field_declaration_list',
    'template_declaration',
    'preproc_if',
    'preproc_ifdef',
    'preproc_else',
    'preproc_elif',
    'preproc_elifdef',
  ],
  wrappers: ['template_declaration'],
  functions: ['function_definition'],
  types: ['class_specifier', 'struct_specifier', 'union_specifier'],
};
