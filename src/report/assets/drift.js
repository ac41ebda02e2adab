// SPDX-License-Identifier: Apache-2.0
// Runs of several sizes: the size that the answer is for, how the best mixture moves on the way
// there, and whether the smallest size would have been enough.

const MOST_MOVED = 8;

// "1.2 G parameters, 100 G tokens": what the optimum is for; null where the runs have one size.
const answerSize = () =>
  optimum && optimum.for ? sizeOf(optimum.for.size > 0 ? optimum.for.size : NaN, optimum.for.tokens > 0 ? optimum.for.tokens : NaN) : null;

// The sentence with the names that the table has.
function brief(drift) {
  const names = drift.sizes[0].outside || [];
  return drift.sentence.replace(names.join(', '), () => names.map(briefDomain).join(', '));
}

function driftPart() {
  const drift = optimum && optimum.drift;
  if (!drift || !Array.isArray(drift.sizes) || !drift.sizes.length) return null;
  const rows = [...drift.sizes, {size: drift.size, tokens: drift.tokens, mixture: optimum.mixture, own: true}];
  const range = (name) => {
    const shares = rows.map((r) => r.mixture[name] || 0);
    return Math.max(...shares) - Math.min(...shares);
  };
  const names = Object.keys(optimum.mixture)
    .sort((a, b) => range(b) - range(a))
    .slice(0, MOST_MOVED);
  const unit = unitOf(target.name) ? ` (${unitOf(target.name)})` : '';
  const list = table(
    `How the best mixture moves with the size${Object.keys(optimum.mixture).length > names.length ? `: the ${names.length} domains that move most` : ''}`,
    [
      {text: 'best for', title: 'parameters without embeddings, tokens'},
      ...names.map((name) => ({text: briefDomain(name), title: name})),
      {text: 'moved', title: 'share of the tokens that differ from the mixture of the answer'},
      {text: `gain of the answer on it${unit}`, title: 'at the size that the answer is for'},
      `${level()} interval`,
    ],
    rows.map((r) => [
      `${sizeOf(r.size > 0 ? r.size : NaN, r.tokens > 0 ? r.tokens : NaN)}${r.own ? ' (the answer)' : ''}`,
      ...names.map((name) => ({text: percent(r.mixture[name] || 0), class: (r.outside || []).includes(name) ? 'best' : null})),
      r.own ? '–' : percent(r.moved),
      r.gain && isNumber(r.gain.estimate) ? signed(scaled(r.gain.estimate)) : '–',
      r.gain && isInterval(r.gain.interval) ? span(r.gain.interval) : '–',
    ]),
    (i) => (rows[i].own ? 'main' : null),
  );
  return el(
    'div',
    {class: 'block'},
    el('h3', null, 'Does the size matter?'),
    typeof drift.sentence === 'string' ? el('p', null, brief(drift)) : null,
    list,
    el(
      'p',
      {class: 'soft'},
      'Sizes are parameters without embeddings. A bold share is outside the interval of the answer. A gain whose interval includes 0 does not show that the size matters.',
    ),
  );
}
