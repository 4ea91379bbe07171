/**
 * Third-party software inside of the files that the product carries, which npm does not know: what is linked into
 * ripgrep, the grammars, and what bundled packages have bundled themselves. Facts from each project's licence file
 * (of several that are offered, the one chosen here); tests hold the list against the files.
 *
 * @typedef {object} EmbeddedPart
 * @property {string} name
 * @property {string} version    '' where the file that it is part of does not say
 * @property {string} spdx       a key of STANDARD_TEXTS
 * @property {string[]} copyright  lines, none where the project states none
 * @property {string} within     the part of the product that it lies in
 * @property {string} [purl]     package URL, for the SBOM
 */
const GALLANT = 'Copyright (c) 2015 Andrew Gallant';
const RUST = 'Copyright (c) 2014 The Rust Project Developers';
const CROSSBEAM = 'Copyright (c) 2019 The Crossbeam Project Developers';

/** The Rust crates of ripgrep 15.0.0, by its Cargo.lock without what only builds and tests it; then what std has. */
const CRATES = [
  ['aho-corasick', '1.1.3', 'MIT', GALLANT],
  ['anyhow', '1.0.100', 'MIT'],
  ['bstr', '1.12.0', 'MIT', 'Copyright (c) 2018-2019 Andrew Gallant'],
  ['cfg-if', '1.0.4', 'MIT', 'Copyright (c) 2014 Alex Crichton'],
  ['crossbeam-channel', '0.5.15', 'MIT', CROSSBEAM],
  ['crossbeam-deque', '0.8.6', 'MIT', CROSSBEAM],
  ['crossbeam-epoch', '0.9.18', 'MIT', CROSSBEAM],
  ['crossbeam-utils', '0.8.21', 'MIT', CROSSBEAM],
  ['encoding_rs', '0.8.35', 'MIT', 'Copyright Mozilla Foundation'],
  ['encoding_rs (data of the Encoding Standard)', '0.8.35', 'BSD-3-Clause', 'Copyright (c) WHATWG'],
  ['encoding_rs_io', '0.1.7', 'MIT', 'Copyright (c) 2018 Andrew Gallant'],
  ['globset', '0.4.17', 'MIT', GALLANT],
  ['grep', '0.4.0', 'MIT', GALLANT],
  ['grep-cli', '0.1.12', 'MIT', GALLANT],
  ['grep-matcher', '0.1.8', 'MIT', GALLANT],
  ['grep-pcre2', '0.1.9', 'MIT', GALLANT],
  ['grep-printer', '0.3.0', 'MIT', GALLANT],
  ['grep-regex', '0.1.14', 'MIT', GALLANT],
  ['grep-searcher', '0.1.15', 'MIT', GALLANT],
  ['ignore', '0.4.24', 'MIT', GALLANT],
  ['itoa', '1.0.15', 'MIT'],
  ['lexopt', '0.3.1', 'MIT', 'Copyright (c) 2021 Jan Verbeek'],
  ['libc', '0.2.177', 'MIT', 'Copyright (c) 2014-2020 The Rust Project Developers'],
  ['log', '0.4.28', 'MIT', RUST],
  ['memchr', '2.7.6', 'MIT', GALLANT],
  ['memmap2', '0.9.8', 'MIT', 'Copyright (c) 2020 Yevhenii Reizner', 'Copyright (c) 2015 Dan Burkert'],
  ['pcre2', '0.2.11', 'MIT', GALLANT],
  ['pcre2-sys', '0.2.10', 'MIT', GALLANT],
  ['regex-automata', '0.4.13', 'MIT', RUST],
  ['regex-syntax', '0.8.8', 'MIT', RUST],
  [
    'regex-syntax (tables of Unicode)',
    '0.8.8',
    'Unicode-DFS-2016',
    'Copyright © 1991-2018 Unicode, Inc. All rights reserved.',
  ],
  ['ryu', '1.0.20', 'BSL-1.0'],
  ['same-file', '1.0.6', 'MIT', 'Copyright (c) 2017 Andrew Gallant'],
  ['serde', '1.0.228', 'MIT'],
  ['serde_core', '1.0.228', 'MIT'],
  ['serde_json', '1.0.145', 'MIT'],
  ['termcolor', '1.4.1', 'MIT', GALLANT],
  ['textwrap', '0.16.2', 'MIT', 'Copyright (c) 2016 Martin Geisler'],
  ['tikv-jemallocator', '0.6.0', 'MIT', 'Copyright (c) 2014 Alex Crichton'],
  ['walkdir', '2.5.0', 'MIT', GALLANT],
  ['winapi-util', '0.1.11', 'MIT', 'Copyright (c) 2017 Andrew Gallant'],
  ['windows-link', '0.2.1', 'MIT', 'Copyright (c) Microsoft Corporation.'],
  ['windows-sys', '0.61.2', 'MIT', 'Copyright (c) Microsoft Corporation.'],
  ['addr2line', '0.24.2', 'MIT', 'Copyright (c) 2016-2018 The gimli Developers'],
  ['gimli', '0.31.1', 'MIT', 'Copyright (c) 2015 The Rust Project Developers'],
  ['hashbrown', '0.15.3', 'MIT', "Copyright (c) 2016 Amanieu d'Antras"],
  [
    'miniz_oxide',
    '0.8.8',
    'MIT',
    'Copyright 2013-2014 RAD Game Tools and Valve Software',
    'Copyright 2010-2014 Rich Geldreich and Tenacious Software LLC',
    'Copyright (c) 2017 Frommi',
  ],
  ['object', '0.36.7', 'MIT', 'Copyright (c) 2015 The Gimli Developers'],
  ['rustc-demangle', '0.1.24', 'MIT', 'Copyright (c) 2014 Alex Crichton'],
];

