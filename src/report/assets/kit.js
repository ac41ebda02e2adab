// SPDX-License-Identifier: Apache-2.0
// The parts of the page: elements, readable numbers, names, tables, figures. Text of the user is inserted as
// text, never as markup.
'use strict';
const root = document.documentElement;
window.addEventListener('error', (e) => {
  root.dataset.errors = `${root.dataset.errors || ''}${e.message}\n`;
});
window.addEventListener('unhandledrejection', (e) => {
  root.dataset.errors = `${root.dataset.errors || ''}${e.reason}\n`;
});
const data = JSON.parse(document.getElementById('data').textContent);

// ---- elements and numbers ----

function el(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes || {}))
    if (value != null && value !== false) node.setAttribute(key, value);
  for (const child of children.flat()) if (child != null) node.append(child);
  return node;
}
const isNumber = (x) => typeof x === 'number' && Number.isFinite(x);
const fixed = (x, digits) =>
  isNumber(x)
    ? x
        .toFixed(digits)
        .replace(/^-(?=[0.]*$)/, '')
        .replace('-', '\u2212')
    : '–';
// 3.47e-6: where three or four decimals would be zeros
const tiny = (x, digits) => Number(x.toPrecision(digits)).toExponential().replace(/-/g, '\u2212');
const isTiny = (x) => x !== 0 && Math.abs(x) < 0.0005;
const loss = (x) => (!isNumber(x) ? '–' : Math.abs(x) >= 1000 ? count(x, 5) : isTiny(x) ? tiny(x, 4) : fixed(x, 3));
const small = (x) =>
  !isNumber(x) ? '–' : Math.abs(x) >= 1000 ? count(x) : isTiny(x) && Math.abs(x) < 0.00005 ? tiny(x, 2) : fixed(x, Math.abs(x) < 0.00995 && x !== 0 ? 4 : 3);
// whether a difference of a value is shown as none
const isSame = (gap, of) => Math.abs(gap) < 5e-5 * Math.min(1, Math.abs(of));
const signed = (x) => (x > 0 ? '+' : '') + small(x);
const whole = (x) => (isNumber(x) ? Math.round(x).toLocaleString('en').replace(/,/g, '\u202f') : '–');
function percent(share) {
  if (!isNumber(share)) return '–';
  const p = 100 * share,
    size = Math.abs(p);
  return `${p === 0 ? '0' : fixed(p, size >= 0.95 ? 1 : size >= 0.095 ? 2 : 3)}\u202f%`;
}
// 1234567 -> 1.23 M
function count(x, digits = 3) {
  if (!isNumber(x)) return '–';
  const units = [
    [1e24, 'Y'],
    [1e21, 'Z'],
    [1e18, 'E'],
    [1e15, 'P'],
    [1e12, 'T'],
    [1e9, 'G'],
    [1e6, 'M'],
    [1e3, 'k'],
  ];
  const unit = units.find(([size]) => Math.abs(x) >= size * 0.9995);
  return unit ? `${Number((x / unit[0]).toPrecision(digits))}\u202f${unit[1]}` : String(Number(x.toPrecision(3)));
}
const scientific = (x) => (x > 0 ? x.toExponential(1).replace('e+', 'e') : '–');
function duration(s) {
  if (!(s > 0)) return '–';
  const one = (x) => Number(x.toPrecision(2));
  return s < 90
    ? `${one(s)} s`
    : s < 5400
      ? `${one(s / 60)} min`
      : s < 172800
        ? `${one(s / 3600)} h`
        : `${one(s / 86400)} days`;
}
const plural = (n, word) => `${whole(n)} ${word}${n === 1 ? '' : 's'}`;

// ---- names: the part that all have in common is left out ----

// phase_0_web is what a fit of phases calls the domain web in phase 0.
const PHASE = /^phase_([0-9]+)_(.+)$/;
const hasPhases = Boolean((data.fit && data.fit.phases) || (data.optimum && data.optimum.phases));
const plainName = (name) => (hasPhases ? name.replace(PHASE, '$2') : name);

