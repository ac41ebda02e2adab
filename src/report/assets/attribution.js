// SPDX-License-Identifier: Apache-2.0
// What optimize computes in addition to the optimum, if optimum.yaml contains it: how certain the gain is, the
// effect of each domain on each metric, the loss without each domain, the gain from more runs, and the
// trade-off between two metrics.

const level = () => `${fixed(100 * (isNumber(optimum.level) ? optimum.level : 0.9), 0)}\u202f%`;
const percents = ([low, high]) =>
  `${percent(Math.max(0, low)).replace(/\u202f%$/, '')}\u2013${percent(high)}`;
const isInterval = (x) => Array.isArray(x) && isNumber(x[0]) && isNumber(x[1]);
const scaled = (x) => x / Math.abs(targetWeight || 1); // a score, in the target's unit
const span = (x) => `${small(scaled(x[0]))} to ${small(scaled(x[1]))}`;

// ---- how sure the gain is ----

// A probability that so many replicates can't resolve is "over" or "under" a bound, as `optimize` prints it.
function chance(p) {
  const least = Math.max(0.005, optimum.replicates > 0 ? 1 / optimum.replicates : 0),
    shown = (x) => `${Number((100 * x).toPrecision(3))}\u202f%`;
  return p > 1 - least ? `over ${shown(1 - least)}` : p < least ? `under ${shown(least)}` : `${fixed(100 * p, 0)}\u202f%`;
}
const mixtureName = (name) =>
  name === 'prior' ? 'the prior' : String(name).replace(/^.*\//, '').replace(/_/g, ' ');

// The gain over the prior: {estimate, corrected, interval, probability}; above 0 is better. corrected: whether the optimism of
// the best of many predictions was removed. null: the gain is unknown.
function expectedGain() {
  const gain = {...optimum.gain, ...(optimum.versus || {}).prior};
  const corrected = isNumber(gain.estimate),
    inside = isInterval(gain.interval) && gain.interval[0] <= gain.predicted && gain.predicted <= gain.interval[1];
  const predicted = [gain.predicted, gain.gain, optimum.score_prior - optimum.score].find(isNumber);
  if (!corrected && !isNumber(predicted)) return null;
  return {
    corrected,
    estimate: scaled(corrected ? gain.estimate : predicted),
    // An older file has the interval of the corrected gain next to an uncorrected gain.
    interval: isInterval(gain.interval) && (corrected || inside) ? gain.interval : null,
    probability: gain.probability,
  };
}

// The search stayed at the prior, so there is no gain to speak of.
const isPrior = () => optimum.method === 'prior';

function gainSentence() {
  if (isPrior())
    return `The answer is the prior (${priorText})${optimum.constraints && Object.keys(optimum.constraints).length ? ' within the constraints' : ''}${
      optimum.why_not ? `: ${optimum.why_not}` : ''
    }. No gain is expected.`;
  const gain = expectedGain();
  if (!gain) return null;
  const sure = [
    gain.interval ? `${level()} interval ${span(gain.interval)}` : null,
    isNumber(gain.probability) ? `better with probability ${chance(gain.probability)}` : null,
  ].filter(Boolean);
  return (
    `${gain.corrected ? 'The expected gain' : 'The gain that the fit predicts'} over the prior (${priorText}) is ` +
    `${withUnit(small(gain.estimate), target.name)}${sure.length ? `: ${sure.join(', ')}` : ''}.` +
    `${gain.corrected ? '' : ' It is not corrected: the best of many predictions looks too good.'}`
  );
}

function versusTable() {
  const rows = Object.entries(optimum.versus || {}).filter(([, row]) => row && isNumber(row.gain));
  if (!rows.length) return null;
  const unit = unitOf(target.name) ? ` (${unitOf(target.name)})` : '';
  return table(
    'The optimum compared with other mixtures, as predicted',
    [
      'compared with',
      {text: `expected gain${unit}`, title: 'corrected, since the best of many predictions looks too good'},
      `${level()} interval`,
      'probability of being better',
      {text: 'predicted gain', title: 'as the fit predicts it, not corrected'},
    ],
    rows.map(([name, row]) => [
      {text: mixtureName(name), title: name},
      isNumber(row.estimate) ? signed(scaled(row.estimate)) : '–',
      isInterval(row.interval) ? span(row.interval) : '–',
      isNumber(row.probability) && row.verdict !== 'the same mixture' ? chance(row.probability) : row.verdict || '–',
      signed(scaled(row.gain)),
    ]),
  );
}

// ---- what each domain does ----

function attributionParts() {
  const attribution = optimum && optimum.attribution;
  if (!attribution) return [];
  const places = [
    ['optimum', 'at the optimum'],
    ['prior', 'at the prior'],
  ].filter(([key]) => attribution[key] && Object.keys(attribution[key]).length);
  const parts = [];
  const share = (domain) => (optimum.mixture || {})[domain] || 0;
  const byShare = (domains) => domains.sort((a, b) => share(b) - share(a));
  let few = true;
  if (places.length) {
    let place = places[0][0];
    const named = Object.keys(attribution[place]);
    const wanted = Object.keys(target.weights).filter((m) => named.includes(m));
    const allColumns = [...(wanted.length > 1 ? [WEIGHTED] : []), ...new Set([...wanted, ...named])];
    const domains = byShare(Object.keys(attribution[place][named[0]]));
    few = allColumns.length <= 5;
    const value = (metric, domain) =>
      metric === WEIGHTED
        ? wanted.reduce((s, m) => s + target.weights[m] * attribution[place][m][domain], 0)
        : (attribution[place][metric] || {})[domain];
    const title = () => `Effect of 1\u202f% more of a domain, ${places.find(([key]) => key === place)[1]}`;
    const draw = (width) => {
      const columns = allColumns.slice(0, columnsWithin(width));
      heat.setNote(note + (columns.length < allColumns.length ? ` Shown are ${columns.length} of ${allColumns.length} metrics.` : ''));
      const greatest = Math.max(
        ...columns.flatMap((m) => domains.map((d) => Math.abs(value(m, d)) || 0)),
        1e-12,
      );
      const cells = domains.flatMap((d) =>
        columns.map((m) => {
          const x = value(m, d);
          return {
            row: domainLabel(d),
            column: metricLabel(m),
            value: isNumber(x) ? Math.sign(x) * Math.sqrt(Math.abs(x) / greatest) : NaN,
            label: isNumber(x) && !/^[\u2212.0]*$/.test(briefly(x, greatest)) ? briefly(x, greatest) : '',
            tip: `1\u202f% of the tokens moved to ${d} from all others,\n${place === 'prior' ? 'from the prior' : 'from the optimum'}:\n${m} ${x > 0 ? '+' : ''}${fixed(x, 5)} ${unitOf(m)}`,
          };
        }),
      );
      return {
        spec: heatMap(cells, domains.map(domainLabel), columns.map(metricLabel), width, title(), 'domain'),
        rows: cells.length,
      };
    };
    const note =
      'Predicted change of each metric when 1\u202f% of all tokens is moved to the domain, in proportion from all others. The domains are sorted by their share of the optimum.';
    const heat = figure(
      'attribution',
      title(),
      note,
      draw,
      el(
        'p',
        null,
        'falls',
        el('span', {class: 'ramp', role: 'img', 'aria-label': 'blue to orange'}),
        'rises with more of the domain (the colour shows the square root of the change)',
      ),
    );
    const select = el(
      'select',
      null,
      places.map(([key, text]) => el('option', {value: key}, text)),
    );
    select.addEventListener('change', () => {
      place = select.value;
      heat.setTitle(title());
      heat.update();
    });
    if (places.length > 1)
      heat.node.querySelector('figcaption').append(el('label', {class: 'choose'}, 'Shown', select));
    parts.push(heat.node);
  }
  const without = Object.entries(attribution.without || {}).filter(([, x]) => x && isNumber(x.loss));
  if (without.length) {
    const order = byShare(without.map(([domain]) => domain)),
      of = Object.fromEntries(without);
    const rows = order.map((d) => {
      const x = scaled(of[d].loss);
      return {
        name: domainLabel(d),
        value: x,
        label: small(x),
        tip: `without ${d}\nthe best mixture is ${small(x)} ${unitOf(target.name)} worse`,
      };
    });
    const title = 'Loss of the optimum without a domain';
    parts.push(
      figure(
        'without',
        title,
        'For each domain the best mixture is searched again with its share held at 0.',
        (width) => ({
          spec: bars(
            rows,
            width,
            title,
            `loss${unitOf(target.name) ? ` (${unitOf(target.name)})` : ' of the score'}`,
          ),
          rows: rows.length,
        }),
      ).node,
    );
  }
  return parts.length > 1 && few ? [el('div', {class: 'pair'}, parts)] : parts;
}

// Enough decimals for two digits of the largest value of a table; a true minus sign.
function briefly(x, greatest) {
  const decimals = Math.min(6, Math.max(2, 1 - Math.floor(Math.log10(greatest))));
  return fixed(x, decimals);
}

// ---- would more runs help? ----

function learningPart() {
  const curve = optimum && optimum.learning_curve;
  if (!curve || !Array.isArray(curve.runs) || curve.runs.length < 2) return null;
  const kinds = [
    ['rmse', 'error of the score on unseen runs', 'main'],
    ['regret', 'regret: how much worse the run with the best prediction is', 'accent'],
  ].filter(([key]) => Array.isArray(curve[key]) && curve[key].some(isNumber));
  const rows = kinds.flatMap(([key, text, color]) =>
    curve.runs
      .map((n, i) => ({
        x: n,
        y: curve[key][i],
        kind: key,
        color: `var(--${color})`,
        tip: `fitted on ${n} runs\n${text} ${small(curve[key][i])}${(curve.spearman || []).length ? `\nSpearman ${fixed(curve.spearman[i], 3)}` : ''}`,
      }))
      .filter((r) => isNumber(r.y)),
  );
  const title = 'Would more runs help?';
  return figure(
    'learning',
    title,
    typeof curve.sentence === 'string' ? `${curve.sentence.replace(/\.$/, '')}.` : null,
    (width) => ({
      spec: series(
        rows,
        Math.min(width, 620),
        title,
        'runs fitted',
        `score${unitOf(target.name) ? ` (${unitOf(target.name)})` : ''}`,
      ),
      rows: rows.length,
    }),
    key(...kinds.map(([, text, color]) => [color, text])),
  ).node;
}

// ---- the trade-off between two metrics ----

// The two metrics: those in the file, or the only two that are predicted, or the target's two if each is monotonic along
// the front, as it must be.
function frontOf(points) {
  const all = Object.keys(points[0].predicted),
    wanted = Object.keys(target.weights).filter((m) => all.includes(m));
  const oneWay = (m) => {
    const steps = points.slice(1).map((p, i) => p.predicted[m] - points[i].predicted[m]);
    return steps.every((x) => x <= 1e-9) || steps.every((x) => x >= -1e-9);
  };
  if (Array.isArray(points[0].metrics)) return points[0].metrics;
  if (all.length === 2) return all;
  return wanted.length === 2 && wanted.every(oneWay) ? wanted : null;
}

function paretoPart() {
  const points =
    optimum && Array.isArray(optimum.pareto) ? optimum.pareto.filter((p) => p && p.predicted) : [];
  if (points.length < 2) return null;
  const pair = frontOf(points);
  if (!pair) return null;
  const [a, b] = pair;
  const rows = points.map((p) => ({
    x: p.predicted[a],
    y: p.predicted[b],
    kind: 'front',
    color: 'var(--main)',
    tip:
      `${isNumber(p.share) ? `weight ${percent(p.share)}\n` : ''}${metricLabel(a)} ${loss(p.predicted[a])}\n${metricLabel(b)} ${loss(p.predicted[b])}` +
      `${p.mixture ? `\n${words(p.mixture)}` : ''}`,
  }));
  const at = (predicted, color, what) =>
    predicted && isNumber(predicted[a]) && isNumber(predicted[b])
      ? [
          {
            x: predicted[a],
            y: predicted[b],
            kind: what,
            color,
            tip: `${what}\n${metricLabel(a)} ${loss(predicted[a])}\n${metricLabel(b)} ${loss(predicted[b])}`,
          },
        ]
      : [];
  const shown = [
    ...rows,
    ...at(optimum.predicted_prior, 'var(--other)', 'the prior'),
    ...at(optimum.predicted, 'var(--accent)', 'the optimum'),
  ];
  const title = `Pareto front of ${metricLabel(a)} and ${metricLabel(b)}`;
  return figure(
    'pareto',
    title,
    'Each dot of the line is the best predicted mixture for some weights of the two metrics. No mixture is predicted to be better in both.',
    (width) => ({spec: series(shown, Math.min(width, 620), title, axisOf(a), axisOf(b)), rows: shown.length}),
    key(
      ['main', 'best for some weights'],
      shown.some((r) => r.kind === 'the optimum') ? ['accent', 'the optimum'] : null,
      shown.some((r) => r.kind === 'the prior') ? ['other', 'the prior'] : null,
    ),
  ).node;
}
