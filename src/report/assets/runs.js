// SPDX-License-Identifier: Apache-2.0
// The runs themselves: the swarm as parallel coordinates, and a table that can be sorted.

const MOST_AXES = 32,
  MOST_LINES = 600;

// The colour of a rank from the best (-1) over the middle (0) to the worst (1).
function rankColor(t) {
  const strength = Math.round(Math.min(1, Math.abs(t)) * 10) * 10;
  return strength === 0 ? 'var(--other)' : `color-mix(in srgb, var(${t < 0 ? '--low' : '--high'}) ${strength}%, var(--other))`;
}

function swarmFigure() {
  const m = runs.metrics.indexOf(target.name);
  const best = (optimum && optimum.mixture) || {},
    prior = (optimum && optimum.prior) || {};
  const ranked = runs.ids
    .map((id, i) => ({id, i, value: m >= 0 ? runs.values[i][m] : null}))
    .filter((r) => isNumber(r.value) && ofLargest(r.i))
    .sort((a, b) => targetSign * (a.value - b.value));
  ranked.forEach((r, k) => (r.t = ranked.length > 1 ? (2 * k) / (ranked.length - 1) - 1 : 0));
  // Of very many runs: the best, the worst, and an even selection of the others.
  const stride = Math.ceil(ranked.length / MOST_LINES);
  const drawn = ranked.filter((r, k) => k % stride === 0 || k < 50 || k >= ranked.length - 50);
  const importance = (d) => best[runs.domains[d]] || 0,
    greatest = (d) => Math.max(...runs.mixtures.map((w) => w[d]), importance(d), prior[runs.domains[d]] || 0);
  const order = runs.domains
    .map((name, d) => d)
    .sort((a, b) => importance(b) - importance(a) || greatest(b) - greatest(a))
    .slice(0, MOST_AXES);
  const axes = order.map((d) => ({name: domainLabel(runs.domains[d]), most: 100 * greatest(d) || 1}));
  const named = (mixture, name, color, dash) =>
    Object.keys(mixture).length
      ? [{shares: order.map((d) => 100 * (mixture[runs.domains[d]] || 0)), color, dash, strong: true, tip: `${name}\n${words(mixture)}`}]
      : [];
  // Runs in the middle are drawn first.
  const lines = [
    ...drawn
      .sort((a, b) => Math.abs(a.t) - Math.abs(b.t))
      .map((r) => ({
        shares: order.map((d) => 100 * runs.mixtures[r.i][d]),
        color: rankColor(r.t),
        tip: `run ${r.id}\n${nameOf(target.name)} ${loss(r.value)}\n${words(Object.fromEntries(runs.domains.map((name, d) => [name, runs.mixtures[r.i][d]])))}`,
      })),
    ...named(prior, 'the prior', 'var(--ink)', [2, 4]),
    ...named(best, 'the optimum', 'var(--ink)', []),
  ];
  const title = 'The mixture of each run';
  return figure(
    'swarm',
    title,
    `Each line is a run${runs.judged ? ' of the largest size' : ''}, and each axis is a domain from 0 to its largest share. The colour is the rank of the run’s ${nameOf(target.name)}. Point at a line to highlight it.` +
      `${order.length < runs.domains.length ? ` Shown are the ${order.length} of ${runs.domains.length} domains with the largest share of the optimum.` : ''}` +
      `${drawn.length < ranked.length ? ` Shown are ${drawn.length} of ${ranked.length} runs.` : ''}`,
    (width) => ({spec: parallel(axes, lines, width, title), rows: lines.length}),
    key(
      ['low', 'best runs'],
      ['other', 'middle'],
      ['high', 'worst runs'],
      Object.keys(best).length ? ['ink', 'the optimum'] : null,
      Object.keys(prior).length ? ['ink dashed', 'the prior'] : null,
    ),
  );
}

const MOST_WEIGHTS = 20,
  MOST_METRICS = 12;

function runsTable() {
  const results = data.results || {},
    waiting = data.waiting || {ids: []};
  const rows = [
    ...runs.ids.map((id, i) => ({id, w: runs.mixtures[i], y: runs.values[i], status: (results[id] || {}).status || 'done'})),
    ...waiting.ids.map((id, i) => ({
      id,
      w: runs.domains.map((name) => waiting.mixtures[i][waiting.domains.indexOf(name)]),
      y: [],
      status: (results[id] || {}).status || 'to be trained',
    })),
  ].map((r) => ({...r, result: results[r.id] || {}}));
  const share = (d) => (optimum && optimum.mixture ? optimum.mixture[runs.domains[d]] || 0 : 0),
    mean = (d) => runs.mixtures.reduce((s, w) => s + w[d], 0) / runs.mixtures.length;
  const weights = runs.domains
    .map((name, d) => d)
    .sort((a, b) => share(b) - share(a) || mean(b) - mean(a))
    .slice(0, MOST_WEIGHTS);
  const metrics = metricNames.filter((name) => runs.metrics.includes(name)).slice(0, MOST_METRICS);
  const any = (of) => rows.some((r) => isNumber(of(r)));
  const columns = [
    {text: 'run', of: (r) => r.id, cell: (r) => ({text: r.id})},
    {text: 'status', of: (r) => r.status, cell: (r) => r.status},
    ...metrics.map((name) => {
      const m = runs.metrics.indexOf(name);
      return {
        text: `${briefMetric(name)}${kindOf(name) ? ' loss' : ''}${isScore(name) ? ' \u2191' : ''}`,
        title: axisOf(name),
        of: (r) => r.y[m],
        cell: (r) => ({text: loss(r.y[m]), class: name === target.name ? 'best' : null}),
      };
    }),
    ...weights.map((d) => ({
      text: `${briefDomain(runs.domains[d])} %`,
      title: `share of ${runs.domains[d]}`,
      of: (r) => r.w[d],
      cell: (r) => fixed(100 * r.w[d], 1),
    })),
    any((r) => r.result.epochs) && {
      text: 'most epochs',
      title: 'how often the run saw the domain that it repeated most',
      of: (r) => r.result.epochs,
      cell: (r) => (isNumber(r.result.epochs) ? {text: `${fixed(r.result.epochs, 2)}×`, title: r.result.most} : '–'),
    },
    any((r) => r.result.wall_s) && {text: 'time', of: (r) => r.result.wall_s, cell: (r) => duration(r.result.wall_s)},
  ].filter(Boolean);
  const left = [
    weights.length < runs.domains.length ? `${weights.length} of ${runs.domains.length} weights` : null,
    metrics.length < runs.metrics.length ? `${metrics.length} of ${runs.metrics.length} metrics` : null,
  ].filter(Boolean);
  return el(
    'div',
    {class: 'block'},
    sortable(`${plural(rows.length, 'run')}`, columns, rows, 15),
    el(
      'p',
      {class: 'soft'},
      `Click on a column head to sort; click again to reverse the order. Weights are in % of the training tokens.${left.length ? ` Shown are ${left.join(' and ')}.` : ''}` +
        `${metrics.some(isScore) ? ' \u2191: higher is better.' : ''}`,
    ),
  );
}

function runsSection() {
  if (!runs || !runs.ids.length) return;
  const chart = swarmFigure();
  section('runs', 'The runs', 'Runs', chart.node, runsTable());
}
