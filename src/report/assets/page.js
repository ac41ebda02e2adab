// SPDX-License-Identifier: Apache-2.0
// The page: words, tables and figures out of the numbers. Everything a user named is put up as text, never as markup.
'use strict';
const root = document.documentElement;
window.addEventListener('error', (e) => { root.dataset.errors = `${root.dataset.errors || ''}${e.message}\n`; });
window.addEventListener('unhandledrejection', (e) => { root.dataset.errors = `${root.dataset.errors || ''}${e.reason}\n`; });
const data = JSON.parse(document.getElementById('data').textContent);

// ---- elements and numbers ----

function el(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes || {})) if (value != null && value !== false) node.setAttribute(key, value);
  for (const child of children.flat()) if (child != null) node.append(child);
  return node;
}
const isNumber = (x) => typeof x === 'number' && Number.isFinite(x);
const fixed = (x, digits) => (isNumber(x) ? x.toFixed(digits).replace(/^-(?=[0.]*$)/, '').replace('-', '\u2212') : '–');
const loss = (x) => (isNumber(x) && Math.abs(x) >= 1000 ? count(x) : fixed(x, 3));
const small = (x) => fixed(x, Math.abs(x) < 0.00995 && x !== 0 ? 4 : 3);
const signed = (x) => (x > 0 ? '+' : '') + small(x);
const whole = (x) => (isNumber(x) ? Math.round(x).toLocaleString('en').replace(/,/g, '\u202f') : '–');
function percent(share) {
  if (!isNumber(share)) return '–';
  const p = 100 * share, size = Math.abs(p);
  return `${p === 0 ? '0' : fixed(p, size >= 0.95 ? 1 : size >= 0.095 ? 2 : 3)}\u202f%`;
}
// 1234567 -> 1.23 M
function count(x) {
  if (!isNumber(x)) return '–';
  const units = [[1e24, 'Y'], [1e21, 'Z'], [1e18, 'E'], [1e15, 'P'], [1e12, 'T'], [1e9, 'G'], [1e6, 'M'], [1e3, 'k']];
  const unit = units.find(([size]) => Math.abs(x) >= size * 0.9995);
  return unit ? `${Number((x / unit[0]).toPrecision(3))}\u202f${unit[1]}` : String(Number(x.toPrecision(3)));
}
const scientific = (x) => (x > 0 ? x.toExponential(1).replace('e+', 'e') : '–');
function duration(s) {
  if (!(s > 0)) return '–';
  const one = (x) => Number(x.toPrecision(2));
  return s < 90 ? `${one(s)} s` : s < 5400 ? `${one(s / 60)} min` : s < 172800 ? `${one(s / 3600)} h` : `${one(s / 86400)} days`;
}
const plural = (n, word) => `${whole(n)} ${word}${n === 1 ? '' : 's'}`;

// ---- names: what all have in common says nothing ----

