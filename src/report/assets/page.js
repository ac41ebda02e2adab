// SPDX-License-Identifier: Apache-2.0
// The sections after the answer: the quality of the fit, the effect of each domain, the learning curves, the
// corpus and the provenance; at the end, all sections in reading order. If a file is missing, its section names
// the command that makes it, unless only an experiment has such a file.

// ---- 3. the quality of the fit ----

const scoresOf = (metric) => {
  const written = (((fit && fit.metrics) || []).find((m) => m.name === metric) || {}).cross_validation;
  const counted = folds[metric] && folds[metric].scores;
  return written || counted ? {...written, ...counted} : undefined;
};
const halfOf = (metric) => (data.half_agreement || {})[metric];

function fitSection() {
  const node = section('fit', 'How far to believe the fit', 'Fit');
  const predicted = metricNames.filter((m) => folds[m] && folds[m].run.length);
  const halved = metricNames.filter(
    (m) => runs && runs.half && runs.half.some((row) => isNumber(row[runs.metrics.indexOf(m)])),
  );
  const scored = metricNames.filter(scoresOf);
  if (!scored.length && !predicted.length)
    node.append(absent('Nothing has been fitted yet', 'fit', 'prepares it'));
  if (!scored.length && !predicted.length && !halved.length) return;
  let metric = predicted[0] || halved[0] || target.name;
  const statistics = el('p', {class: 'scores'});
  const charts = [];
  const pairs = () =>
    folds[metric]
      ? folds[metric].run.map((run, i) => ({
          x: folds[metric].predicted[i],
          y: folds[metric].true[i],
          tip: `run ${run}\npredicted ${loss(folds[metric].predicted[i])}\ntrue ${loss(folds[metric].true[i])}`,
        }))
      : [];
  const halves = () => {
    const m = runs.metrics.indexOf(metric);
    return m < 0
      ? []
      : runs.ids
          .map((run, i) => ({run, x: runs.half[i][m], y: runs.values[i][m]}))
          .filter((r) => isNumber(r.x) && isNumber(r.y))
          .map((r) => ({...r, tip: `run ${r.run}\nhalf way ${loss(r.x)}\nat the end ${loss(r.y)}`}));
  };
  if (predicted.length) {
    const title = 'Predicted against true: the closer to the line, the better';
    charts.push(
      figure(
        'predicted',
        title,
        `Each dot is a run, predicted by a fit that did not see it (cross-validation).${
          fit && fit.scales ? ' Runs of all sizes are shown; the scores are those of the largest size, since between sizes the loss differs most.' : ''
        }`,
        (width) => {
          const rows = pairs();
          return {
            spec: scatter(rows, width, title, `predicted ${axisOf(metric)}`, `true ${axisOf(metric)}`, true),
            rows: rows.length,
          };
        },
      ),
    );
  }
  if (halved.length) {
    const title = 'Half way against the end: does the order last?';
    charts.push(
      figure(
        'half',
        title,
        'Each dot is a run; a rising band means that longer proxies would tell the same.',
        (width) => {
          const rows = halves();
          return {
            spec: scatter(
              rows,
              width,
              title,
              `half way: ${axisOf(metric)}`,
              `at the end: ${axisOf(metric)}`,
              false,
            ),
            rows: rows.length,
          };
        },
      ),
    );
  }
  const tell = () => {
    const s = scoresOf(metric) || {},
      half = halfOf(metric);
    statistics.textContent = [
      `Spearman ${fixed(s.spearman, 3)}`,
      `R² ${fixed(s.r2, 3)}`,
      `MSE ${isNumber(s.mse) ? Number(s.mse.toPrecision(3)) : '–'}`,
      `${plural(s.n || 0, 'run')}${fit && fit.scales ? ' of the largest size' : ''}`,
      isNumber(half) ? `half way and end: Spearman ${fixed(half, 3)}` : null,
    ]
      .filter(Boolean)
      .join('  ·  ');
  };
  tell();
  const brief = (x) => (isNumber(x) ? Number(x.toPrecision(2)) : '–');
  const choices = [...new Set([...predicted, ...halved])];
  node.append(
    el(
      'p',
      null,
      'If the fit ranks unseen runs well (Spearman near 1), it also ranks similar mixtures well. ',
      `${fit && fit.metrics && fit.metrics.length ? `Regressor: ${[...new Set(fit.metrics.map((m) => m.regressor).filter(Boolean))].join(', ')}.` : ''}`,
    ),
  );
  if (choices.length)
    node.append(
      chooseMetric(choices, 'Metric', (name) => {
        metric = name;
        tell();
        charts.forEach((c) => c.update());
      }),
      statistics,
    );
  node.append(
    el(
      'div',
      {class: charts.length > 1 ? 'pair even' : 'single'},
      charts.map((c) => c.node),
    ),
  );
  const learning = learningPart();
  if (learning) node.append(learning);
  if (scored.length > 1) {
    const score = (text, of, show, title) => ({text, title, of: (m) => of(scoresOf(m)), cell: (m) => show(of(scoresOf(m)))});
    const rmse = (x) => (isNumber(x.rmse) ? x.rmse : isNumber(x.mse) ? Math.sqrt(x.mse) : null);
    const three = (x) => fixed(x, 3);
    node.append(
      el(
        'div',
        {class: 'block'},
        sortable(
          'Scores of every metric, cross-validated',
          [
            {text: 'metric', of: metricLabel, cell: (m) => ({text: `${metricLabel(m)}${isScore(m) ? ' \u2191' : ''}`, title: m})},
            score('Spearman', (x) => x.spearman, three),
            score('R²', (x) => x.r2, three),
            score('RMSE', rmse, brief),
            score('noise of a run', (x) => x.noise, brief, 'difference between runs with the same mixture'),
            score('regret@1', (x) => x.regret_at_1, brief, 'how much worse the run with the best prediction is than the best run'),
            score('optimism', (x) => x.optimism, brief, 'how much too good the best predictions are'),
            score('runs', (x) => x.n, whole),
            {text: 'half way and end', title: 'Spearman correlation of the metric half way with its value at the end', of: halfOf, cell: (m) => fixed(halfOf(m), 3)},
          ],
          scored,
          20,
          (m) => (m === target.name ? 'main' : null),
        ),
        el(
          'p',
          {class: 'soft'},
          `All scores are on runs that the fit had not seen${fit && fit.scales ? ', of the largest size' : ''}. R² below 0 is worse than the mean of the runs. Noise is the difference between runs with the same mixture. Regret@1 is how much worse the run with the best prediction is than the best run. Optimism is how much too good the best predictions are.${scored.some(isScore) ? ' \u2191: higher is better.' : ''}`,
        ),
      ),
    );
  }
}

