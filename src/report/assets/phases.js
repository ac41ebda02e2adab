// SPDX-License-Identifier: Apache-2.0
// A run in phases has a mixture for each of its phases. The fit knows phase_0_NAME, phase_1_NAME and so on, which
// together sum to one; a reader wants the mixture of each phase, and how often a domain is read in all of them.

const phases = (optimum && Array.isArray(optimum.phases) && optimum.phases) || [];

function phasesSentence() {
  const said = phases.map(({share, mixture}, k) => `In phase ${k} (${percent(share)} of the tokens) train on ${words(mixture)}.`);
  return said.join(' ');
}

function phasesTable() {
  const names = [...new Set(phases.flatMap(({mixture}) => Object.keys(mixture)))];
  const whole = wholeRun(optimum.mixture);
  return table(
    'The mixture of each phase',
    ['domain', ...phases.map(({share}, k) => ({text: `phase ${k}`, title: `${percent(share)} of the tokens`})), 'of all tokens'],
    names.sort((a, b) => whole[b] - whole[a]).map((name) => [name, ...phases.map(({mixture}) => percent(mixture[name] || 0)), percent(whole[name] || 0)]),
  );
}

// The share of each domain in all phases together, of a mixture by the names of the fit.
function wholeRun(mixture) {
  if (!phases.length) return mixture;
  const sums = {};
  for (const [name, w] of Object.entries(mixture)) sums[plainName(name)] = (sums[plainName(name)] || 0) + w;
  return sums;
}
