// SPDX-License-Identifier: Apache-2.0
// What came out: the mixture found with what it is expected to gain, and what was measured on large models.

// ---- 1. the answer ----

const comparisonRows = data.comparison ? data.comparison.rows || [] : [];
function rowLabel(row) {
  if (row.name === 'best_single' && row.domain) return `only ${domainLabel(row.domain)}`;
  if (row.name === 'best_run' && row.run) return `best run (${row.run})`;
  return String(row.name)
    .replace(/^single:(.*)$/, (all, name) => `only ${domainLabel(name)}`)
    .replace(/_/g, ' ');
}
const standardErrors = (gap) => (gap && gap.se > 0 ? gap.mean / gap.se : NaN);

// Where the score says it: the value of the target at the optimum, the prior and the best run.
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
      `${percent(rest.reduce((sum, [, w]) => sum + w, 0))} spread over ${plural(rest.length, 'other domain')}`,
    );
  return list.length > 1 ? `${list.slice(0, -1).join(', ')} and ${list[list.length - 1]}` : list.join('');
}

function comparedTo(value, reference, what) {
  const gap = (reference - value) * targetSign;
  if (!isNumber(gap)) return null;
  return `${withUnit(small(Math.abs(gap)), target.name)} ${gap >= 0 ? 'better' : 'worse'} than ${what}`;
}

function measuredSentence() {
  const row =
    comparisonRows.find((r) => r.name === 'prior') || comparisonRows.find((r) => r.name !== 'optimum');
  if (!row || !row.against_optimum || !isNumber(row.against_optimum.mean)) return null;
  const gap = row.against_optimum,
    t = standardErrors(gap);
  return (
    `Measured on ${plural(gap.n, 'pair')} of large models, the optimum is ${withUnit(small(Math.abs(gap.mean)), target.name)} ` +
    `${gap.mean >= 0 ? 'better' : 'worse'} than ${rowLabel(row) === 'prior' ? 'the prior' : rowLabel(row)}` +
    `${isNumber(t) ? `, ${fixed(Math.abs(t), 1)} standard errors` : ''}.`
  );
}

