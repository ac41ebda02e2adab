// SPDX-License-Identifier: Apache-2.0
// A mixture as each trainer reads it: the texts of `regmix export`, byte for byte (src/export says why each
// is as it is; tests/browser compares them). A writer gets {sources: [{name, path, weight}], unit}. At the end
// the part of the page that shows, copies and saves them.

// The fewest digits that read back the same, as C's "%g" writes them, always with a point.
function exportNumber(x) {
  const [mantissa, exponent] = x.toExponential().split('e');
  const e = Number(exponent);
  const text = e >= -4 && e < 15 ? x.toString() : mantissa;
  const pointed = text.includes('.') ? text : `${text}.0`;
  return text === mantissa && e !== 0 ? `${pointed}e${e < 0 ? '-' : '+'}${String(Math.abs(e)).padStart(2, '0')}` : pointed;
}

const escapes = {'"': '\\"', '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t'};
const quoted = (text) =>
  `"${text.replace(
    /["\\\u0000-\u001f\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g,
    (c) => escapes[c] ?? `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )}"`;
const yamlText = (text) =>
  /^[A-Za-z_/]([A-Za-z_/0-9.-]| (?! |$))*$/.test(text) &&
  !/^(y|n|yes|no|on|off|true|false|null|nan|inf|infinity)$/i.test(text)
    ? text
    : quoted(text);
const yamlKey = (indent, text) =>
  new TextEncoder().encode(text).length > 128 ? `${indent}? ${yamlText(text)}\n${indent}:` : `${indent}${yamlText(text)}:`;
