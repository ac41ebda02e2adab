// SPDX-License-Identifier: Apache-2.0
// The answer: the optimum with its expected gain, and the measurements on large models.

// ---- 1. the answer ----

// With more domains than that the chart shows nodes: of a name, what comes before its first ":" or "/".
const MOST_BARS = 40;
// The node of each name; the name itself if it is alone in its node.
function nodesOf(names) {
  const part = (name) => (/^[^:/]+(?=[:/][^:/])/.exec(name) || [name])[0];
  const size = {};
  for (const name of names) size[part(name)] = (size[part(name)] || 0) + (part(name) === name ? 0 : 1);
  const known = new Set(names);
  return Object.fromEntries(
    names.map((name) => {
      const node = part(name);
      return [name, node === name || size[node] < 2 ? name : known.has(node) ? `${node}:` : node];
    }),
  );
}
function folded(map, node) {
  const sums = {};
  for (const [name, w] of Object.entries(map)) sums[node[name] || name] = (sums[node[name] || name] || 0) + w;
  return sums;
}

const comparisonRows = data.comparison ? data.comparison.rows || [] : [];
function rowLabel(row) {
  if (row.name === 'best_single' && row.domain) return `only ${domainLabel(row.domain)}`;
  if (row.name === 'best_run' && row.run) return `best run (${row.run})`;
  return String(row.name)
    .replace(/^single:(.*)$/, (all, name) => `only ${domainLabel(name)}`)
    .replace(/_/g, ' ');
}
// Rows that were measured, the best target first.
const measuredRows = comparisonRows
  .filter((r) => r.target_loss && isNumber(r.target_loss.mean))
  .sort((a, b) => a.target_loss.mean - b.target_loss.mean);
// A target of scores alone is compared with negative weights; a person reads the scores.
const comparedWeights = Object.values((data.comparison || {}).target || {});
const comparedSign = comparedWeights.length && comparedWeights.every((w) => w < 0) ? -1 : 1;
const reached = (row) => comparedSign * row.target_loss.mean;
// The difference of a row to the optimum, in this sign.
const shownGap = ({mean, low, high, ...rest}) =>
  comparedSign < 0
    ? {...rest, mean: -mean, low: isNumber(high) ? -high : high, high: isNumber(low) ? -low : low}
    : {...rest, mean, low, high};
const gapOf = (name) => (measuredRows.find((r) => r.name === name) || {}).against_optimum;

// "213 k parameters, 614 k tokens": the size of the models that a number comes from.
const sizeOf = (parameters, tokens) =>
  [
    isNumber(parameters) ? `${count(parameters)} parameters` : null,
    isNumber(tokens) ? `${count(tokens)} tokens` : null,
  ]
    .filter(Boolean)
    .join(', ');
const largeSize = () => sizeOf((data.large || {}).parameters, (data.comparison || {}).tokens || (data.large || {}).tokens);
function proxySize() {
  const p = data.proxies || {};
  return sizeOf(p.parameters, p.done > 0 ? p.tokens / p.done : fit && fit.run_tokens > 0 ? fit.run_tokens : NaN);
}

// The value of the target at the optimum, the prior and the best run, from the score.
function predictions() {
  const of = (predicted, score) =>
    targetSign < 0 && predicted && isNumber(predicted[target.name])
      ? predicted[target.name]
      : isNumber(score)
        ? score / targetWeight
        : NaN;
  return {
    optimum: of(optimum.predicted, optimum.score),
    prior: of(optimum.predicted_prior, optimum.score_prior),
    best: isNumber(optimum.best_run_score) ? optimum.best_run_score / targetWeight : NaN,
  };
}

function words(mixture) {
  const order = Object.entries(mixture).sort((a, b) => b[1] - a[1]);
  const shown = order.filter(([, w], i) => i < 4 && w >= 0.02);
  const rest = order.slice(shown.length).filter(([, w]) => w > 0);
  const list = shown.map(([name, w]) => `${percent(w)} ${domainLabel(name)}`);
  if (rest.length)
    list.push(
      `${percent(rest.reduce((sum, [, w]) => sum + w, 0))} from ${plural(rest.length, 'other domain')}`,
    );
  return list.length > 1 ? `${list.slice(0, -1).join(', ')} and ${list[list.length - 1]}` : list.join('');
}

const theRow = (row) =>
  row.name === 'best_run' ? `the ${rowLabel(row)}` : ['prior', 'optimum'].includes(row.name) ? `the ${row.name}` : rowLabel(row);