// ---- 4. the effect of each domain ----

const DOTS_A_FACET = 600,
  DOTS_IN_ALL = 12000,
  MOST_FACETS = 30;
function domainSection() {
  const attribution = attributionParts();
  if (!runs) {
    section(
      'domains',
      'What each domain does',
      'Domains',
      ...attribution,
      absent('No runs have been measured yet', 'train', 'trains and measures them'),
    );
    return;
  }
  let metric = metricNames.find((m) => runs.metrics.includes(m));
  // Of very many domains, those with the strongest correlation with the target.
  const strength = (d) => Math.abs(data.effects.spearman[d][runs.metrics.indexOf(metric)]) || 0;
  const drawn = runs.domains
    .map((domain, d) => d)
    .sort((a, b) => strength(b) - strength(a))
    .slice(0, MOST_FACETS)
    .sort((a, b) => a - b);
  const compared = runs.ids.map((run, i) => i).filter(ofLargest);
  const stride = Math.ceil(compared.length / Math.min(DOTS_A_FACET, DOTS_IN_ALL / drawn.length));
  const weightOf = (d) => (optimum && optimum.mixture ? 100 * optimum.mixture[runs.domains[d]] : NaN);
  const rows = () => {
    const m = runs.metrics.indexOf(metric),
      out = [];
    drawn.forEach((d) =>
      compared.forEach((i, k) => {
        const run = runs.ids[i],
          domain = runs.domains[d],
          x = runs.mixtures[i][d],
          y = runs.values[i][m];
        if (k % stride === 0 && isNumber(x) && isNumber(y))
          out.push({
            facet: domainLabel(domain),
            x: 100 * x,
            y,
            tip: `run ${run}\n${domain} ${percent(x)}\n${metricLabel(metric)} ${loss(y)}`,
          });
      }),
    );
    return out;
  };
  const title = () =>
    `The ${nameOf(metric)} and the share of each domain`;
  const multiples = figure(
    'facets',
    title(),
    `Each dot is a run${runs.judged ? ' of the largest size' : ''}. ρ is Spearman\u2019s rank correlation. The orange line marks the optimum.` +
      (stride > 1 ? ` Shown is one run in ${stride}.` : '') +
      (drawn.length < runs.domains.length
        ? ` Shown are the ${drawn.length} of ${runs.domains.length} domains with the strongest correlation.`
        : ''),
    (width) => {
      const m = runs.metrics.indexOf(metric),
        points = rows();
      const facets = drawn.map((d) => ({
        name: domainLabel(runs.domains[d]),
        note: `ρ ${fixed(data.effects.spearman[d][m], 2)}`,
        mark: weightOf(d),
      }));
      return {
        spec: smallMultiples(
          facets,
          points,
          width,
          title(),
          'share of the training tokens (%)',
          axisOf(metric),
        ),
        rows: points.length,
      };
    },
  );
  const choose = chooseMetric(
    metricNames.filter((m) => runs.metrics.includes(m)),
    'Metric',
    (name) => {
      metric = name;
      multiples.setTitle(title());
      multiples.update();
    },
  );

  const columns = metricNames.filter((m) => runs.metrics.includes(m));
  const cellsOf = (shown) => runs.domains.flatMap((domain, d) =>
    shown.map((name) => {
      const value = data.effects.spearman[d][runs.metrics.indexOf(name)];
      return {
        row: domainLabel(domain),
        column: metricLabel(name),
        value,
        label: isNumber(value) ? fixed(value, 2) : '',
        tip: `share of ${domain}\non ${name}\nSpearman ${fixed(value, 2)}`,
      };
    }),
  );
  const noise = 2 / Math.sqrt(Math.max(1, data.effects.n));
  const heat = figure(
    'effects',
    'Which domain helps which metric',
    `Spearman correlation of a domain's share with a metric over ${plural(data.effects.n, 'run')}${data.effects.largest_size ? ' of the largest size' : ''}. ` +
      `A value between −${noise.toFixed(2)} and +${noise.toFixed(2)} may be noise. Shares sum to one, so more of one domain means less of the others.` +
      `${columns.length > 24 ? ` A narrow page shows only the first of ${columns.length} metrics.` : ''}`,
    (width) => {
      const shown = columns.slice(0, columnsWithin(width)),
        cells = cellsOf(shown);
      return {
        spec: heatMap(
          cells,
          runs.domains.map(domainLabel),
          shown.map(metricLabel),
          width,
          'Correlation of each domain with each metric',
        ),
        rows: cells.length,
      };
    },
    el(
      'p',
      null,
      '−1, value falls',
      el('span', {class: 'ramp', role: 'img', 'aria-label': 'blue to orange'}),
      '+1, value rises with the share',
    ),
  );
  section('domains', 'What each domain does', 'Domains', ...attribution, choose, multiples.node, heat.node);
}

