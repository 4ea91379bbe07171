/** The licences as one text: the list, then every text once, under the names of all that it applies to. */

const RULE = '='.repeat(80);

/**
 * @param {readonly import('./licences.mjs').Licence[]} licences
 * @param {readonly { version: string, text: string }[]} nodes  the versions of Node that executables contain
 * @returns {string}
 */
export function licencesDocument(licences, nodes = []) {
  const all = [...licences, ...nodes.map(nodeAsLicence)];
  return [
    'local-coder is under the MIT licence. It contains the following software of others.',
    '',
    ...all.map((licence) => `  ${title(licence)}`),
    '',
    ...sections(all),
  ].join('\n');
}

function nodeAsLicence({ version, text }) {
  return { name: 'Node.js', version, spdx: 'MIT and others, see its text', within: 'local-coder', text };
}

function sections(licences) {
  const byText = new Map();
  for (const licence of licences) byText.set(licence.text, [...(byText.get(licence.text) ?? []), licence]);
  return [...byText].flatMap(([text, sharing]) => [RULE, ...sharing.map(title), '', text, '']);
}

function title({ name, version, spdx, within }) {
  const inside = within === 'local-coder' ? '' : `, in ${within}`;
  return `${[name, version].filter(Boolean).join(' ')} (${spdx})${inside}`;
}
