#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
//
// tokenizers.js REGMIX TOKENIZERS NODE_MODULES [TEXT...]: regmix encode beside Hugging Face's encoder.
//
//   REGMIX        the program
//   TOKENIZERS    a folder of tokenizer files, or one file: tokenizer.json by any name, and cl100k_base.tiktoken and the like
//   NODE_MODULES  a folder with the npm packages tokenizers (Hugging Face's native encoder) and js-tiktoken
//   TEXT          files of text for the speeds, some megabytes each; without them no speed is measured
//
// For each file: the ids of some 40,000 generated cases are compared; then both encode TEXT in turn, on one thread, ROUNDS times
// (5), and the medians of the processor time are printed; then both load the file, timed by the clock. STEPS="ids speed load":
// which of the three. A table row for each, and the first differences. Exit status 1 if ids differ.
'use strict';
const fs = require('fs'), os = require('os'), path = require('path'), { spawnSync } = require('child_process');

process.env.TOKENIZERS_PARALLELISM = 'false';  // one thread
const [regmix, where, modules, ...texts] = process.argv.slice(2);
if (!modules) {
  console.error('usage: tokenizers.js REGMIX TOKENIZERS NODE_MODULES [TEXT...]');
  process.exit(2);
}
const steps = (process.env.STEPS || 'ids speed load').split(' '), rounds = +(process.env.ROUNDS || 5);
const package_of = name => require(path.resolve(modules, name));
const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'tokenizers-'));
process.on('exit', () => fs.rmSync(scratch, { recursive: true }));

// ---- cases: texts. Each byte that is not UTF-8 counts as U+FFFD, as regmix reads it.

let seed = 12345;
const draw = n => {  // Numerical Recipes' generator: the same cases each time
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return Math.floor(seed / 4294967296 * n);
};
const pick = list => list[draw(list.length)];

function repaired(bytes) {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  let text = '';
  for (let at = 0; at < bytes.length;) {
    let good = 0;
    for (let n = 4; n > 0 && !good; n--) {
      const part = bytes.subarray(at, at + n);
      if (part.length < n || (n > 1) !== (part[0] >= 0x80)) continue;
      try {
        const one = decoder.decode(part);
        if ([...one].length === 1) { text += one; good = n; }
      } catch { /* not a character of this length */ }
    }
    if (!good) text += '\uFFFD';
    at += good || 1;
  }
  return text;
}

// Every character in three contexts; from U+20000 on, where there are only rare East Asian, private and no characters, every 16th.
function* characters() {
  const contexts = [c => `a${c}b `, c => ` ${c}${c}1`, c => `1${c} .${c}x\n`];
  for (const context of contexts)
    for (let first = 0; first < 0x110000; first += 128) {
      let text = '';
      for (let c = first; c < first + 128; c += first >= 0x20000 ? 16 : 1)
        if (c < 0xD800 || c > 0xDFFF) text += context(String.fromCodePoint(c));
      if (text) yield text;
    }
}

const scripts = {
  english: "The quick brown fox doesn't jump; it's 12,345 dogs' \"lazy\" co-operation (isn't it?) I'll we've WE'RE",
  german: 'Straßenbahn Übergröße Fußgängerüberführung daß es naïve Café Äpfel äußerst Donaudampfschiff',
  japanese: '日本語のテキスト、東京タワーへ行きました。カタカナとひらがなと漢字 ﾊﾝｶｸ １２３',
  chinese: '中文文本分词器测试，北京大学。繁體字也要測試！一二三 ２０２６年',
  arabic: 'النص العربي مع حركات مُحَمَّد ١٢٣٤ والأرقام، هل هذا صحيح؟',
  hindi: 'हिन्दी पाठ में संयुक्ताक्षर क्षत्रिय ज्ञान १२३ है।',
  korean: '한국어 텍스트 조합형 각 한글 자모 ㄱㄴㄷ 2026년',
  thai: 'ภาษาไทยไม่มีช่องว่างระหว่างคำ ๑๒๓ ครับ',
  hebrew: 'טקסט בעברית עִם נִקּוּד 123',
  russian: "Русский текст с ёлками, 12 345 рублей и «кавычками» — тире Ё И\u0306",
  emoji: '😀👨‍👩‍👧‍👦🇩🇪🏳️‍🌈 ☕️ 1️⃣ ✨🎉 e\u0301 n\u0303 ﬁ Ⅷ ½ ² ™ Å',
  code: 'int main(void) {\n\treturn f(x, y)[i] != 0 ? a->b : c::d; // TODO: 0x1F\n}\n\n    def f(self): pass  # x == 1\r\n',
  spaces: ' \t\n\r\n   \u00a0\u3000\u2003\v\f  \u0085 \u2028 \u200b \ufeff \u180e ',
};
const pieces = Object.values(scripts).flatMap(text => text.split(/(?<= )/));