const csvField = (text) => (/[,"\r\n]|^[ \t\ufeff]|[ \t]$/.test(text) ? `"${text.replace(/"/g, '""')}"` : text);

const eachLine = (sources, write) => sources.map((s, i) => `${write(s, i)}\n`).join('');
const commaLines = (sources, write) => sources.map(write).join(',\n');
const jsonMap = ({sources}, indent) =>
  `{\n${commaLines(sources, (s) => `${indent}  ${quoted(s.name)}: ${exportNumber(s.weight)}`)}\n${indent}}`;
const weightedPaths = ({sources}, between) =>
  `${sources.map((s) => `${exportNumber(s.weight)} ${s.path}`).join(between)}\n`;
const python = ({sources, unit}) =>
  `# ${unit}\nSOURCES = [  # name, path, weight\n` +
  `${eachLine(sources, (s) => `    (${quoted(s.name)}, ${quoted(s.path)}, ${exportNumber(s.weight)}),`)}]\n`;

const writers = {
  csv: ({sources}) =>
    `domain,weight\n${eachLine(sources, (s) => `${csvField(s.name)},${exportNumber(s.weight)}`)}`,
  json: (b) => `${jsonMap(b, '')}\n`,
  yaml: ({sources}) => eachLine(sources, (s) => `${yamlKey('', s.name)} ${exportNumber(s.weight)}`),
  regmix: ({sources}) =>
    `train:\n${eachLine(sources, (s) => `${yamlKey('  ', s.name)} ${exportNumber(s.weight)}`)}`,
  megatron: (b) => weightedPaths(b, ' '),
  'megatron-args': (b) => weightedPaths(b, '\n'),
  'megatron-json': ({sources}) =>
    `{\n  "train": [\n${commaLines(sources, (s) => `    "${exportNumber(s.weight)}", ${quoted(s.path)}`)}\n  ],\n` +
    '  "valid": null,\n  "test": null\n}\n',
  nemo: ({sources, unit}) =>
    `# ${unit}\nmodel:\n  data:\n    data_prefix:\n` +
    eachLine(sources, (s) => `      - ${exportNumber(s.weight)}\n      - ${yamlText(s.path)}`),
  'gpt-neox': ({sources, unit}) =>
    `# ${unit}\n# GPT-NeoX wants valid-data-paths and test-data-paths beside these (--valid-prefix TEXT).\n` +
    `"train-data-paths":\n${eachLine(sources, (s) => `  - ${yamlText(s.path)}`)}` +
    `"train-data-weights":\n${eachLine(sources, (s) => `  - ${exportNumber(s.weight)}`)}`,
  streaming: ({sources, unit}) =>
    `# ${unit} For samples of concatenated tokens, which are all of one length.\nstreams:\n` +
    eachLine(
      sources,
      (s) =>
        `${yamlKey('  ', s.name)}\n    ${s.path.includes('://') ? 'remote' : 'local'}: ${yamlText(s.path)}\n` +
        `    proportion: ${exportNumber(s.weight)}`,
    ),
  'olmo-core': ({sources, unit}) =>
    `# ${unit} A source too small for its share also needs max_repetition_ratio.\nsources:\n` +
    eachLine(
      sources,
      (s) =>
        `  - source_name: ${yamlText(s.name)}\n    target_ratio: ${exportNumber(s.weight)}\n` +
        `    paths:\n      - ${yamlText(s.path)}`,
    ),
  nanotron: ({sources, unit}) =>
    `# ${unit} Goes under data_stages[].data.\ndataset:\n  dataset_folder:\n` +
    `${eachLine(sources, (s) => `    - ${yamlText(s.path)}`)}  dataset_weights:\n` +
    eachLine(sources, (s) => `    - ${exportNumber(s.weight)}`),
  lingua: ({sources, unit}) =>
    `# ${unit}\ndata:\n  root_dir: ""\n  sources:\n` +
    eachLine(sources, (s) => `${yamlKey('    ', s.path)} ${exportNumber(s.weight)}`),
  litgpt: (b) =>
    `from litdata.streaming import CombinedStreamingDataset, StreamingDataset, TokensLoader\n\n${python(b)}` +
    `

def mixed_dataset(seq_length, seed=42):
    # Blocks hold one token more than the model sees: the last label.
    return CombinedStreamingDataset(
        datasets=[
            StreamingDataset(
                input_dir=path,
                item_loader=TokensLoader(block_size=seq_length + 1),
                shuffle=True,
                drop_last=True,
            )
            for _, path, _ in SOURCES
        ],
        weights=[weight for _, _, weight in SOURCES],
        seed=seed,
        iterate_over_all=False,
    )
`,
  torchtitan: (b) =>
    'from torchtitan.hf_datasets.text_datasets import HFDataSource, InterleavedHuggingFaceTextDataLoader\n\n' +
    `${python(b)}
# Each name must be registered in torchtitan's DATASETS, which says how its files are read.
dataloader = InterleavedHuggingFaceTextDataLoader.Config(
    sources=[
        HFDataSource(dataset=name, dataset_path=path, weight=weight, infinite=True)
        for name, path, weight in SOURCES
    ],
    seed=42,
)
`,
  doremi: (b) =>
    `{\n  "train_domain_weights": ${jsonMap(b, '  ')},\n  "eval_domain_weights": ${jsonMap(b, '  ')}\n}\n`,
  huggingface: (b) =>
    `from datasets import interleave_datasets, load_dataset\n\n${python(b)}
dataset = interleave_datasets(
    [load_dataset(path, split="train", streaming=True) for _, path, _ in SOURCES],
    probabilities=[weight for _, _, weight in SOURCES],
    seed=42,
    stopping_strategy="all_exhausted",
)
`,
};

// The formats the program has that this page can write: {name, help, paths, no_zeros, documents}.
const exportFormats = ((fitted && fitted.formats) || []).filter((format) => writers[format.name]);

// Mean training tokens per document of each domain, or null where a domain with weight has none.
function documentLengths(names, w) {
  const known = Object.fromEntries(
    ((data.corpus && data.corpus.domains) || []).map((d) => [d.name, d.train_tokens / d.train_documents]),
  );
  return names.every((name, d) => w[d] === 0 || known[name] > 0) ? names.map((name) => known[name]) : null;
}

// names and w (D) in one order; paths are prefix, name, suffix.
function exportText(format, names, w, prefix, suffix) {
  let weights = w,
    unit = 'Weights are shares of tokens.';
  if (format.documents) {
    const lengths = documentLengths(names, w);
    if (lengths) {
      unit = 'Weights are shares of documents: shares of tokens divided by mean tokens per document.';
      const documents = w.map((x, d) => (x === 0 ? 0 : x / lengths[d]));
      const sum = documents.reduce((s, x) => s + x, 0);
      weights = documents.map((x) => x / sum);
    } else {
      unit =
        'Weights are shares of tokens, but this trainer draws documents: domains with long ones will get more.';
    }
  }
  const sources = names
    .map((name, d) => ({name, weight: weights[d], path: `${prefix}${name}${suffix}`}))
    .filter((s) => s.weight > 0 || !format.no_zeros);
  return writers[format.name]({sources, unit});
}

// ---- the mixture, taken along ----

const shellWord = (text) => (/^[\w./=:+-]+$/.test(text) ? text : `'${text.replace(/'/g, "'\\''")}'`);

function exportPart() {
  const {names} = whatIf;
  const select = el(
    'select',
    null,
    exportFormats.map((format) => el('option', {value: format.name}, `${format.name}: ${format.help}`)),
  );
  select.value = 'yaml';
  const prefix = el('input', {type: 'text', value: '/data/', size: 14, spellcheck: 'false'}),
    suffix = el('input', {type: 'text', value: '', size: 14, spellcheck: 'false'});
  const text = el('pre', {tabindex: 0, id: 'export-text'}),
    command = el('p', {class: 'soft'}),
    said = el('span', {class: 'soft', role: 'status'});
  const paths = el(
    'span',
    {class: 'paths'},
    el('label', {class: 'choose'}, 'prefix', prefix),
    el('label', {class: 'choose'}, 'suffix', suffix),
  );
  const node = el('details', {class: 'export'}, el('summary', null, 'Take this mixture along'));
  const format = () => exportFormats.find((one) => one.name === select.value);
  const ending = () => {
    const name = format().name;
    if (['csv', 'yaml', 'json'].includes(name)) return name;
    if (['doremi', 'megatron-json'].includes(name)) return 'json';
    if (['litgpt', 'torchtitan', 'huggingface'].includes(name)) return 'py';
    return name.startsWith('megatron') ? 'txt' : 'yaml';
  };
  function show() {
    paths.hidden = !format().paths;
    text.textContent = exportText(format(), names, whatIf.w, prefix.value, suffix.value);
    const where = format().paths
      ? ` --prefix ${shellWord(prefix.value)}${suffix.value ? ` --suffix ${shellWord(suffix.value)}` : ''}`
      : '';
    command.replaceChildren(
      'The same text as that of ',
      el('code', null, `regmix export --mixture mixture.yaml --to ${format().name}${where}`),
      ', mixture.yaml being this mixture as yaml.',
    );
  }
  for (const field of [select, prefix, suffix]) field.addEventListener('input', show);
  const copy = el('button', {type: 'button'}, 'Copy'),
    save = el('button', {type: 'button'}, 'Download');
  copy.addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(text.textContent);
      said.textContent = 'copied';
    } catch (e) {
      getSelection().selectAllChildren(text);
      said.textContent = 'selected: copy it with the keyboard';
    }
  });
  save.addEventListener('click', () => {
    const url = URL.createObjectURL(new Blob([text.textContent], {type: 'text/plain'}));
    el('a', {href: url, download: `mixture.${ending()}`}).click();
    setTimeout(() => URL.revokeObjectURL(url), 1000);
  });
  node.append(
    el('div', {class: 'buttons'}, el('label', {class: 'choose'}, 'as', select), paths, copy, save, said),
    text,
    command,
  );
  node.addEventListener('toggle', () => node.open && show());
  return {
    node,
    show,
    get open() {
      return node.open;
    },
  };
}