// ---- which validation loss predicts which score ----

function correlationSection() {
  const c = data.correlations;
  if (!c) return;
  const sign = c.scores.map((_, s) => (c.higher_is_better[s] ? -1 : 1));
  const losses = c.losses
    .map((name, l) => ({name, l, best: Math.max(...c.agreement[l].map((x) => (isNumber(x) ? x : -1)))}))
    .sort((a, b) => b.best - a.best)
    .slice(0, 60);
  const cellsOf = (columns) => losses.flatMap(({name, l}) =>
    columns.map((score, s) => {
      const value = c.agreement[l][s],
        bounds = [c.low[l][s] * sign[s], c.high[l][s] * sign[s]].sort((a, b) => a - b);
      return {
        row: metricLabel(name),
        column: metricLabel(score),
        value: isNumber(value) ? value : null,
        label: isNumber(value) ? `${fixed(value, 2)}${c.clear[l][s] ? '' : '?'}` : '',
        tip: isNumber(value)
          ? `${name}\n${score}\n${fixed(value, 2)}, 95 % interval ${fixed(bounds[0], 2)} to ${fixed(bounds[1], 2)}\n` +
            `${plural(c.n[l][s], 'run')}; ${c.clear[l][s] ? 'clear' : c.told[l][s] ? 'not clear among so many pairs' : 'the interval contains 0: nothing is known'}`
          : `${name}\n${score}\ntoo few runs`,
      };
    }),
  );
  const heat = figure(
    'correlations',
    'Which validation loss predicts which score',
    `Rank correlation over ${plural(c.runs, 'run')}, with the sign in which 1 means: the lower the loss, the better the score. ` +
      `A question mark: not clear. ${c.text || ''}`,
    (width) => {
      const columns = c.scores.slice(0, columnsWithin(width)),
        cells = cellsOf(columns);
      return {
        spec: heatMap(
          cells,
          losses.map(({name}) => metricLabel(name)),
          columns.map(metricLabel),
          width,
          'Correlation of each validation loss with each score',
          'validation loss',
        ),
        rows: cells.length,
      };
    },
    el(
      'p',
      null,
      '−1, opposite order',
      el('span', {class: 'ramp', role: 'img', 'aria-label': 'blue to orange'}),
      '+1, same order',
    ),
  );
  section('correlations', 'What predicts the scores', 'Scores', heat.node);
}

