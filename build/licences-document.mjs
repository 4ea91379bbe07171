/** The licences as one text: the list, then every text once, under the names of all that it applies to. */

const RULE = '='.repeat(80);

/**
 * @param {readonly import('./licences.mjs').Licence[]} licences
 * @param {{ version: string, text: string, textOf?: string }} [node] Node, in an executable; `textOf`: the version that
 *   the text was taken from where the base itself came without
 * @returns {string}
 */
export function licencesDocument(licences, node) {
  const nodeLicence = node && {
    name: 'Node.js',
    version: node.version,
    spdx: 'MIT and others, see its text',
    within: 'local-coder',
    text: node.textOf === undefined ? node.text : `(The text of Node.js ${node.textOf}.)\n\n${node.text}`,
  };
  const all = nodeLicence ? [...licences, nodeLicence] : licences;
  const lines = all.map((licence) => `  ${title(licence)}`);
  return [
    'local-coder is under the MIT licence. It contains the following software of others.',
    '',
    ...lines,
    '',
    ...sections(all),
    '',
  ].join('\n');
}

function sections(licences) {
  const byText = new Map();
  for (const licence of licences) byText.set(licence.text, [...(byText.get(licence.text) ?? []), licence]);
  return [...byText].flatMap(([text, sharing]) => [RULE, ...sharing.map(title), '', text.trim(), '']);
}

function title({ name, version, spdx, within }) {
  const inside = within === 'local-coder' ? '' : `, in ${within}`;
  return `${[name, version].filter(Boolean).join(' ')} (${spdx})${inside}`;
}
