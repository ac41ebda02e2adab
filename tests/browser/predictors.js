// SPDX-License-Identifier: Apache-2.0
// node predictors.js FUNCTIONS.js PAGE QUERIES.csv WANTED.csv: runs the page's own functions.js on the functions inside
// PAGE, and compares what it predicts with what `regmix predict` wrote to WANTED.csv. Speaks TAP, a test a metric.
'use strict';
const fs = require('fs');
const [script, page, queries, wanted] = process.argv.slice(2).map((path) => fs.readFileSync(path, 'utf8'));
const text = /<script type="application\/json" id="functions">([^]*?)<\/script>/.exec(page)[1];
const document = {getElementById: () => ({textContent: text})};
const {fitted, functions} = new Function('document', `${script}\nreturn {fitted, functions};`)(document);
const numbers = (csv) =>
  csv
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => line.split(',').slice(1).map(Number));
const mixtures = numbers(queries),
  truth = numbers(wanted);
const tolerance = 1e-9;

fitted.metrics.forEach(({name, function: file}, m) => {
  const known = functions.find((f) => f.name === name);
  let worst = known ? 0 : Infinity;
  mixtures.forEach((w, i) => {
    const off = known ? Math.abs(known.at(w) / truth[i][m] - 1) : NaN;
    if (!(off <= worst)) worst = off;
  });
  const weight = file.regressor === 'ensemble' ? `, weight ${file.weight.toFixed(3)}` : '';
  console.log(
    `${worst <= tolerance ? '' : 'not '}ok ${m + 1} - page and program predict the same: ${name} (${file.regressor}${weight}); ` +
      `greatest relative difference ${worst}`,
  );
});

// What must have been among them, or the comparison proves less than it says.
const kinds = new Set(fitted.metrics.map(({function: file}) => file.regressor));
const weights = fitted.metrics.map(({function: file}) => file.weight).filter((a) => a !== undefined);
const M = fitted.metrics.length;
const registry = ['ridge', 'trees', 'exp', 'power', 'exposure', 'gp', 'ensemble'];
const tell = (n, ok, what) => console.log(`${ok ? '' : 'not '}ok ${M + n} - ${what}`);
tell(1, registry.every((kind) => kinds.has(kind)), `every kind of regressor was compared: ${[...kinds].join(', ')}`);
tell(2, weights.some((a) => Math.abs(a - 0.5) > 0.1), 'ensembles with other weights than one half were compared');
tell(3, mixtures.length >= 40 && truth.length === mixtures.length, `${mixtures.length} mixtures were compared`);
console.log(`1..${M + 3}`);