// ---- 5. learning curves ----

// Training loss is measured on a run's own mixture, so levels do not compare: the best run may be above the worst. The target
// on validation text does compare, if a run was evaluated more than once.
function curveSection() {
  const list = data.curves || [];
  if (!list.length) {
    needsExperiment(
      'curves',
      'How the proxies learnt',
      'Learning curves',
      absent('There are no logs of proxy runs', 'train', 'writes them'),
    );
    return;
  }
  const m = runs ? runs.metrics.indexOf(target.name) : -1;
  const valueOf =
    runs && m >= 0 ? Object.fromEntries(runs.ids.map((run, i) => [run, runs.values[i][m]])) : {};
  const ranked = list
    .map((c) => c.run)
    .filter((run) => isNumber(valueOf[run]))
    .sort((a, b) => targetSign * (valueOf[a] - valueOf[b]));
  const kind = (run) =>
    ranked.length < 2 ? '' : run === ranked[0] ? 'best' : run === ranked[ranked.length - 1] ? 'worst' : '';
  const lines = list.map((c) => ({
    run: c.run,
    kind: kind(c.run),
    tip:
      `run ${c.run}${c.diverged ? ', diverged' : ''}${kind(c.run) ? `, ${kind(c.run)} of all` : ''}\nlast train loss ${loss(c.loss[c.loss.length - 1])}` +
      `${isNumber(valueOf[c.run]) ? `\n${metricLabel(target.name)} ${loss(valueOf[c.run])}` : ''}`,
  }));
  const training = () => list.flatMap((c) => c.tokens.map((tokens, i) => ({run: c.run, tokens, loss: c.loss[i]})));
  const validation = () => list.flatMap((c) => c.valid.map(([tokens, value]) => ({run: c.run, tokens, loss: value})));
  const marks = () =>
    list
      .filter((c) => kind(c.run))
      .flatMap((c) =>
        c.valid.map(([tokens, value]) => ({
          tokens,
          loss: value,
          kind: kind(c.run),
          tip: `run ${c.run}\n${metricLabel(target.name)} ${loss(value)}\nafter ${count(tokens)} tokens`,
        })),
      );
  const diverged = list.filter((c) => c.diverged).length;
  const evaluated = list.filter((c) => c.valid.length > 1).length;
  const views = {
    valid: {
      title: `${nameOf(target.name)} of ${plural(list.length, 'proxy run')} during training`,
      note: 'Each line is a run: the target on validation text, which is the same for all.',
      axis: axisOf(target.name),
      points: validation,
    },
    train: {
      title: `Training loss of ${plural(list.length, 'proxy run')}`,
      note: 'Each line is a run on its own mixture. Levels differ by what was read, so they say nothing of which run is better.',
      axis: 'training loss (nats/token)',
      points: training,
    },
  };
  let view = evaluated === list.length ? views.valid : views.train;
  const note = () => view.note + (diverged ? ` ${plural(diverged, 'run')} diverged.` : '');
  const chart = figure(
    'curves',
    view.title,
    note(),
    (width) => ({
      spec: curves(lines, view.points(), view === views.valid ? marks() : [], width, view.title, view.axis),
      rows: lines.length,
    }),
    ranked.length > 1
      ? key(
          ['main', `best run: ${ranked[0]}`],
          ['accent', `worst run: ${ranked[ranked.length - 1]}`],
          ['other', 'all others'],
        )
      : null,
  );
  const select = el(
    'select',
    null,
    el('option', {value: 'valid'}, 'the target, on validation text'),
    el('option', {value: 'train'}, 'training loss, on the run\u2019s own mixture'),
  );
  select.addEventListener('change', () => {
    view = views[select.value];
    chart.setTitle(view.title);
    chart.setNote(note());
    chart.update();
  });
  section(
    'curves',
    'How the proxies learnt',
    'Learning curves',
    evaluated === list.length ? el('label', {class: 'choose'}, 'Shown', select) : null,
    chart.node,
  );
}