function answerSection() {
  const warnings = data.warnings.length
    ? el(
        'ul',
        {class: 'warnings', 'aria-label': 'Warnings'},
        data.warnings.map((text) => el('li', null, text)),
      )
    : null;
  if (!optimum || !optimum.mixture) {
    section(
      'answer',
      'The mixture to train on',
      'Answer',
      warnings,
      absent('There is no optimum yet', 'optimize', 'finds it'),
    );
    return;
  }
  const p = predictions();
  const expects = [
    gainSentence() ? null : comparedTo(p.optimum, p.prior, 'the prior'),
    comparedTo(p.optimum, p.best, 'the best of the runs'),
  ].filter(Boolean);
  const sentences = [
    `Train on ${words(optimum.mixture)}.`,
    isNumber(p.optimum)
      ? ` The fit expects a ${axisOf(target.name).replace(/ \(.*\)$/, '')} of ${withUnit(loss(p.optimum), target.name)}` +
        `${expects.length ? `, ${expects.join(' and ')}` : ''}.`
      : '',
  ];
  const tile = (title, value, note, cls) =>
    isNumber(value) || typeof value === 'string'
      ? el(
          'div',
          {class: cls},
          el('dt', null, title),
          el(
            'dd',
            null,
            typeof value === 'string' ? value : loss(value),
            unitOf(target.name) ? el('small', null, ` ${unitOf(target.name)}`) : null,
            note ? el('span', null, note) : null,
          ),
        )
      : null;
  const priorRow = comparisonRows.find((r) => r.name === 'prior');
  const gap = priorRow && priorRow.against_optimum;
  const t = standardErrors(gap);
  const figuresOf = el(
    'dl',
    {class: 'figures'},
    tile(
      'Predicted at the optimum',
      p.optimum,
      isNumber(optimum.expected_error)
        ? `± ${small(scaled(optimum.expected_error))}, the error to expect at its distance from the runs`
        : axisOf(target.name).replace(/ \(.*\)$/, ''),
      'main',
    ),
    tile('Predicted at the prior', p.prior, null),
    tile('Predicted at the best run', p.best, null),
    gap && isNumber(gap.mean)
      ? tile(
          'Measured gain over the prior',
          signed(gap.mean),
          isNumber(gap.se)
            ? `± ${small(gap.se)}${isNumber(t) ? `, ${fixed(Math.abs(t), 1)} standard errors` : ''}`
            : null,
        )
      : null,
  );
  const order = Object.entries(optimum.mixture).sort((a, b) => b[1] - a[1]);
  const prior = optimum.prior || {},
    spread = optimum.spread || {};
  const hasPrior = Object.keys(prior).length > 0,
    interval = optimum.interval || {},
    hasInterval = Object.values(interval).some(isInterval),
    hasSpread = !hasInterval && Object.values(spread).some((s) => s > 0);
  const bars = order.flatMap(([domain, w]) => {
    const s = hasSpread ? spread[domain] || 0 : 0,
      [low, high] = isInterval(interval[domain]) ? interval[domain] : [w - s, w + s],
      sure = isInterval(interval[domain]) ? ` (${percents([low, high])})` : s ? ` ± ${percent(s)}` : '',
      note = `${domain}\noptimum ${percent(w)}${sure}${hasPrior ? `\nprior ${percent(prior[domain] || 0)}` : ''}`;
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
    const old = 100 * (prior[domain] || 0);
    return [
      own,
      {
        domain: domainLabel(domain),
        kind: 'prior',
        share: old,
        low: old,
        high: old,
        label: percent(prior[domain] || 0),
        tip: note,
      },
    ];
  });
  const title = hasPrior ? 'Which domains get more than their natural share' : 'The share of each domain';
  const chart = figure(
    'mixture',
    title,
    hasInterval
      ? `Thin lines: ${level()} interval of each share${optimum.replicates ? `, from ${whole(optimum.replicates)} searches on resampled runs` : ''}.`
      : hasSpread
        ? 'Thin lines: ± one standard deviation over the best mixtures found.'
        : null,
    (width) => ({spec: pairedBars(bars, width, title), rows: bars.length}),
    hasPrior ? key(['main', 'optimum'], ['other', 'prior: share of the available tokens']) : null,
  );
  const columns = [
    'domain',
    'optimum',
    hasInterval ? `${level()} interval` : hasSpread && '± sd',
    hasPrior && 'prior',
    hasPrior && 'times prior',
  ].filter(Boolean);
  const list = table(
    'The mixture',
    columns,
    order.map(([domain, w]) =>
      [
        {text: domainLabel(domain), title: domain},
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
    el('p', {class: 'lead'}, sentences.join('')),
    gainSentence() ? el('p', {class: 'lead'}, gainSentence()) : null,
    measuredSentence() ? el('p', {class: 'lead'}, measuredSentence()) : null,
    figuresOf,
    el('div', {class: hasInterval ? 'pair even' : 'pair'}, chart.node, el('div', {class: 'block'}, list)),
    versusTable() ? el('div', {class: 'block'}, versusTable()) : null,
    paretoPart(),
  );
}

// ---- 2. the large models ----

function compareSection() {
  const rows = comparisonRows.filter((r) => r.target_loss && isNumber(r.target_loss.mean));
  if (!rows.length) {
    if (data.methods) return; // the next section has large models
    section(
      'compared',
      'Large models, measured',
      'Comparison',
      absent('No large models have been compared yet', 'compare', 'trains and compares them'),
    );
    return;
  }
  const sorted = [...rows].sort((a, b) => targetSign * (a.target_loss.mean - b.target_loss.mean));
  const points = sorted.map((r) => ({
    name: rowLabel(r),
    mean: r.target_loss.mean,
    se: r.target_loss.se,
    main: r.name === 'optimum',
    tip: `${rowLabel(r)}\n${loss(r.target_loss.mean)} ± ${small(r.target_loss.se)} ${unitOf(target.name)}\n${plural(r.n, 'seed')}`,
  }));
  const winner = sorted[0];
  const title =
    winner.name === 'optimum'
      ? 'The optimum has the best target of all that were trained'
      : `The best target was reached by: ${rowLabel(winner)}`;
  const chart = figure(
    'comparison',
    title,
    `Mean over seeds, bars ± one standard error; left is ${targetSign > 0 ? 'better' : 'worse'}.`,
    (width) => ({spec: dots(points, width, title, axisOf(target.name)), rows: points.length}),
  );
  const list = table(
    'Target of each model',
    [
      'trained on',
      unitOf(target.name) || 'target',
      {text: '± se'},
      'minus optimum, paired',
      '± se',
      {text: 'in se', title: 'difference over its standard error; above 2 is more than noise'},
      'seeds',
    ],
    sorted.map((r) => {
      const gap = r.name === 'optimum' ? null : r.against_optimum;
      return [
        rowLabel(r),
        loss(r.target_loss.mean),
        small(r.target_loss.se),
        gap ? signed(gap.mean) : '–',
        gap ? small(gap.se) : '–',
        gap ? fixed(standardErrors(gap), 1) : '–',
        whole(r.n),
      ];
    }),
    (i) => (sorted[i].name === 'optimum' ? 'main' : null),
  );
  const domains = [...new Set(sorted.flatMap((r) => Object.keys(r.loss_nats || {})))];
  const every = domains.length
    ? table(
        'Validation loss of every domain (nats/token); the best of each row is bold',
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
  const tokens = data.comparison.tokens;
  section(
    'compared',
    'Large models, measured',
    'Comparison',
    el(
      'p',
      null,
      `${plural(rows.length, 'mixture')}${tokens ? `, ${count(tokens)} tokens each` : ''}, with the same seeds for all, so that differences are paired.`,
    ),
    chart.node,
    el('div', {class: 'block'}, list),
    every ? el('div', {class: 'block'}, every) : null,
  );
}