// The best mixture, which may not be the optimum; then the prior.
function measuredSentence() {
  const own = measuredRows.find((r) => r.name === 'optimum'),
    winner = measuredRows[0];
  if (!own || measuredRows.length < 2) return null;
  const says = (row) => {
    const gap = row.against_optimum || {},
      {known, words: how, span: between} = judged(gap);
    const off = isNumber(gap.mean)
      ? `${withUnit(small(Math.abs(gap.mean)), target.name)} ${gap.mean >= 0 ? 'better' : 'worse'} than ${theRow(row)}`
      : '';
    return off && `${off} (${known ? `95\u202f% interval of the difference ${between}: ` : ''}${how})`;
  };
  const what = `${nameOf(target.name)} of ${measuredRows.length} mixtures`;
  const prior = measuredRows.find((r) => r.name === 'prior');
  const first =
    winner === own
      ? `the optimum reached the best ${what}, ${withUnit(loss(reached(own)), target.name)}`
      : `${theRow(winner)} reached the best ${what}, ${withUnit(loss(reached(winner)), target.name)}; ` +
        `the optimum reached ${loss(reached(own))}, ${says(winner)}`;
  return (
    `On the large models${largeSize() ? ` (${largeSize()})` : ''}, ${first}.` +
    `${prior && prior !== winner ? ` The optimum is ${says(prior)}.` : ''}`
  );
}

// Predictions and measurements are shown apart, since they are of different models.
function cards() {
  const p = predictions(),
    gain = expectedGain(),
    unit = unitOf(target.name);
  const tile = (title, value, note, cls) =>
    isNumber(value) || typeof value === 'string'
      ? el(
          'div',
          {class: cls},
          el('dt', null, title),
          el('dd', null, typeof value === 'string' ? value : loss(value), cls && unit ? el('small', null, ` ${unit}`) : null, note ? el('span', null, note) : null),
        )
      : null;
  const group = (name, title, note, ...tiles) =>
    el('div', {class: `group ${name}`}, el('h3', null, title), note ? el('p', {class: 'soft'}, note) : null, ...tiles);
  const told = `${nameOf(target.name)}${unit ? ` in ${unit}` : ''}, ${isScore(target.name) ? 'higher' : 'lower'} is better`;
  const predicted = group(
    'predicted',
    answerSize() ? 'Predicted for the size of the answer' : 'Predicted for the proxies',
    answerSize()
      ? `Models of ${answerSize()} (without embeddings), predicted from runs of several sizes or lengths; ${told}.`
      : `${proxySize() ? `Small models: ${proxySize()} each; ` : ''}${told}.`,
    el(
      'dl',
      {class: 'figures'},
      gain
        ? tile(
            gain.corrected ? 'Expected gain over the prior' : 'Predicted gain over the prior',
            signed(gain.estimate),
            gain.interval ? `${level()} interval ${span(gain.interval)}` : gain.corrected || isPrior() ? null : 'not corrected, so it may be too large',
            'main',
          )
        : null,
      tile('optimum', p.optimum, isNumber(optimum.expected_error) ? `± ${small(scaled(optimum.expected_error))}` : null),
      tile('prior', p.prior, null),
      tile('best run', p.best, null),
    ),
  );
  const gap = gapOf('prior') || {};
  // The best, the optimum and the prior are always among them.
  const needed = measuredRows.filter((r, i) => i === 0 || r.name === 'optimum' || r.name === 'prior');
  const others = measuredRows.filter((r) => !needed.includes(r)).slice(0, Math.max(0, 3 - needed.length));
  const shown = measuredRows.filter((r) => needed.includes(r) || others.includes(r));
  const measured = measuredRows.length
    ? group(
        'measured',
        'Measured on large models',
        `${largeSize() ? `Large models: ${largeSize()} each; ` : ''}${told}.`,
        el(
          'dl',
          {class: 'figures'},
          isNumber(gap.mean)
            ? tile(
                'Measured gain over the prior',
                signed(gap.mean),
                judged(gap).known ? `95\u202f% interval ${judged(gap).span}` : judged(gap).words,
                'main',
              )
            : null,
          shown.map((r) =>
            tile(
              `${rowLabel(r)}${r === measuredRows[0] ? ' (best)' : ''}`,
              reached(r),
              isNumber(r.target_loss.se) ? `± ${small(r.target_loss.se)}, ${plural(r.n, 'seed')}` : plural(r.n, 'seed'),
            ),
          ),
        ),
      )
    : group(
        'measured',
        'Measured on large models',
        null,
        data.experiment
          ? absent('Nothing yet', 'compare', 'trains large models on the optimum and on the prior')
          : el('p', {class: 'absent'}, 'Nothing yet. A prediction is not a measurement: train one model on the optimum and one on the prior.'),
      );
  return el('div', {class: 'cards'}, predicted, measured);
}