function* generated() {
  for (const text of Object.values(scripts)) yield text, yield text.normalize('NFD'), yield text.toUpperCase(), yield text + ' ' + text;
  for (let i = 0; i < 16000; i++) {
    let text = '';
    for (let n = draw(12) + 1; n; n--) text += draw(4) ? pick(pieces) : pick([...pick(pieces)]);
    yield text;
  }
  for (let i = 0; i < 3000; i++) {
    const bytes = Buffer.alloc(draw(40) + 1);
    for (let j = 0; j < bytes.length; j++) bytes[j] = draw(3) ? draw(128) : draw(256);
    yield repaired(bytes);
  }
  for (let i = 0; i < 1000; i++) {
    let text = '';
    for (let n = draw(30) + 1; n; n--) text += String.fromCharCode(32 + draw(95));
    yield text;
  }
}

function* long_cases() {
  yield ' '.repeat(1e6), yield '\n'.repeat(1e6), yield ' '.repeat(1e6) + 'x', yield 'a'.repeat(1e5), yield '=-'.repeat(5e4);
  let word = '';
  const letters = 'etaoinshrdlucmfwypvbgkqjxz';
  while (word.length < 1e7) word += letters[Math.min(draw(26), draw(26))];
  yield word;
  for (const file of texts) yield fs.readFileSync(file).subarray(0, 200000).toString('latin1').replace(/[\x80-\xff]/g, 'é');
}

// ---- the two encoders

function ours(tokenizer, cases, specials) {
  const lines = [], whole = [];
  cases.forEach((text, i) => (text.includes('\n') ? whole : lines).push(i));
  const ids = [], run = (indices, options, write) => {
    if (!indices.length) return;
    const files = write();
    const done = spawnSync(regmix, ['encode', '--tokenizer', tokenizer, '--specials', specials, '--threads', '1', ...options, ...files],
                           { maxBuffer: 1 << 30 });
    if (done.status !== 0) throw new Error(done.stderr.toString().trim().split('\n').pop());
    const rows = done.stdout.toString().split('\n');
    indices.forEach((index, row) => { ids[index] = rows[row]; });
  };
  const file = i => path.join(scratch, `case-${i}`);
  run(lines, [], () => {
    fs.writeFileSync(file(0), lines.map(i => cases[i] + '\n').join(''));
    return [file(0)];
  });
  for (let from = 0; from < whole.length; from += 2000) {
    const some = whole.slice(from, from + 2000);
    run(some, ['--whole'], () => some.map((index, i) => { fs.writeFileSync(file(i + 1), cases[index]); return file(i + 1); }));
  }
  return ids;
}

function peer_of(file) {
  if (file.endsWith('.json')) {
    const { Tokenizer } = package_of('tokenizers'), t = Tokenizer.fromFile(file);
    return {
      name: 'Hugging Face',
      specials: 'tokens',
      async encode(cases) {
        const ids = [];
        for (let i = 0; i < cases.length; i += 32)
          for (const e of await t.encodeBatch(cases.slice(i, i + 32), { addSpecialTokens: false })) ids.push(e.getIds().join(' '));
        return ids;
      },
    };
  }
  const rank = /(cl100k_base|o200k_base|p50k_base|r50k_base)/.exec(file);
  if (!rank) return null;
  const { Tiktoken } = package_of('js-tiktoken'), t = new Tiktoken(package_of(`js-tiktoken/dist/ranks/${rank[1]}.cjs`));
  return { name: 'js-tiktoken', specials: 'text', async encode(cases) { return cases.map(text => t.encode(text, [], []).join(' ')); } };
}

