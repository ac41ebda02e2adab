// SPDX-License-Identifier: Apache-2.0
// gguf.mjs REGMIX MODEL NODE_MODULES: gives a model as GGUF files to llama.cpp (npm's node-llama-cpp
// and @node-llama-cpp/linux-x64), and compares the tokens of texts in eight scripts and what comes
// next after them with `regmix encode` and `regmix logits`. Exit status 1: they differ by more than
// 1e-3 in a probability (q8_0: 1e-2), or in a token.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync, existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { createRequire } from "node:module";
import path from "node:path";

const [regmix, model, modules] = process.argv.slice(2).map((p) => path.resolve(p));
const entry = path.join(modules, "node-llama-cpp/dist/index.js");
const { getLlama } = await import(entry);
const folder = mkdtempSync(path.join(tmpdir(), "gguf-"));
const texts = ["The history of the town is long, and it's well-known: 1,234 people!\n\n  Two  lines.",
  "Die Größe der Straße überrascht; naïve Gäste.", "Быстрая лиса прыгает через ленивую собаку.",
  "敏捷的棕色狐狸跳过懒狗。", "素早い茶色の狐が飛び越える。", "الثعلب البني السريع", "तेज़ भूरी लोमड़ी कूदती है", "빠른 갈색 여우가 뛴다",
  "Η γρήγορη αλεπού", "for (int i = 0; i < n; i++) { x[i] += 3.14; } // 🙂"];

const tokenizer = [".", "..", "../..", "../../.."].map((p) => path.join(model, p, "tokenizer.json")).find(existsSync);
const idsOf = (text) => {
  writeFileSync(path.join(folder, "text"), text);
  const out = execFileSync(regmix, ["encode", "--tokenizer", tokenizer, "--whole", path.join(folder, "text")], { encoding: "utf8" });
  return out.trim().split(/\s+/).map(Number);
};
const logitsOf = (ids) => { // of what follows the last one
  execFileSync(regmix, ["logits", "--model", model, "--out", path.join(folder, "l.npy")], { input: ids.join(" ") + "\n" });
  const file = readFileSync(path.join(folder, "l.npy"));
  const all = new Float32Array(file.buffer.slice(file.byteOffset + 128, file.byteOffset + file.length));
  return all.slice(all.length - all.length / ids.length);
};
const softmax = (x) => {
  const max = x.reduce((a, b) => Math.max(a, b), -Infinity);
  const e = Array.from(x, (v) => Math.exp(v - max));
  const sum = e.reduce((a, b) => a + b, 0);
  return e.map((v) => v / sum);
};

const llama = await getLlama({ gpu: false, build: "never", logLevel: "error" });
let bad = 0;
for (const type of ["f32", "f16", "bf16", "q8_0"]) {
  const file = path.join(folder, `${type}.gguf`);
  execFileSync(regmix, ["export", "--model", model, "--to", "gguf", "--type", type, "--out", file]);
  const loaded = await llama.loadModel({ modelPath: file });
  const context = await loaded.createContext({ contextSize: 256 });
  const sequence = context.getSequence();
  let tokens = 0, worst = 0;
  for (const text of texts) {
    const ours = idsOf(text), theirs = Array.from(loaded.tokenize(text, false));
    if (ours.join() !== theirs.join()) {
      tokens++;
      console.log(`  ${JSON.stringify(text)}: ${ours.join(" ")} and ${theirs.join(" ")}`);
    }
    const some = ours.slice(0, 60);
    await sequence.clearHistory();
    const input = some.map((t, i) => (i + 1 === some.length ? [t, { generateNext: { probabilities: true } }] : t));
    const result = await sequence.controlledEvaluate(input);
    const theirP = result[some.length - 1].next.probabilities, p = softmax(logitsOf(some));
    for (const [token, q] of theirP) worst = Math.max(worst, Math.abs(q - p[token]));
  }
  const limit = type === "q8_0" ? 1e-2 : 1e-3;
  if (tokens || !(worst < limit)) bad = 1;
  console.log(`${type}: ${texts.length} texts, ${tokens} with other tokens; largest difference of a probability ${worst.toExponential(1)}`);
  await context.dispose();
  await loaded.dispose();
}
process.exit(bad);
