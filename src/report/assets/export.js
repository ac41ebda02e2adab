// SPDX-License-Identifier: Apache-2.0
// A mixture as each trainer reads it: the texts of `regmix export`, byte for byte, from the same templates
// (src/export/formats; tests/browser compares the texts). At the end the part of the page that shows, copies and saves
// them.

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

// ---- templates: src/export/template.c has their syntax, and this is the same function ----

const shellText = (text) => `'${text.replace(/'/g, "'\\''")}'`;
const asWritten = {quoted, yaml: yamlText, key: (text, indent) => yamlKey(indent, text).slice(indent.length), csv: csvField, shell: shellText};
const sourceFields = {
  name: (s) => s.name,
  valid_name: (s) => s.name.replace(/^train_/, 'valid_'),
  path: (s) => s.path,
  where: (s) => (s.path.includes('://') ? 'remote' : 'local'),
  weight: (s) => exportNumber(s.weight),
  passes: () => '1.0',
};

// The lines of a template as a tree: texts, and {each: lines} or {if: condition, yes: lines, no: lines}.
function templateTree(lines) {
  const block = [];
  while (lines.length) {
    const line = lines.shift();
    if (line.startsWith('%%')) continue;
    if (line === '%end' || line === '%else') return {block, ended: line};
    if (line === '%each') block.push({each: templateTree(lines).block});
    else if (line.startsWith('%if ')) {
      const yes = templateTree(lines);
      block.push({yes: yes.block, no: yes.ended === '%else' ? templateTree(lines).block : []});
    } else block.push(line);
  }
  return {block};
}

function filledLine(line, blend, source, left) {
  const joined = line.endsWith('\\');
  const text = (joined ? line.slice(0, -1) : line).replace(/<<(?:\|(.*?)|([a-z_]+)(?::([a-z]+))?)>>/g, (all, between, field, how) => {
    if (between !== undefined) return left > 0 ? between : '';
    const value = source && sourceFields[field] ? sourceFields[field](source) : String(blend[field]);
    return how ? asWritten[how](value, line.match(/^ */)[0]) : value;
  });
  return joined ? text : `${text}\n`;
}

// This page knows neither validation data nor the number of training tokens, so every condition is false.
function filledBlock(block, blend, source, left) {
  return block
    .map((part) => {
      if (typeof part === 'string') return filledLine(part, blend, source, left);
      if (part.each)
        return blend.sources.map((s, i) => filledBlock(part.each, blend, s, blend.sources.length - i - 1)).join('');
      return filledBlock(part.no, blend, source, left);
    })
    .join('');
}

const filledTemplate = (template, blend) =>
  filledBlock(templateTree(template.replace(/\n$/, '').split('\n')).block, blend, null, 0);

// The formats of the program: {name, help, paths, no_zeros, documents, template}.
const exportFormats = (fitted && fitted.formats) || [];

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
  // A block of the trainers that draw in blocks has a whole sequence of the least source.
  const least = Math.min(1, ...sources.map((s) => s.weight));
  let block_size = 2048;
  while (block_size < 32768 && block_size * least < 1) block_size *= 2;
  return filledTemplate(format.template, {sources, unit, block_size});
}

// ---- export of the mixture ----

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
  const node = el('details', {class: 'export'}, el('summary', null, 'Export this mixture'));
  const format = () => exportFormats.find((one) => one.name === select.value);
  const ending = () => {
    const name = format().name;
    if (['csv', 'yaml', 'json'].includes(name)) return name;
    if (['doremi', 'megatron-json', 'maxtext'].includes(name)) return 'json';
    if (/^(from|SOURCES|# .*\nSOURCES)/m.test(text.textContent)) return 'py';
    return name.startsWith('megatron') || name === 'dclm' ? 'txt' : 'yaml';
  };
  function show() {
    paths.hidden = !format().paths;
    text.textContent = exportText(format(), names, whatIf.w, prefix.value, suffix.value);
    const where = format().paths
      ? ` --prefix ${shellWord(prefix.value)}${suffix.value ? ` --suffix ${shellWord(suffix.value)}` : ''}`
      : '';
    command.replaceChildren(
      'This is the output of ',
      el('code', null, `regmix export --mixture mixture.yaml --to ${format().name}${where}`),
      ' if mixture.yaml contains this mixture as yaml.',
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
      said.textContent = 'selected; copy it with the keyboard';
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