// ---- 6. the corpus ----

function corpusSection() {
  const domains = data.corpus && data.corpus.domains;
  if (!domains) {
    needsExperiment('corpus', 'The corpus', null, absent('No corpus has been prepared', 'prepare', 'prepares it'));
    return;
  }
  const total = domains.reduce((sum, d) => sum + (d.train_tokens || 0), 0);
  const near = domains.some((d) => d.near_duplicates !== undefined);
  const none = data.corpus.without_domain;
  const rows = domains.map((d) => {
    return [
      {text: d.valid_only ? `${domainLabel(d.name)} (validation only)` : domainLabel(d.name), title: d.name},
      whole(d.documents),
      count(d.train_tokens),
      d.valid_only ? '–' : percent(d.train_tokens / total),
      count(d.valid_tokens),
      fixed((d.train_bytes + d.valid_bytes) / (d.train_tokens + d.valid_tokens), 2),
      count((d.train_bytes + d.valid_bytes) / d.documents),
      whole(d.duplicates),
      ...(near ? [whole(d.near_duplicates || 0)] : []),
      whole(d.overlaps),
      whole((d.no_text || 0) + (d.empty || 0)),
      whole((d.bad_lines || 0) + (d.invalid_utf8 || 0) + (d.surrogates || 0)),
    ];
  });
  section(
    'corpus',
    'The corpus',
    null,
    el(
      'p',
      null,
      `${plural(domains.length, 'domain')}, ${count(total)} training tokens, a vocabulary of ${whole(data.corpus.vocab)}.`,
    ),
    none && none.documents
      ? el('p', null, `${plural(none.documents, 'document')} without a domain: ${none.why.join('; ')}.`)
      : null,
    el(
      'div',
      {class: 'block'},
      table(
        'Domains',
        [
          'domain',
          'documents',
          'training tokens',
          {text: 'prior', title: 'share of the training tokens'},
          'validation tokens',
          'bytes/token',
          {text: 'mean length', title: 'bytes of a document'},
          {text: 'duplicates dropped'},
          ...(near ? [{text: 'near duplicates dropped', title: 'documents that resemble an earlier one'}] : []),
          {text: 'overlaps dropped', title: 'training documents that repeat target text'},
          {text: 'empty', title: 'documents without text: missing, null, "" or only blanks'},
          {text: 'bad lines', title: 'lines or bytes that could not be read'},
        ],
        rows,
      ),
    ),
  );
}

// ---- 7. how it was made ----

function facts(object, prefix) {
  return Object.entries(object || {}).flatMap(([name, value]) =>
    value && typeof value === 'object' && !Array.isArray(value)
      ? facts(value, `${prefix}${name} `)
      : [[prefix + name.replace(/_/g, ' '), Array.isArray(value) ? value.join(', ') : String(value)]],
  );
}

// The phases are no constraint of the user's.
function withoutPhases(constraints) {
  if (!phases.length || !constraints.share) return constraints;
  return {...constraints, share: Object.fromEntries(Object.entries(constraints.share).filter(([name]) => !/^phase [0-9]+$/.test(name)))};
}