// ---- what is compared

const median = list => list.sort((a, b) => a - b)[list.length >> 1];

async function compare_ids(name, file, peer, cases, slow) {
  let differences = 0;
  const of_peer = await peer.encode(cases), of_ours = ours(file, cases, peer.specials);
  cases.forEach((text, i) => {
    if (of_ours[i] === of_peer[i]) return;
    if (differences++ >= 3) return;
    const a = of_ours[i].split(' '), b = of_peer[i].split(' '), at = a.findIndex((id, k) => id !== b[k]);
    console.log(`  ${name}: ${JSON.stringify(text.slice(0, 60))}: token ${at}: ours ${a.slice(at, at + 5)}, ${peer.name} ${b.slice(at, at + 5)}`);
  });
  return differences;
}

function documents(file) {
  const text = fs.readFileSync(file, 'utf8'), list = [];
  for (let from = 0; from < text.length;) {
    const feed = text.indexOf('\n', from + 4000), to = feed < 0 ? text.length : feed + 1;
    list.push(text.slice(from, to));
    from = to;
  }
  return list;
}

async function compare_speed(file, peer, text) {
  const list = documents(text), bytes = fs.statSync(text).size, speeds = [[], []];
  for (let round = 0; round < rounds; round++) {
    const done = spawnSync(regmix, ['encode', '--tokenizer', file, '--threads', '1', '--whole', '--json', text]);
    if (done.status !== 0) throw new Error(done.stderr.toString().trim());
    speeds[0].push(JSON.parse(done.stdout).mb_per_processor_s);
    const before = process.cpuUsage();
    const some = list.slice(0, Math.ceil(list.length * Math.min(1, 2e6 / bytes)));  // the peer is slow: some megabytes are enough
    await peer.encode(some);
    const used = process.cpuUsage(before);
    speeds[1].push(Buffer.byteLength(some.join('')) / (used.user + used.system));
  }
  return speeds.map(median);
}

function compare_load(file, peer) {
  const times = [[], []];
  for (let round = 0; round < rounds; round++) {
    const done = spawnSync(regmix, ['encode', '--tokenizer', file, '--json'], { input: '' });
    if (done.status !== 0) throw new Error(done.stderr.toString().trim());
    times[0].push(JSON.parse(done.stdout).load_seconds);
    const before = performance.now();
    peer_of(file);
    times[1].push((performance.now() - before) / 1000);
  }
  return times.map(median);
}

async function main() {
  const files = fs.statSync(where).isDirectory() ? fs.readdirSync(where).sort().map(name => path.join(where, name)) : [where];
  const cases = steps.includes('ids') ? [...characters(), ...generated()] : [], long = steps.includes('ids') ? [...long_cases()] : [];
  let bad = 0;
  for (const file of files) {
    const name = path.basename(file).replace(/\.json$/, '');
    let peer;
    try {
      peer = peer_of(file);
      ours(file, ['a'], 'text');
    } catch (e) {
      console.log(`| ${name} | not read: ${String(e.message).slice(0, 160)} |`);
      continue;
    }
    if (!peer) {
      console.log(`| ${name} | read; no peer |`);
      continue;
    }
    try {
      if (steps.includes('ids')) {
        const differ = await compare_ids(name, file, peer, cases), differ_long = await compare_ids(name, file, peer, long);
        bad += differ + differ_long;
        console.log(`| ${name} | ${peer.name} | ${cases.length + long.length} cases | ${differ + differ_long} differ |`);
      }
      for (const text of steps.includes('speed') ? texts : []) {
        const [us, them] = await compare_speed(file, peer, text);
        console.log(`| ${name} | ${path.basename(text)} | ${us.toFixed(1)} MB/s | ${peer.name} ${them.toFixed(2)} MB/s | ${(us / them).toFixed(0)} times |`);
      }
      if (steps.includes('load')) {
        const [us, them] = compare_load(file, peer);
        console.log(`| ${name} | load | ${us.toFixed(2)} s | ${peer.name} ${them.toFixed(2)} s |`);
      }
    } catch (e) {
      bad++;
      console.log(`| ${name} | fails: ${e.message} |`);
    }
  }
  process.exitCode = bad ? 1 : 0;
}
main();
