import { type LanguageRules, named, type Rule } from '../symbols.ts';

const fields: Rule = (node, _place, text) => ({
  kind: 'field',
  names: node.childrenForFieldName('declarator').flatMap((declarator) => {
    const name = declarator?.childForFieldName('name');
    return name ? [text(name)] : [];
  }),
});

export const java: LanguageRules = {
  symbols: {
    class_declaration: named('class'),
    interface_declaration: named('interface'),
    enum_declaration: named('enum'),
    record_declaration: named('record'),
    annotation_type_declaration: named('annotation'),
    method_declaration: named('method'),
    annotation_type_element_declaration: named('method'),
    constructor_declaration: named('constructor'),
    compact_constructor_declaration: named('constructor'),
    field_declaration: fields,
    constant_declaration: fields,
    module_declaration: named('module'),
  },
  through: [
    'program',
    'class_body',
    'interface_body',
    'enum_body',
    'enum_body_declarations',
    'annotation_type_body',
    'constructor_body',
    'block',
  ],
  functions: ['method_declaration', 'constructor_declaration'],
  types: ['class_declaration', 'interface_declaration', 'enum_declaration', 'record_declaration'],
};