function madeSection() {
  const p = data.proxies || {};
  const list = [['regmix', data.version]];
  if (data.date) list.push(['date', `${data.date} (the date of the newest file of this page)`]);
  if (p.runs)
    list.push([
      'proxy runs',
      `${p.done} of ${p.runs} finished, ${count(p.tokens)} tokens, ${scientific(p.flops)} FLOPs, ${duration(p.wall_s)} of run time${p.first ? `, between ${p.first} and ${p.last}` : ''}`,
    ]);
  if (p.model)
    list.push([
      'proxy model',
      `${facts(p.model, '')
        .map(([k, x]) => `${k} ${x}`)
        .join(', ')}${p.parameters ? `; ${count(p.parameters)} parameters` : ''}`,
    ]);
  if (isNumber(p.seed)) list.push(['seed of the first run', String(p.seed)]);
  for (const [what, by] of [
    ['proxies', p.made_by],
    ['fit', fit && fit.made_by],
    ['optimum', optimum && optimum.made_by],
    ['comparison', data.comparison && data.comparison.made_by],
  ])
    if (by && Object.keys(by).length)
      list.push([
        `${what} made by`,
        facts(by, '')
          .map(([k, x]) => `${k} ${x}`)
          .join(', '),
      ]);
  if (optimum && optimum.mixture) list.push(['prior', priorText]);
  if (optimum && optimum.method)
    list.push([
      'search',
      [
        optimum.method,
        optimum.samples && `${whole(optimum.samples)} mixtures drawn`,
        optimum.top && `mean of the best ${whole(optimum.top)}`,
        optimum.convex === true && 'the score is convex, so this is the global optimum',
        isNumber(optimum.gap) && `no mixture can be better by more than ${optimum.gap.toPrecision(1)}`,
      ]
        .filter(Boolean)
        .join(', '),
    ]);
  const constraints = facts(optimum && optimum.constraints && withoutPhases(optimum.constraints), '');
  if (phases.length) list.push(['phases', phases.map(({share}) => percent(share)).join(', ')]);
  if (constraints.length) list.push(['constraints', constraints.map(([k, x]) => `${k} ${x}`).join(', ')]);
  if (optimum && isNumber(optimum.distance))
    list.push([
      'distance',
      `${percent(optimum.distance)} of the tokens differ from the nearest run` +
        `${isNumber(optimum.typical_distance) ? `; typical between a run and its nearest run: ${percent(optimum.typical_distance)}` : ''}`,
    ]);
  if (data.corpus && data.corpus.hash) list.push(['corpus hash', String(data.corpus.hash)]);
  if (data.corpus && data.corpus.tokenizer_hash)
    list.push(['tokenizer hash', String(data.corpus.tokenizer_hash)]);
  section(
    'made',
    'How it was made',
    'Provenance',
    el(
      'dl',
      {class: 'facts'},
      list.flatMap(([k, x]) => [el('dt', null, k), el('dd', null, x)]),
    ),
    data.config
      ? el(
          'details',
          null,
          el('summary', null, 'The whole config, with every default'),
          el('pre', {tabindex: 0}, data.config),
        )
      : data.experiment || !fit
        ? absent('There is no config with all its defaults', 'init', 'starts one')
        : el(
            'p',
            {class: 'soft'},
            'This page is about a fit of tables. Learning curves, large models and the corpus are only available if regmix trains the runs: ',
            el('code', null, 'regmix init'),
            ' starts such an experiment.',
          ),
  );
}

// ---- all of it ----

main.textContent = '';
document.getElementById('title').textContent = data.title;
document.getElementById('foot').textContent =
  `Made by regmix ${data.version}${data.date ? ` from files of ${data.date}` : ''}. This page is self-contained and loads nothing from the network.`;
document.getElementById('date').textContent = data.date || '';
answerSection();
compareSection();
methodsSection();
whatIfSection();
budgetSection();
nextSection();
fitSection();
runsSection();
domainSection();
correlationSection();
curveSection();
corpusSection();
madeSection();
Promise.all(figures.map((chart) => chart.update())).then(() => {
  root.dataset.ready = Math.round(performance.now());
});

let waiting = 0;
window.addEventListener('resize', () => {
  cancelAnimationFrame(waiting);
  waiting = requestAnimationFrame(() =>
    figures.forEach((chart) => {
      if (chart.plot.clientWidth !== chart.width) chart.update();
    }),
  );
});