function shortNames(names) {
  const bare = names.map((name) => name.replace(/^metric\//, '').replace(/^(train|valid)_/, '').replace(/_val_loss$/, '') || name);
  let common = bare.length > 2 ? bare[0] : '';
  for (const name of bare) while (!name.startsWith(common)) common = common.slice(0, -1);
  common = common.replace(/[^_/]*$/, '');
  const cut = bare.map((name) => name.slice(common.length) || name);
  const use = new Set(cut).size === names.length ? cut : names;
  return Object.fromEntries(names.map((name, i) => [name, use[i]]));
}
const runs = data.runs, optimum = data.optimum, fit = data.fit, folds = data.folds || {};
const domainNames = [...new Set([...Object.keys(optimum ? optimum.mixture || {} : {}), ...(runs ? runs.domains : []),
                                 ...(fit ? fit.domains || [] : []), ...(data.corpus ? data.corpus.domains.map((d) => d.name) : [])])];
const WEIGHTED = 'weighted target';
const target = data.target || {name: (runs && runs.metrics[0]) || Object.keys(folds)[0], weights: {}, assumed: true};
const metricNames = [...new Set([target.name, ...(runs ? runs.metrics : []), ...Object.keys(folds),
                                 ...(fit ? (fit.metrics || []).map((m) => m.name) : [])])].filter(Boolean);
const shortDomain = shortNames(domainNames);
const shortMetric = {...shortNames(metricNames.filter((m) => m !== WEIGHTED)), [WEIGHTED]: WEIGHTED};
const domainLabel = (name) => shortDomain[name] || name;
const metricLabel = (name) => shortMetric[name] || name;
function unitOf(metric) {
  if (metric === WEIGHTED) return Object.keys(target.weights).every((m) => unitOf(m) === 'nats/token') ? 'nats/token' : '';
  return /bits_per_byte|bpb/.test(metric) ? 'bits/byte' : /loss|nats/.test(metric) ? 'nats/token' : '';
}
const kindOf = (metric) => (metric !== WEIGHTED && unitOf(metric) === 'nats/token' ? 'validation loss' : '');
const axisOf = (metric) => [metricLabel(metric), kindOf(metric), unitOf(metric) && `(${unitOf(metric)})`].filter(Boolean).join(' ');
const withUnit = (text, metric) => (unitOf(metric) ? `${text}\u00a0${unitOf(metric)}` : text);
// Of one metric to be maximised the values are told as they are, though the score is their negative.
const targetSign = Object.keys(target.weights).length === 1 && target.weights[target.name] < 0 ? -1 : 1;
const targetWeight = Object.keys(target.weights).length === 1 ? target.weights[target.name] : 1;

// ---- parts of the page ----

const main = document.getElementById('main'), contents = document.getElementById('contents');
function section(id, title, contentsTitle, ...children) {
  const node = el('section', {id, 'aria-labelledby': `${id}-title`}, el('h2', {id: `${id}-title`}, title), ...children);
  main.append(node);
  contents.append(el('a', {href: `#${id}`}, contentsTitle || title));
  return node;
}
const absent = (what, command) => el('p', {class: 'absent'}, `${what} `, el('code', null, `regmix ${command}`), ' makes it.');

// columns: names; rows: arrays of text, or {text, class, title}.
function table(caption, columns, rows, rowClass) {
  return el('div', {class: 'table'}, el('h3', null, caption), el('div', {class: 'scroll', tabindex: 0, role: 'region', 'aria-label': caption},
    el('table', null,
      el('thead', null, el('tr', null, columns.map((name) => el('th', {scope: 'col', title: name.title}, name.text || name)))),
      el('tbody', null, rows.map((cells, i) => el('tr', {class: rowClass && rowClass(i)}, cells.map((cell) =>
        (cell && typeof cell === 'object' ? el('td', {class: cell.class, title: cell.title}, cell.text) : el('td', null, cell)))))))));
}

const tip = el('div', {id: 'tip', role: 'tooltip', hidden: ''});
document.body.append(tip);
function showTip(handler, event, item, text) {
  tip.hidden = text == null || text === '';
  if (tip.hidden) return;
  tip.textContent = text;
  const point = event.changedTouches ? event.changedTouches[0] : event, box = tip.getBoundingClientRect();
  tip.style.left = `${Math.max(4, Math.min(point.clientX + 14, root.clientWidth - box.width - 4))}px`;
  tip.style.top = `${point.clientY + box.height + 24 > window.innerHeight ? point.clientY - box.height - 10 : point.clientY + 16}px`;
}

// A figure whose drawing follows its width. `draw(width)` gives {spec, rows}.
const figures = [];
function figure(name, title, note, draw, key) {
  const caption = el('figcaption', null, el('h3', null, title), note ? el('p', null, note) : null, key || null);
  const plot = el('div', {class: 'plot'});
  const node = el('figure', {'data-chart': name, 'data-rows': 0}, caption, plot);
  const chart = {node, plot, width: 0, view: null, setTitle: (text) => { caption.firstChild.textContent = text; },
    setNote: (text) => { caption.children[1].textContent = text; }};
  chart.update = () => {
    chart.width = plot.clientWidth;
    const {spec, rows} = draw(Math.max(260, chart.width));
    node.dataset.rows = rows;
    if (chart.view) chart.view.finalize();
    chart.view = new chartLibrary.View(chartLibrary.parse(spec), {renderer: 'svg', container: plot, hover: false, tooltip: showTip});
    return chart.view.runAsync().catch((e) => {
      root.dataset.errors = `${root.dataset.errors || ''}${name}: ${e.message}\n`;
      plot.textContent = `This chart could not be drawn: ${e.message}`;
    });
  };
  figures.push(chart);
  return chart;
}
const key = (...items) => el('ul', {class: 'key'}, items.map(([color, text]) =>
  el('li', null, el('i', {style: `background:var(--${color})`}), text)));

function chooseMetric(names, label, onChange) {
  const select = el('select', null, names.map((name) => el('option', {value: name}, name === target.name && !target.assumed
    ? `${metricLabel(name)} (target)` : metricLabel(name))));
  select.addEventListener('change', () => onChange(select.value));
  return el('label', {class: 'choose'}, label, select);
}

// ---- 1. the answer ----

const comparisonRows = data.comparison ? data.comparison.rows || [] : [];
function rowLabel(row) {
  if (row.name === 'best_single' && row.domain) return `only ${domainLabel(row.domain)}`;
  if (row.name === 'best_run' && row.run) return `best run (${row.run})`;
  return String(row.name).replace(/^single:(.*)$/, (all, name) => `only ${domainLabel(name)}`).replace(/_/g, ' ');
}
const standardErrors = (gap) => (gap && gap.se > 0 ? gap.mean / gap.se : NaN);

// Where the score says it: the value of the target at the optimum, the prior and the best run.
function predictions() {
  const of = (predicted, score) => (targetSign < 0 && predicted && isNumber(predicted[target.name]) ? predicted[target.name]
    : isNumber(score) ? score / targetWeight : NaN);
  return {optimum: of(optimum.predicted, optimum.score), prior: of(optimum.predicted_prior, optimum.score_prior),
          best: isNumber(optimum.best_run_score) ? optimum.best_run_score / targetWeight : NaN};
}

function words(mixture) {
  const order = Object.entries(mixture).sort((a, b) => b[1] - a[1]);
  const shown = order.filter(([, w], i) => i < 4 && w >= 0.02);
  const rest = order.slice(shown.length).filter(([, w]) => w > 0);
  const list = shown.map(([name, w]) => `${percent(w)} ${domainLabel(name)}`);
  if (rest.length) list.push(`${percent(rest.reduce((sum, [, w]) => sum + w, 0))} spread over ${plural(rest.length, 'other domain')}`);
  return list.length > 1 ? `${list.slice(0, -1).join(', ')} and ${list[list.length - 1]}` : list.join('');
}

function comparedTo(value, reference, what) {
  const gap = (reference - value) * targetSign;
  if (!isNumber(gap)) return null;
  return `${withUnit(small(Math.abs(gap)), target.name)} ${gap >= 0 ? 'better' : 'worse'} than ${what}`;
}

function measuredSentence() {
  const row = comparisonRows.find((r) => r.name === 'prior') || comparisonRows.find((r) => r.name !== 'optimum');
  if (!row || !row.against_optimum || !isNumber(row.against_optimum.mean)) return null;
  const gap = row.against_optimum, t = standardErrors(gap);
  return `Measured on ${plural(gap.n, 'pair')} of large models, the optimum is ${withUnit(small(Math.abs(gap.mean)), target.name)} `
    + `${gap.mean >= 0 ? 'better' : 'worse'} than ${rowLabel(row) === 'prior' ? 'the prior' : rowLabel(row)}`
    + `${isNumber(t) ? `, ${fixed(Math.abs(t), 1)} standard errors` : ''}.`;
}

function answerSection() {
  const warnings = data.warnings.length ? el('ul', {class: 'warnings', 'aria-label': 'Warnings'},
    data.warnings.map((text) => el('li', null, text))) : null;
  if (!optimum || !optimum.mixture) {
    section('answer', 'The mixture to train on', 'Answer', warnings, absent('There is no optimum yet:', 'optimize'));
    return;
  }
  const p = predictions();
  const expects = [comparedTo(p.optimum, p.prior, 'the prior'), comparedTo(p.optimum, p.best, 'the best of the runs')].filter(Boolean);
  const sentences = [`Train on ${words(optimum.mixture)}.`,
    isNumber(p.optimum) ? ` The fit expects a ${axisOf(target.name).replace(/ \(.*\)$/, '')} of ${withUnit(loss(p.optimum), target.name)}`
      + `${expects.length ? `, ${expects.join(' and ')}` : ''}.` : ''];
  const tile = (title, value, note, cls) => (isNumber(value) || typeof value === 'string'
    ? el('div', {class: cls}, el('dt', null, title), el('dd', null, typeof value === 'string' ? value : loss(value),
      unitOf(target.name) ? el('small', null, ` ${unitOf(target.name)}`) : null, note ? el('span', null, note) : null)) : null);
  const priorRow = comparisonRows.find((r) => r.name === 'prior');
  const gap = priorRow && priorRow.against_optimum;
  const t = standardErrors(gap);
  const figuresOf = el('dl', {class: 'figures'},
    tile('Predicted at the optimum', p.optimum, axisOf(target.name).replace(/ \(.*\)$/, ''), 'main'),
    tile('Predicted at the prior', p.prior, null), tile('Predicted at the best run', p.best, null),
    gap && isNumber(gap.mean) ? tile('Measured gain over the prior', signed(gap.mean),
      isNumber(gap.se) ? `± ${small(gap.se)}${isNumber(t) ? `, ${fixed(Math.abs(t), 1)} standard errors` : ''}` : null) : null);
  const order = Object.entries(optimum.mixture).sort((a, b) => b[1] - a[1]);
  const prior = optimum.prior || {}, spread = optimum.spread || {};
  const hasPrior = Object.keys(prior).length > 0;
  const bars = order.flatMap(([domain, w]) => {
    const s = spread[domain] || 0, note = `${domain}\noptimum ${percent(w)} ± ${percent(s)}\nprior ${percent(prior[domain])}`;
    const own = {domain: domainLabel(domain), kind: 'optimum', share: 100 * w, low: 100 * Math.max(0, w - s), high: 100 * Math.min(1, w + s),
                 label: percent(w), tip: note};
    if (!hasPrior) return [own];
    const old = 100 * (prior[domain] || 0);
    return [own, {domain: domainLabel(domain), kind: 'prior', share: old, low: old, high: old, label: percent(prior[domain] || 0), tip: note}];
  });
  const title = hasPrior ? 'Which domains get more than their natural share' : 'The share of each domain';
  const chart = figure('mixture', title, 'Thin lines: ± one standard deviation over the best mixtures found.',
    (width) => ({spec: pairedBars(bars, width, title), rows: bars.length}),
    hasPrior ? key(['main', 'optimum'], ['other', 'prior: share of the available tokens']) : null);
  const list = table('The mixture', ['domain', 'optimum', '± sd', 'prior', 'times prior'], order.map(([domain, w]) => [
    {text: domainLabel(domain), title: domain}, percent(w), percent(spread[domain]), percent(prior[domain]),
    prior[domain] > 0 ? `× ${Number((w / prior[domain]).toPrecision(2))}` : '–']));
  section('answer', 'The mixture to train on', 'Answer', el('p', {class: 'lead'}, sentences.join('')),
    measuredSentence() ? el('p', {class: 'lead'}, measuredSentence()) : null, warnings, figuresOf,
    el('div', {class: 'pair'}, chart.node, el('div', {class: 'block'}, list)));
}

// ---- 2. the large models ----

function compareSection() {
  const rows = comparisonRows.filter((r) => r.target_loss && isNumber(r.target_loss.mean));
  if (!rows.length) {
    section('compared', 'Large models, measured', 'Comparison', absent('No large models have been compared:', 'compare'));
    return;
  }
  const sorted = [...rows].sort((a, b) => targetSign * (a.target_loss.mean - b.target_loss.mean));
  const points = sorted.map((r) => ({name: rowLabel(r), mean: r.target_loss.mean, se: r.target_loss.se, main: r.name === 'optimum',
    tip: `${rowLabel(r)}\n${loss(r.target_loss.mean)} ± ${small(r.target_loss.se)} ${unitOf(target.name)}\n${plural(r.n, 'seed')}`}));
  const winner = sorted[0];
  const title = winner.name === 'optimum' ? 'The optimum has the best target of all that were trained'
    : `The best target was reached by: ${rowLabel(winner)}`;
  const chart = figure('comparison', title, `Mean over seeds, bars ± one standard error; left is ${targetSign > 0 ? 'better' : 'worse'}.`,
    (width) => ({spec: dots(points, width, title, axisOf(target.name)), rows: points.length}));
  const list = table('Target of each model', ['trained on', unitOf(target.name) || 'target', {text: '± se'}, 'minus optimum, paired', '± se',
    {text: 'in se', title: 'difference over its standard error; above 2 is more than noise'}, 'seeds'], sorted.map((r) => {
    const gap = r.name === 'optimum' ? null : r.against_optimum;
    return [rowLabel(r), loss(r.target_loss.mean), small(r.target_loss.se), gap ? signed(gap.mean) : '–', gap ? small(gap.se) : '–',
            gap ? fixed(standardErrors(gap), 1) : '–', whole(r.n)];
  }), (i) => (sorted[i].name === 'optimum' ? 'main' : null));
  const domains = [...new Set(sorted.flatMap((r) => Object.keys(r.loss_nats || {})))];
  const every = domains.length ? table('Validation loss of every domain (nats/token); the best of each row is bold', ['domain', ...sorted.map(rowLabel)],
    domains.map((domain) => {
      const cells = sorted.map((r) => (r.loss_nats || {})[domain]);
      const best = Math.min(...cells.map((c) => (c && isNumber(c.mean) ? c.mean : Infinity)));
      return [{text: domainLabel(domain), title: domain}, ...cells.map((c) => ({text: c ? loss(c.mean) : '–', class: c && c.mean === best ? 'best' : null,
        title: c && isNumber(c.se) ? `± ${small(c.se)}` : null}))];
    })) : null;
  const tokens = data.comparison.tokens;
  section('compared', 'Large models, measured', 'Comparison',
    el('p', null, `${plural(rows.length, 'mixture')}${tokens ? `, ${count(tokens)} tokens each` : ''}, with the same seeds for all, so that differences are paired.`),
    chart.node, el('div', {class: 'block'}, list), every ? el('div', {class: 'block'}, every) : null);
}

// ---- 3. how far to believe the fit ----

const scoresOf = (metric) => (folds[metric] && folds[metric].scores)
  || (((fit && fit.metrics) || []).find((m) => m.name === metric) || {}).cross_validation;
const halfOf = (metric) => (data.half_agreement || {})[metric];

function fitSection() {
  const node = section('fit', 'How far to believe the fit', 'Fit');
  const predicted = metricNames.filter((m) => folds[m] && folds[m].run.length);
  const halved = metricNames.filter((m) => runs && runs.half && runs.half.some((row) => isNumber(row[runs.metrics.indexOf(m)])));
  const scored = metricNames.filter(scoresOf);
  if (!scored.length && !predicted.length) node.append(absent('Nothing has been fitted:', 'fit'));
  if (!scored.length && !predicted.length && !halved.length) return;
  let metric = predicted[0] || halved[0] || target.name;
  const statistics = el('p', {class: 'scores'});
  const charts = [];
  const pairs = () => (folds[metric] ? folds[metric].run.map((run, i) => ({x: folds[metric].predicted[i], y: folds[metric].true[i],
    tip: `run ${run}\npredicted ${loss(folds[metric].predicted[i])}\ntrue ${loss(folds[metric].true[i])}`})) : []);
  const halves = () => {
    const m = runs.metrics.indexOf(metric);
    return m < 0 ? [] : runs.ids.map((run, i) => ({run, x: runs.half[i][m], y: runs.values[i][m]}))
      .filter((r) => isNumber(r.x) && isNumber(r.y))
      .map((r) => ({...r, tip: `run ${r.run}\nhalf way ${loss(r.x)}\nat the end ${loss(r.y)}`}));
  };
  if (predicted.length) {
    const title = 'Predicted against true: the closer to the line, the better';
    charts.push(figure('predicted', title, 'Each dot is a run, predicted by a fit that did not see it (cross-validation).', (width) => {
      const rows = pairs();
      return {spec: scatter(rows, width, title, `predicted ${axisOf(metric)}`, `true ${axisOf(metric)}`, true), rows: rows.length};
    }));
  }
  if (halved.length) {
    const title = 'Half way against the end: does the order last?';
    charts.push(figure('half', title, 'Each dot is a run; a rising band means that longer proxies would tell the same.', (width) => {
      const rows = halves();
      return {spec: scatter(rows, width, title, `half way: ${axisOf(metric)}`, `at the end: ${axisOf(metric)}`, false), rows: rows.length};
    }));
  }
  const tell = () => {
    const s = scoresOf(metric) || {}, half = halfOf(metric);
    statistics.textContent = [`Spearman ${fixed(s.spearman, 3)}`, `R² ${fixed(s.r2, 3)}`, `MSE ${isNumber(s.mse) ? Number(s.mse.toPrecision(3)) : '–'}`,
      `${plural(s.n || 0, 'run')}`, isNumber(half) ? `half way against end: Spearman ${fixed(half, 3)}` : null].filter(Boolean).join('  ·  ');
  };
  tell();
  const choices = [...new Set([...predicted, ...halved])];
  node.append(el('p', null, 'A fit that ranks runs it has not seen (Spearman near 1) can be trusted to rank mixtures like them. ',
    `${fit && fit.metrics && fit.metrics.length ? `Regressor: ${[...new Set(fit.metrics.map((m) => m.regressor).filter(Boolean))].join(', ')}.` : ''}`));
  if (choices.length) node.append(chooseMetric(choices, 'Metric', (name) => { metric = name; tell(); charts.forEach((c) => c.update()); }), statistics);
  node.append(el('div', {class: charts.length > 1 ? 'pair even' : 'single'}, charts.map((c) => c.node)));
  if (scored.length > 1) {
    node.append(el('div', {class: 'block'}, table('Scores of every metric, cross-validated', ['metric', 'Spearman', 'R²', 'MSE', 'mean abs. error', 'runs', 'half way against end'],
      scored.map((m) => {
        const s = scoresOf(m);
        return [{text: metricLabel(m), title: m}, fixed(s.spearman, 3), fixed(s.r2, 3), isNumber(s.mse) ? s.mse.toPrecision(3) : '–',
                isNumber(s.mae) ? s.mae.toPrecision(3) : '–', whole(s.n), fixed(halfOf(m), 3)];
      }), (i) => (scored[i] === target.name ? 'main' : null))));
  }
}

// ---- 4. what each domain does ----

const DOTS_A_FACET = 600;
function domainSection() {
  if (!runs) {
    section('domains', 'What each domain does', 'Domains', absent('No runs have been measured:', 'train'));
    return;
  }
  let metric = metricNames.find((m) => runs.metrics.includes(m));
  const stride = Math.ceil(runs.ids.length / DOTS_A_FACET);
  const weightOf = (d) => (optimum && optimum.mixture ? 100 * optimum.mixture[runs.domains[d]] : NaN);
  const rows = () => {
    const m = runs.metrics.indexOf(metric), out = [];
    runs.domains.forEach((domain, d) => runs.ids.forEach((run, i) => {
      const x = runs.mixtures[i][d], y = runs.values[i][m];
      if (i % stride === 0 && isNumber(x) && isNumber(y))
        out.push({facet: domainLabel(domain), x: 100 * x, y, tip: `run ${run}\n${domain} ${percent(x)}\n${metricLabel(metric)} ${loss(y)}`});
    }));
    return out;
  };
  const title = () => `How ${[metricLabel(metric), kindOf(metric)].filter(Boolean).join(' ')} moves with the share of each domain`;
  const multiples = figure('facets', title(), 'Each dot is a run; ρ is Spearman\u2019s rank correlation; the orange line marks the optimum.'
    + (stride > 1 ? ` One run in ${stride} is drawn.` : ''), (width) => {
    const m = runs.metrics.indexOf(metric), points = rows();
    const facets = runs.domains.map((domain, d) => ({name: domainLabel(domain), note: `ρ ${fixed(data.effects.spearman[d][m], 2)}`, mark: weightOf(d)}));
    return {spec: smallMultiples(facets, points, width, title(), 'share of the training tokens (%)', axisOf(metric)), rows: points.length};
  });
  const choose = chooseMetric(metricNames.filter((m) => runs.metrics.includes(m)), 'Metric',
    (name) => { metric = name; multiples.setTitle(title()); multiples.update(); });

  const columns = metricNames.filter((m) => runs.metrics.includes(m));
  const cells = runs.domains.flatMap((domain, d) => columns.map((name) => {
    const value = data.effects.spearman[d][runs.metrics.indexOf(name)];
    return {row: domainLabel(domain), column: metricLabel(name), value, label: isNumber(value) ? fixed(value, 2) : '',
            tip: `share of ${domain}\non ${name}\nSpearman ${fixed(value, 2)}`};
  }));
  const noise = 2 / Math.sqrt(Math.max(1, runs.ids.length));
  const heat = figure('effects', 'Which domain helps which metric', `Spearman correlation of a domain's share with a metric over ${plural(runs.ids.length, 'run')}; `
    + `between −${noise.toFixed(2)} and +${noise.toFixed(2)} it may be noise. Shares sum to one, so more of one domain is less of the others.`,
    (width) => ({spec: heatMap(cells, runs.domains.map(domainLabel), columns.map(metricLabel), width, 'Correlation of each domain with each metric'), rows: cells.length}),
    el('p', null, '−1, value falls', el('span', {class: 'ramp', role: 'img', 'aria-label': 'blue to orange'}), '+1, value rises with the share'));
  section('domains', 'What each domain does', 'Domains', choose, multiples.node, heat.node);
}

// ---- 5. learning curves ----

function curveSection() {
  const list = data.curves || [];
  if (!list.length) {
    section('curves', 'How the proxies learnt', 'Learning curves', absent('There are no logs of proxy runs:', 'train'));
    return;
  }
  const m = runs ? runs.metrics.indexOf(target.name) : -1;
  const valueOf = runs && m >= 0 ? Object.fromEntries(runs.ids.map((run, i) => [run, runs.values[i][m]])) : {};
  const ranked = list.map((c) => c.run).filter((run) => isNumber(valueOf[run])).sort((a, b) => targetSign * (valueOf[a] - valueOf[b]));
  const kind = (run) => (ranked.length < 2 ? '' : run === ranked[0] ? 'best' : run === ranked[ranked.length - 1] ? 'worst' : '');
  const lines = list.map((c) => ({run: c.run, kind: kind(c.run),
    tip: `run ${c.run}${c.diverged ? ', diverged' : ''}${kind(c.run) ? `, ${kind(c.run)} of all` : ''}\nlast train loss ${loss(c.loss[c.loss.length - 1])}`
      + `${isNumber(valueOf[c.run]) ? `\n${metricLabel(target.name)} ${loss(valueOf[c.run])}` : ''}`}));
  const points = list.flatMap((c) => c.tokens.map((tokens, i) => ({run: c.run, tokens, loss: c.loss[i]})));
  const marks = list.filter((c) => kind(c.run)).flatMap((c) => c.valid.map(([tokens, value]) => ({tokens, loss: value, kind: kind(c.run),
    tip: `run ${c.run}\n${metricLabel(target.name)} ${loss(value)}\nafter ${count(tokens)} tokens`})));
  const diverged = list.filter((c) => c.diverged).length;
  const chart = figure('curves', `Training loss of ${plural(list.length, 'proxy run')}`,
    `Each line is a run on its own mixture, so levels differ by what was read. ${marks.length ? `Dots: ${metricLabel(target.name)} loss on validation text. ` : ''}`
    + `${diverged ? `${plural(diverged, 'run')} diverged.` : ''}`,
    (width) => ({spec: curves(lines, points, marks, width, 'Training loss against tokens'), rows: lines.length}),
    ranked.length > 1 ? key(['main', `best run: ${ranked[0]}`], ['accent', `worst run: ${ranked[ranked.length - 1]}`], ['other', 'all others']) : null);
  section('curves', 'How the proxies learnt', 'Learning curves', chart.node);
}

// ---- 6. the corpus ----

function corpusSection() {
  const domains = data.corpus && data.corpus.domains;
  if (!domains) {
    section('corpus', 'The corpus', null, absent('No corpus has been prepared:', 'prepare'));
    return;
  }
  const budget = data.budget_tokens, mixture = (optimum && optimum.mixture) || {};
  const total = domains.reduce((sum, d) => sum + (d.train_tokens || 0), 0);
  const rows = domains.map((d) => {
    const w = mixture[d.name];
    return [{text: d.valid_only ? `${domainLabel(d.name)} (validation only)` : domainLabel(d.name), title: d.name}, whole(d.documents), count(d.train_tokens), d.valid_only ? '–' : percent(d.train_tokens / total),
            count(d.valid_tokens), fixed((d.train_bytes + d.valid_bytes) / (d.train_tokens + d.valid_tokens), 2),
            isNumber(w) && budget && d.train_tokens ? fixed(w * budget / d.train_tokens, 2) : '–',
            whole(d.duplicates), whole(d.overlaps), whole((d.bad_lines || 0) + (d.invalid_utf8 || 0))];
  });
  section('corpus', 'The corpus', null,
    el('p', null, `${plural(domains.length, 'domain')}, ${count(total)} training tokens, a vocabulary of ${whole(data.corpus.vocab)}.`
      + `${budget ? ` Epochs: how often a large model of ${count(budget)} tokens would see the domain at the optimum; up to four repeats do little harm.` : ''}`),
    el('div', {class: 'block'}, table('Domains', ['domain', 'documents', 'training tokens', 'share', 'validation tokens', 'bytes/token', 'epochs at the optimum',
      {text: 'duplicates dropped'}, {text: 'overlaps dropped', title: 'training documents that repeat target text'}, {text: 'bad lines', title: 'lines or bytes that could not be read'}], rows)));
}

// ---- 7. how it was made ----

function facts(object, prefix) {
  return Object.entries(object || {}).flatMap(([name, value]) => (value && typeof value === 'object' && !Array.isArray(value)
    ? facts(value, `${prefix}${name} `) : [[prefix + name.replace(/_/g, ' '), Array.isArray(value) ? value.join(', ') : String(value)]]));
}

function madeSection() {
  const p = data.proxies || {};
  const list = [['regmix', data.version]];
  if (p.runs) list.push(['proxy runs', `${p.done} of ${p.runs} finished, ${count(p.tokens)} tokens, ${scientific(p.flops)} FLOPs, ${duration(p.wall_s)} of run time`]);
  if (p.model) list.push(['proxy model', `${facts(p.model, '').map(([k, x]) => `${k} ${x}`).join(', ')}${p.parameters ? `; ${count(p.parameters)} parameters` : ''}`]);
  if (isNumber(p.seed)) list.push(['seed of the first run', String(p.seed)]);
  for (const [what, by] of [['proxies', p.made_by], ['fit', fit && fit.made_by], ['optimum', optimum && optimum.made_by],
                            ['comparison', data.comparison && data.comparison.made_by]])
    if (by && Object.keys(by).length) list.push([`${what}: made by`, facts(by, '').map(([k, x]) => `${k} ${x}`).join(', ')]);
  if (optimum && optimum.method) list.push(['search', [optimum.method, optimum.samples && `${whole(optimum.samples)} mixtures drawn`,
    optimum.top && `mean of the best ${whole(optimum.top)}`].filter(Boolean).join(', ')]);
  if (optimum && isNumber(optimum.distance)) list.push(['distance', `${percent(optimum.distance)} of the tokens differ from the nearest run`
    + `${isNumber(optimum.typical_distance) ? `; between a run and its nearest, typically ${percent(optimum.typical_distance)}` : ''}`]);
  if (data.corpus && data.corpus.hash) list.push(['corpus hash', String(data.corpus.hash)]);
  if (data.corpus && data.corpus.tokenizer_hash) list.push(['tokenizer hash', String(data.corpus.tokenizer_hash)]);
  section('made', 'How it was made', 'Provenance', el('dl', {class: 'facts'}, list.flatMap(([k, x]) => [el('dt', null, k), el('dd', null, x)])),
    data.config ? el('details', null, el('summary', null, 'The whole config, with every default'), el('pre', {tabindex: 0}, data.config))
      : absent('There is no resolved config:', 'init'));
}

// ---- all of it ----

main.textContent = '';
document.getElementById('title').textContent = data.title;
document.getElementById('foot').textContent = `Made by regmix ${data.version}. This page is complete: it loads nothing from anywhere.`;
answerSection();
compareSection();
fitSection();
domainSection();
curveSection();
corpusSection();
madeSection();
Promise.all(figures.map((chart) => chart.update())).then(() => { root.dataset.ready = Math.round(performance.now()); });

let waiting = 0;
window.addEventListener('resize', () => {
  cancelAnimationFrame(waiting);
  waiting = requestAnimationFrame(() => figures.forEach((chart) => { if (chart.plot.clientWidth !== chart.width) chart.update(); }));
});