// Text between backticks is a command.
const withCode = (text) => text.split('`').map((part, i) => (i % 2 ? el('code', null, part) : part));

function answerSection() {
  const warnings = data.warnings.length
    ? el(
        'ul',
        {class: 'warnings', 'aria-label': 'Warnings'},
        data.warnings.map((text) => el('li', null, withCode(text))),
      )
    : null;
  if (!optimum || !optimum.mixture) {
    section(
      'answer',
      'The mixture to train on',
      'Answer',
      warnings,
      absent('There is no optimum yet', fit && !data.experiment ? 'optimize --fit fit --target METRIC' : 'optimize', 'finds it'),
    );
    return;
  }
  const order = Object.entries(optimum.mixture).sort((a, b) => b[1] - a[1]);
  const prior = optimum.prior || {},
    spread = optimum.spread || {},
    node = nodesOf(Object.keys(optimum.mixture)),
    isFolded = order.length > MOST_BARS && new Set(Object.values(node)).size < order.length,
    ofPrior = isFolded ? folded(prior, node) : prior;
  const hasPrior = Object.keys(prior).length > 0,
    interval = optimum.interval || {},
    hasInterval = Object.values(interval).some(isInterval),
    hasSpread = !hasInterval && Object.values(spread).some((s) => s > 0);
  const old = (domain) => ofPrior[domain] || 0;
  const shown = isFolded ? Object.entries(folded(optimum.mixture, node)).sort((a, b) => b[1] - a[1]) : order;
  const bars = shown.flatMap(([domain, w]) => {
    const s = hasSpread ? spread[domain] || 0 : 0,
      [low, high] = isInterval(interval[domain]) ? interval[domain] : [w - s, w + s],
      sure = isInterval(interval[domain]) ? ` (${percents([low, high])})` : s ? ` ± ${percent(s)}` : '',
      note = `${domain}\noptimum ${percent(w)}${sure}${hasPrior ? `\nprior ${percent(old(domain))}` : ''}`;
    const own = {
      domain: domainLabel(domain),
      kind: 'optimum',
      share: 100 * w,
      low: 100 * Math.max(0, low),
      high: 100 * Math.min(1, high),
      label: percent(w),
      tip: note,
    };
    if (!hasPrior) return [own];
    const before = 100 * old(domain);
    return [
      own,
      {
        domain: domainLabel(domain),
        kind: 'prior',
        share: before,
        low: before,
        high: before,
        label: percent(old(domain)),
        tip: note,
      },
    ];
  });
  const each = isFolded ? 'The share of each node of domains' : 'The share of each domain';
  const title = hasPrior ? `${each}, next to the prior` : each;
  const chart = figure(
    'mixture',
    title,
    hasInterval && !isFolded
      ? `The thin lines show the ${level()} interval of each share${optimum.replicates ? `, from ${whole(optimum.replicates)} searches on resampled runs` : ''}.`
      : hasSpread
        ? 'The thin lines show ± one standard deviation over the best mixtures.'
        : null,
    (width) => ({spec: pairedBars(bars, width, title), rows: bars.length}),
    hasPrior ? key(['main', 'optimum'], ['other', `prior: ${priorText}`]) : null,
  );
  const columns = [
    'domain',
    'optimum',
    hasInterval ? `${level()} interval` : hasSpread && '± sd',
    hasPrior && 'prior',
    hasPrior && 'times prior',
  ].filter(Boolean);
  const list = table(
    phases.length ? 'The shares of all tokens' : 'The mixture',
    columns,
    order.map(([domain, w]) =>
      [
        {text: briefDomain(domain), title: domain},
        percent(w),
        hasInterval
          ? isInterval(interval[domain])
            ? percents(interval[domain])
            : '–'
          : hasSpread && percent(spread[domain]),
        hasPrior && percent(prior[domain]),
        hasPrior && (prior[domain] > 0 ? `× ${Number((w / prior[domain]).toPrecision(2))}` : '–'),
      ].filter(Boolean),
    ),
  );
  section(
    'answer',
    'The mixture to train on',
    'Answer',
    warnings,
    el('p', {class: 'lead'}, phases.length ? phasesSentence() : `Train on ${words(optimum.mixture)}.`),
    answerSize() ? el('p', {class: 'lead'}, `This is for a model of ${answerSize()}.`) : null,
    ...Object.entries(optimum.reuse || {}).map(([name, ratios]) =>
      el('p', {}, `${name} stands for ${Object.keys(ratios).length} domains that keep their ratios. optimum.yaml and exports have all of them.`),
    ),
    gainSentence() ? el('p', {class: 'lead'}, gainSentence()) : null,
    measuredSentence() ? el('p', {class: 'lead'}, measuredSentence()) : null,
    cards(),
    phases.length ? el('div', {class: 'block'}, phasesTable()) : null,
    el(
      'div',
      {class: hasInterval ? 'pair even' : 'pair'},
      chart.node,
      el('div', {class: 'block'}, isFolded ? el('details', null, el('summary', null, `All ${order.length} domains`), list) : list),
    ),
    driftPart(),
    versusTable() ? el('div', {class: 'block'}, versusTable()) : null,
    paretoPart(),
  );
}