/** Libraries in ripgrep that are not Rust, and the language's own. */
const LIBRARIES = [
  ['Rust standard library', '1.88.0', 'MIT', 'Copyright (c) The Rust Project Contributors'],
  [
    'PCRE2',
    '10.45',
    'BSD-3-Clause',
    'Copyright (c) 1997-2007 University of Cambridge',
    'Copyright (c) 2007-2024 Philip Hazel',
    'Copyright (c) 2009-2024 Zoltan Herczeg (just-in-time compilation)',
  ],
  [
    'jemalloc',
    '5.3.0',
    'BSD-2-Clause',
    'Copyright (C) 2002-present Jason Evans <jasone@canonware.com>. All rights reserved.',
    'Copyright (C) 2007-2012 Mozilla Foundation. All rights reserved.',
    'Copyright (C) 2009-present Facebook, Inc. All rights reserved.',
  ],
  ['musl', '', 'MIT', 'Copyright (c) 2005-2020 Rich Felker, et al.'],
];

/** asset `tree-sitter-<grammar>` → the copyright lines of that grammar */
const GRAMMARS = {
  bash: ['Copyright (c) 2017 Max Brunsfeld'],
  'c-sharp': ['Copyright (c) 2014-2023 Max Brunsfeld, Damien Guard, Amaan Qureshi, and contributors.'],
  cpp: ['Copyright (c) 2014 Max Brunsfeld'],
  css: ['Copyright (c) 2018 Max Brunsfeld'],
  go: ['Copyright (c) 2014 Max Brunsfeld'],
  java: ['Copyright (c) 2017 Ayman Nadeem'],
  javascript: ['Copyright (c) 2014 Max Brunsfeld'],
  php: [
    'Copyright (c) 2017 Josh Vera, GitHub',
    'Copyright (c) 2019 Max Brunsfeld, Amaan Qureshi, Christian Frøystad, Caleb White',
  ],
  powershell: ['Copyright (c) 2023 Airbus CERT'],
  python: ['Copyright (c) 2016 Max Brunsfeld'],
  ruby: ['Copyright (c) 2016 Rob Rix'],
  rust: ['Copyright (c) 2017 Maxim Sokolov'],
  tsx: ['Copyright (c) 2017 Max Brunsfeld'],
  typescript: ['Copyright (c) 2017 Max Brunsfeld'],
};

/** Packages that packages of the bundle have bundled themselves (`#region …/node_modules/…` in their files). */
const VENDORED = [
  ['content-type', '1.0.5', '@modelcontextprotocol/server', 'Copyright (c) 2015 Douglas Christopher Wilson'],
];

const RIPGREP = '15.0.0';

/** @returns {EmbeddedPart[]} what lies in the assets `rg` and `tree-sitter` */
export function nativeParts() {
  const within = `ripgrep ${RIPGREP}`;
  const rust = CRATES.map(([name, version, spdx, ...copyright]) => {
    const purl = `pkg:cargo/${name.split(' ')[0]}@${version}`;
    return { name, version, spdx, copyright, within, purl };
  });
  const libraries = LIBRARIES.map(([name, version, spdx, ...copyright]) => {
    return { name, version, spdx, copyright, within };
  });
  const ripgrep = {
    name: 'ripgrep',
    version: RIPGREP,
    spdx: 'MIT',
    copyright: [GALLANT],
    within: 'local-coder',
    purl: `pkg:cargo/ripgrep@${RIPGREP}`,
  };
  const wasm = { version: '', within: 'the WebAssembly file of tree-sitter' };
  return [
    ripgrep,
    ...rust,
    ...libraries,
    {
      ...wasm,
      name: 'ICU (parts)',
      spdx: 'Unicode-DFS-2016',
      copyright: ['Copyright © 1991-2019 Unicode, Inc. All rights reserved.'],
    },
    { ...wasm, name: 'Emscripten', spdx: 'MIT', copyright: ['Copyright (c) 2010-2014 Emscripten authors'] },
    { ...wasm, name: 'musl', spdx: 'MIT', copyright: ['Copyright (c) 2005-2020 Rich Felker, et al.'] },
  ];
}

/**
 * @param {readonly string[]} grammars names as in LANGUAGE_NAMES
 * @returns {EmbeddedPart[]}
 * @throws {Error} for a grammar whose licence is not known here
 */
export function grammarParts(grammars) {
  return grammars.map((grammar) => {
    const copyright = GRAMMARS[grammar];
    const name = `tree-sitter-${grammar}`;
    if (!copyright)
      throw new Error(`${name} has no licence text: add its licence to build/licences-embedded.mjs.`);
    return { name, version: '', spdx: 'MIT', copyright, within: '@vscode/tree-sitter-wasm' };
  });
}

/**
 * @param {string} packageName  @param {string} version of a package inside of a bundled package
 * @param {string} within
 * @returns {EmbeddedPart}
 */
export function vendoredPart(packageName, version, within) {
  const known = VENDORED.find(([name, knownVersion]) => name === packageName && knownVersion === version);
  if (!known) {
    throw new Error(
      `${packageName} ${version}, which ${within} has bundled, has no licence text: add it to build/licences-embedded.mjs.`,
    );
  }
  const copyright = known.slice(3);
  return {
    name: packageName,
    version,
    spdx: 'MIT',
    copyright,
    within,
    purl: `pkg:npm/${packageName}@${version}`,
  };
}