function shortNames(names) {
  const whole = hasPhases && names.some((name) => PHASE.test(name));
  if (whole) return Object.fromEntries(names.map((name) => [name, name.replace(PHASE, '$2 in phase $1')]));
  const bare = names.map(
    (name) =>
      name
        .replace(/^metric\//, '')
        .replace(/^(train|valid)_/, '')
        .replace(/_val_loss$/, '') || name,
  );
  let common = bare.length > 2 ? bare[0] : '';
  for (const name of bare) while (!name.startsWith(common)) common = common.slice(0, -1);
  common = common.replace(/[^_/:.-]*$/, '');
  const cut = bare.map((name) => name.slice(common.length) || name);
  const use = new Set(cut).size === names.length ? cut : names;
  return Object.fromEntries(names.map((name, i) => [name, use[i]]));
}
// Values of several sizes do not compare, so charts of values show the runs of the largest one.
const ofLargest = (i) => !runs.judged || runs.judged[i];
const runs = data.runs,
  optimum = data.optimum,
  fit = data.fit,
  folds = data.folds || {};
const domainNames = [
  ...new Set([
    ...Object.keys(optimum ? optimum.mixture || {} : {}),
    ...(runs ? runs.domains : []),
    ...(fit ? fit.domains || [] : []),
    ...(data.corpus ? data.corpus.domains.map((d) => d.name) : []),
    ...(data.methods
      ? Object.values(data.methods.methods).flatMap((m) => Object.keys({...m.weights, ...m.loss_nats}))
      : []),
  ]),
];
const WEIGHTED = 'weighted target';
const target = data.target || {
  name: (runs && runs.metrics[0]) || Object.keys(folds)[0],
  weights: {},
  assumed: true,
};
const metricNames = [
  ...new Set([
    target.name,
    ...(runs ? runs.metrics : []),
    ...Object.keys(folds),
    ...(fit ? (fit.metrics || []).map((m) => m.name) : []),
  ]),
].filter(Boolean);
const shortDomain = shortNames(domainNames);
const shortMetric = {...shortNames(metricNames.filter((m) => m !== WEIGHTED)), [WEIGHTED]: WEIGHTED};
const domainLabel = (name) => shortDomain[name] || name;
const metricLabel = (name) => shortMetric[name] || name;
// A shorter version, for the head of a column.
const briefDomainLabel = labelsWithin(domainNames.map(domainLabel), 138, 14.4),
  briefMetricLabel = labelsWithin(metricNames.map(metricLabel), 138, 14.4);
const briefDomain = (name) => briefDomainLabel(domainLabel(name)),
  briefMetric = (name) => briefMetricLabel(metricLabel(name));
// The losses of an experiment are in nats per token. The unit of a metric of the user's own table is not known,
// unless its name contains it.
function unitOf(metric) {
  if (metric === WEIGHTED) {
    const units = [...new Set(Object.keys(target.weights).map(unitOf))];
    return units.length === 1 ? units[0] : '';
  }
  if (/bits_per_byte|(^|[^a-z])bpb([^a-z]|$)/i.test(metric)) return 'bits/byte';
  return data.experiment && /_val_loss$/.test(metric) ? 'nats/token' : '';
}
const kindOf = (metric) => (metric !== WEIGHTED && unitOf(metric) === 'nats/token' ? 'validation loss' : '');
const isScore = (metric) =>
  metric !== WEIGHTED &&
  (target.weights[metric] < 0 || ((fit && fit.metrics) || []).some((m) => m.name === metric && m.higher_is_better));
const nameOf = (metric) => [metricLabel(metric), kindOf(metric)].filter(Boolean).join(' ');
const axisOf = (metric) =>
  [nameOf(metric), unitOf(metric) ? `(${unitOf(metric)})` : isScore(metric) ? '(higher is better)' : '']
    .filter(Boolean)
    .join(' ');
const withUnit = (text, metric) => (unitOf(metric) ? `${text}\u00a0${unitOf(metric)}` : text);
// A single metric to maximise is shown with its own sign, although the score is its negative.
const targetSign = Object.keys(target.weights).length === 1 && target.weights[target.name] < 0 ? -1 : 1;
const targetWeight = Object.keys(target.weights).length === 1 ? target.weights[target.name] : 1;

// The origin of the prior, as text: every gain is relative to it.
const priorText =
  (optimum && optimum.prior_text) ||
  (data.experiment && data.corpus ? 'the share of the available tokens' : 'its origin is not recorded');
const budgetTokens = data.budget_tokens;
// The tokens of a domain are there once for all phases.
const tokensOf = (domain) => (data.tokens || {})[domain] ?? (data.tokens || {})[plainName(domain)];

// A paired difference (above 0: the first is better) as the program judged it: verdict 1, 0, -1, or NaN if it is unknown.
function judged(gap) {
  const {low, high, verdict} = gap || {};
  const known = isNumber(low) && isNumber(high);
  return {
    known,
    verdict: known ? (low > 0 ? 1 : high < 0 ? -1 : 0) : NaN,
    words: verdict || '\u2013',
    span: known ? `${signed(low)} to ${signed(high)}` : '\u2013',
  };
}

// ---- parts of the page ----

const main = document.getElementById('main'),
  contents = document.getElementById('contents');
function section(id, title, contentsTitle, ...children) {
  const node = el(
    'section',
    {id, 'aria-labelledby': `${id}-title`},
    el('h2', {id: `${id}-title`}, title),
    ...children,
  );
  main.append(node);
  contents.append(el('a', {href: `#${id}`}, contentsTitle || title));
  return node;
}
const absent = (what, command, does) =>
  el('p', {class: 'absent'}, `${what}; `, el('code', null, `regmix ${command}`), ` ${does}.`);
// A section that only an experiment can have; a page about other tables leaves it out.
const needsExperiment = (...made) => {
  if (data.experiment || !fit) section(...made);
};

// columns: names; rows: arrays of text, or {text, class, title}.
function table(caption, columns, rows, rowClass) {
  return el(
    'div',
    {class: 'table'},
    el('h3', null, caption),
    el(
      'div',
      {class: 'scroll', tabindex: 0, role: 'region', 'aria-label': caption},
      el(
        'table',
        null,
        el(
          'thead',
          null,
          el(
            'tr',
            null,
            columns.map((name) => el('th', {scope: 'col', title: name.title}, name.text || name)),
          ),
        ),
        el(
          'tbody',
          null,
          rows.map((cells, i) =>
            el(
              'tr',
              {class: rowClass && rowClass(i)},
              cells.map((cell) =>
                cell && typeof cell === 'object'
                  ? el('td', {class: cell.class, title: cell.title}, cell.text)
                  : el('td', null, cell),
              ),
            ),
          ),
        ),
      ),
    ),
  );
}

// A table that its heads sort: columns [{text, title, of(row): sort key, cell(row): content}]. Rows without a value come last
// in both orders. At first it shows no more than `most` rows.
function sortable(caption, columns, rows, most, rowClass) {
  let by = null,
    down = false,
    all = rows.length <= most;
  const body = el('tbody'),
    more = el('button', {type: 'button'}),
    empty = (x) => x == null || (typeof x === 'number' && !Number.isFinite(x));
  const compare = (a, b) => {
    const x = by.of(a),
      y = by.of(b);
    if (empty(x) || empty(y)) return empty(x) - empty(y);
    const order = typeof x === 'number' ? x - y : String(x).localeCompare(String(y), 'en', {numeric: true});
    return down ? -order : order;
  };
  const heads = columns.map((column) => {
    const button = el('button', {type: 'button', class: 'sort', title: column.title}, column.text);
    button.addEventListener('click', () => {
      down = by === column ? !down : false;
      by = column;
      fill();
    });
    return el('th', {scope: 'col'}, button);
  });
  function fill() {
    const sorted = by ? [...rows].sort(compare) : rows;
    heads.forEach((head, i) => {
      if (columns[i] === by) head.setAttribute('aria-sort', down ? 'descending' : 'ascending');
      else head.removeAttribute('aria-sort');
    });
    body.replaceChildren(
      ...(all ? sorted : sorted.slice(0, most)).map((row) =>
        el(
          'tr',
          {class: rowClass && rowClass(row)},
          columns.map((column) => {
            const cell = column.cell(row);
            return cell && typeof cell === 'object' ? el('td', {class: cell.class, title: cell.title}, cell.text) : el('td', null, cell);
          }),
        ),
      ),
    );
    more.hidden = all;
    more.textContent = `Show all ${plural(rows.length, 'row')}`;
  }
  more.addEventListener('click', () => {
    all = true;
    fill();
  });
  fill();
  return el(
    'div',
    {class: 'table sortable'},
    el('h3', null, caption),
    el(
      'div',
      {class: 'scroll', tabindex: 0, role: 'region', 'aria-label': caption},
      el('table', null, el('thead', null, el('tr', null, heads)), body),
    ),
    more,
  );
}

const tip = el('div', {id: 'tip', role: 'tooltip', hidden: ''});
document.body.append(tip);
function showTip(handler, event, item, text) {
  tip.hidden = text == null || text === '';
  if (tip.hidden) return;
  tip.textContent = text;
  const point = event.changedTouches ? event.changedTouches[0] : event,
    box = tip.getBoundingClientRect();
  tip.style.left = `${Math.max(4, Math.min(point.clientX + 14, root.clientWidth - box.width - 4))}px`;
  tip.style.top = `${point.clientY + box.height + 24 > window.innerHeight ? point.clientY - box.height - 10 : point.clientY + 16}px`;
}

// A figure that adapts to its width. `draw(width)` returns {spec, rows}.
const figures = [];
function figure(name, title, note, draw, key) {
  const caption = el(
    'figcaption',
    null,
    el('h3', null, title),
    note ? el('p', null, note) : null,
    key || null,
  );
  const plot = el('div', {class: 'plot'});
  const node = el('figure', {'data-chart': name, 'data-rows': 0}, caption, plot);
  const chart = {
    node,
    plot,
    width: 0,
    view: null,
    setTitle: (text) => {
      caption.firstChild.textContent = text;
    },
    setNote: (text) => {
      caption.children[1].textContent = text;
    },
  };
  chart.update = () => {
    chart.width = plot.clientWidth;
    const {spec, rows} = draw(Math.max(260, chart.width));
    node.dataset.rows = rows;
    if (chart.view) chart.view.finalize();
    chart.view = new chartLibrary.View(chartLibrary.parse(spec), {
      renderer: 'svg',
      container: plot,
      hover: false,
      tooltip: showTip,
    });
    return chart.view.runAsync().catch((e) => {
      root.dataset.errors = `${root.dataset.errors || ''}${name}: ${e.message}\n`;
      plot.textContent = `This chart could not be drawn: ${e.message}`;
    });
  };
  figures.push(chart);
  return chart;
}
const key = (...items) =>
  el(
    'ul',
    {class: 'key'},
    items
      .filter(Boolean)
      .map(([color, text]) => {
        const [name, cls] = color.split(' ');
        return el('li', null, el('i', {class: cls, style: `background:var(--${name})`}), text);
      }),
  );

function chooseMetric(names, label, onChange) {
  const select = el(
    'select',
    null,
    names.map((name) =>
      el(
        'option',
        {value: name},
        name === target.name && !target.assumed && name !== WEIGHTED
          ? `${metricLabel(name)} (target)`
          : metricLabel(name),
      ),
    ),
  );
  select.addEventListener('change', () => onChange(select.value));
  return el('label', {class: 'choose'}, label, select);
}