// ---- 2. the large models ----

function compareSection() {
  const sorted = measuredRows;
  if (!sorted.length) {
    if (data.methods) return; // the next section has large models
    needsExperiment(
      'compared',
      'Large models, measured',
      'Comparison',
      absent('No large models have been compared yet', 'compare', 'trains and compares them'),
    );
    return;
  }
  const points = sorted.map((r) => ({
    name: rowLabel(r),
    mean: reached(r),
    se: r.target_loss.se,
    main: r.name === 'optimum',
    tip: `${rowLabel(r)}\n${loss(reached(r))} ± ${small(r.target_loss.se)} ${unitOf(target.name)}\n${plural(r.n, 'seed')}`,
  }));
  const winner = sorted[0];
  const title = `Best on the target: ${rowLabel(winner)}`;
  const chart = figure(
    'comparison',
    title,
    `Dots are means over the seeds, bars are ± one standard error. ${comparedSign < 0 ? 'Right' : 'Left'} is better.`,
    (width) => ({spec: dots(points, width, title, axisOf(target.name)), rows: points.length}),
  );
  const list = table(
    'Target of each model',
    [
      'trained on',
      unitOf(target.name) || 'target',
      {text: '± se'},
      'minus optimum, paired',
      {text: '95\u202f% interval', title: 'of the paired difference, by Student\u2019s t'},
      'verdict',
      'seeds',
    ],
    sorted.map((r) => {
      const gap = r.name === 'optimum' || !r.against_optimum ? null : shownGap(r.against_optimum);
      return [
        rowLabel(r),
        loss(reached(r)),
        small(r.target_loss.se),
        gap ? signed(gap.mean) : '–',
        gap ? judged(gap).span : '–',
        gap ? judged(gap).words : '–',
        whole(r.n),
      ];
    }),
    (i) => (sorted[i].name === 'optimum' ? 'main' : null),
  );
  const domains = [...new Set(sorted.flatMap((r) => Object.keys(r.loss_nats || {})))];
  const every = domains.length
    ? table(
        'Validation loss of every domain (nats/token); the best value of each row is bold',
        ['domain', ...sorted.map(rowLabel)],
        domains.map((domain) => {
          const cells = sorted.map((r) => (r.loss_nats || {})[domain]);
          const best = Math.min(...cells.map((c) => (c && isNumber(c.mean) ? c.mean : Infinity)));
          return [
            {text: domainLabel(domain), title: domain},
            ...cells.map((c) => ({
              text: c ? loss(c.mean) : '–',
              class: c && c.mean === best ? 'best' : null,
              title: c && isNumber(c.se) ? `± ${small(c.se)}` : null,
            })),
          ];
        }),
      )
    : null;
  const scores = [...new Set(sorted.flatMap((r) => Object.keys(r.scores || {})))];
  const measured = scores.length
    ? table(
        'Scores on tasks, with their standard errors over seeds in the tips',
        ['score', ...sorted.map(rowLabel)],
        scores.map((score) => [
          {text: metricLabel(score), title: score},
          ...sorted.map((r) => {
            const c = (r.scores || {})[score];
            return {
              text: c && isNumber(c.mean) ? fixed(c.mean, 3) : '–',
              title: c && isNumber(c.se) ? `± ${small(c.se)}` : null,
            };
          }),
        ]),
      )
    : null;
  const tokens = data.comparison.tokens;
  section(
    'compared',
    'Large models, measured',
    'Comparison',
    el(
      'p',
      null,
      `${plural(sorted.length, 'mixture')}${tokens ? `, ${count(tokens)} tokens each` : ''}. All mixtures have the same seeds, so the differences are paired.`,
    ),
    chart.node,
    el('div', {class: 'block'}, list),
    every ? el('div', {class: 'block'}, every) : null,
    measured ? el('div', {class: 'block'}, measured) : null,
  );
}
