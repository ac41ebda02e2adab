// SPDX-License-Identifier: Apache-2.0
// The methods that choose data, as `regmix compare --methods` measured them: loss, cost of the search, weights and how the
// weights moved. Without compare/methods.json this section is left out.

// Every method, the lowest target loss first, those without one at the end.
const methodRows = (() => {
  if (!data.methods) return [];
  const {methods, order, seeds} = data.methods;
  const rows = order.map((name) => {
    const m = methods[name],
      {mean, se, n} = m.target_loss || {};
    return {...m, name, mean, se, n, lost: isNumber(mean) && isNumber(seeds) ? seeds - n : 0};
  });
  const rank = (r) => (isNumber(r.mean) ? r.mean : Infinity);
  return rows.sort((a, b) => (rank(a) === rank(b) ? 0 : rank(a) - rank(b)));
})();

const methodLabel = (row) => rowLabel({name: row.name.replace(/^single-/, 'single:')});
const plusMinus = (mean, se) => `${loss(mean)}${isNumber(se) ? ` ± ${small(se)}` : ''}`;
const flopsOf = (x) => (x > 0 ? scientific(x) : x === 0 ? '0' : '–');
const isFailed = (row) => !isNumber(row.mean);
const failure = (row) => String(row.status || 'no result').replace(/^done$/, 'no result');

// The target that is lowered: "exam validation loss". Its weights may differ from those of the optimum's target.
function methodsTarget() {
  const weights = Object.entries(data.methods.target || {});
  if (weights.length !== 1) return 'weighted target loss';
  const [metric, weight] = weights[0];
  return `${weight === 1 ? '' : `${weight} × `}${domainLabel(metric.replace(/_val_loss$/, ''))} validation loss`;
}

function methodsSentence(first, done) {
  const winner = done[0],
    name = methodLabel(winner),
    gap = winner.against_first;
  let text = `${name} has the lowest ${methodsTarget()}, ${plusMinus(winner.mean, winner.se)} nats/token`;
  if (winner !== first && !isFailed(first) && gap && isNumber(gap.mean) && gap.mean < 0)
    text += `, ${small(-gap.mean)} below ${methodLabel(first)}`;
  text += '.';
  const others = isFailed(first) ? [] : done.filter((r) => r !== first);
  const verdicts = others.map((r) => judged(r.against_first).verdict);
  if (verdicts.some(isNumber)) {
    const parts = [
      [1, 'clearly worse'],
      [-1, 'clearly better'],
      [0, 'not clearly different'],
    ]
      .map(([verdict, what]) => [verdicts.filter((x) => x === verdict).length, what])
      .filter(([n]) => n);
    text += ` Compared with ${methodLabel(first)} over paired seeds, ${parts.map(([n, what]) => `${n} ${what}`).join(', ')}. A difference is clear if its 95\u202f% t interval does not contain 0.`;
  } else if (others.length) text += ' There are too few seeds to compare the methods.';
  const eyes = done.filter((r) => r.sees_target === true),
    blind = done.filter((r) => r.sees_target === false);
  if (eyes.length && blind.length)
    text += ` Not all methods see the target: ${blind.map(methodLabel).join(', ')} ${blind.length > 1 ? 'do' : 'does'} not, which may explain a higher loss.`;
  return text;
}

// A method with a far larger loss would compress the axis, so it is shown at the edge. Far: beyond three times the spread of
// the better three quarters, if that makes the axis less than half as long.
function lossLimit(done) {
  if (done.length < 4) return Infinity;
  const [low, high] = [done[0].mean, done[Math.ceil(0.75 * done.length) - 1].mean];
  const limit = low + 3 * (high - low),
    within = done.filter((r) => r.mean <= limit);
  return high > low && done[done.length - 1].mean - low > 2 * (within[within.length - 1].mean - low)
    ? limit
    : Infinity;
}

const errorsTold = () =>
  methodRows.some((r) => isNumber(r.se))
    ? 'bars are ± one standard error'
    : 'error bars need two seeds';

function methodTip(row) {
  return [
    `${row.name}: ${plusMinus(row.mean, row.se)} nats/token`,
    `${plural(row.n, 'seed')}${row.lost > 0 ? `, ${row.lost} diverged` : ''}`,
    `search: ${flopsOf(row.search_flops)} FLOPs${row.search_wall_s > 0 ? `, ${duration(row.search_wall_s)}` : ''}`,
  ].join('\n');
}

function methodLossFigure(first, done, limit) {
  const axis = `${methodsTarget()} (nats/token)`;
  const rows = methodRows.map((r) => ({
    name: methodLabel(r),
    mean: r.mean,
    se: r.se,
    main: r === first,
    tip: methodTip(r),
    beyond: r.mean > limit,
    said: isFailed(r) ? failure(r) : r.mean > limit ? `${plusMinus(r.mean, r.se)} \u2192` : null,
  }));
  const title = 'Target loss of the large model for each method';
  const far = rows.some((r) => r.beyond);
  return figure(
    'methods-loss',
    title,
    `Dots are means over the seeds; ${errorsTold()}. Left is better.${isFailed(first) ? '' : ` The dashed line is ${methodLabel(first)}.`}` +
      `${far ? ' An arrow marks a value beyond the axis.' : ''}`,
    (width) => ({
      spec: dots(rows, width, title, axis, isFailed(first) ? NaN : first.mean),
      rows: rows.filter((r) => !r.said).length,
    }),
  );
}

// Without any cost there is nothing to plot.
function methodCostFigure(first, done, limit) {
  const points = done
    .filter((r) => isNumber(r.search_flops))
    .map((r) => ({
      name: methodLabel(r),
      x: r.search_flops,
      y: r.mean,
      se: r.se,
      main: r === first,
      tip: methodTip(r),
      beyond: r.mean > limit ? `${loss(r.mean)} \u2191` : null,
    }));
  if (!points.some((p) => p.x > 0)) return null;
  const title = 'Cost of the search, and the target loss that it reached';
  const budget = data.methods.budget_flops;
  return figure(
    'methods-cost',
    title,
    `Lower and further left is better; ${errorsTold()}. The FLOPs of a search include reference models, proxies, scoring and ` +
      'validation. Runs that several methods share count for each method.' +
      `${points.some((p) => !(p.x > 0)) ? ' Methods without cost are at the left edge.' : ''}` +
      `${budget > 0 ? ` The budget is ${scientific(budget)} FLOPs, for methods with a free cost.` : ''}`,
    (width) => ({
      spec: namedPoints(
        points,
        width,
        title,
        `FLOPs of the search (log axis${points.some((p) => !(p.x > 0)) ? '; 0 apart' : ''})`,
        `${methodsTarget()} (nats/token)`,
        budget,
      ),
      rows: points.length,
    }),
  );
}

const methodDomains = () => [...new Set(methodRows.flatMap((r) => Object.keys(r.weights || {})))];

function methodTrackFigure() {
  const domains = methodDomains();
  const panels = methodRows
    .filter((r) => data.methods.tracks[r.name])
    .map((r) => {
      const {tokens, mixture} = data.methods.tracks[r.name];
      return {
        name: methodLabel(r),
        note: r.chooses_while_training ? 'in the large model, first seed' : 'in its search',
        lines: Object.entries(mixture).map(([domain, shares]) => {
          const k = Math.max(0, domains.indexOf(domain));
          return {
            name: domainLabel(domain),
            color: `var(--line-${k % 8})`,
            dash: [[], [6, 3], [2, 2]][Math.floor(k / 8) % 3],
            x: tokens,
            y: shares.map((w) => (isNumber(w) ? 100 * w : null)),
            tip: `${r.name}, ${domain}\nfrom ${percent(shares[0])} to ${percent(shares[shares.length - 1])}`,
          };
        }),
      };
    })
    .filter((p) => p.lines.length);
  if (!panels.length) return null;
  const title = 'How the weights moved';
  const lines = panels.reduce((sum, p) => sum + p.lines.length, 0);
  return figure(
    'methods-tracks',
    title,
    'These methods change the mixture during training. Each line is a domain.',
    (width) => ({
      spec: trajectories(panels, width, title, 'training tokens', 'share of the tokens (%)'),
      rows: lines,
    }),
  );
}

function methodWeightFigure() {
  const found = methodRows.filter((r) => r.weights),
    domains = methodDomains();
  if (!found.length) return null;
  const brief = (w) => (!isNumber(w) ? '' : w === 0 ? '0' : w < 0.0005 ? '<0.1' : fixed(100 * w, 1));
  const cells = domains.flatMap((domain) =>
    found.map((r) => {
      const w = r.weights[domain];
      return {
        row: domainLabel(domain),
        column: methodLabel(r),
        value: isNumber(w) ? Math.sqrt(w) : null,
        label: brief(w),
        tip: `${r.name}\n${domain} ${percent(w)}`,
      };
    }),
  );
  const steered = found.filter((r) => r.chooses_while_training).map(methodLabel);
  const title = 'The weights of each method (% of the training tokens)';
  return figure(
    'methods-weights',
    title,
    `The method with the lowest loss is first. A stronger colour is a larger weight.${steered.length ? ` For ${steered.join(', ')} these are the shares over the whole training.` : ''}`,
    (width) => ({
      spec: heatMap(
        cells,
        domains.map(domainLabel),
        found.map(methodLabel),
        width,
        title,
        'domain',
        "'var(--low)'",
      ),
      rows: cells.length,
    }),
  );
}

function methodTable(first) {
  const eyed = methodRows.some((r) => typeof r.sees_target === 'boolean');
  const rounds = (r) =>
    r.converged === true ? 'converged' : r.converged === false ? 'did not converge' : '–';
  const outcome = (r) =>
    isFailed(r)
      ? {text: failure(r), title: r.why}
      : r.lost > 0
        ? `${r.lost} of ${plural(data.methods.seeds, 'seed')} diverged`
        : rounds(r);
  return table(
    'The methods, by target loss',
    [
      'method',
      'target loss (nats/token)',
      '± se',
      ...(isFailed(first)
        ? []
        : [
            `minus ${methodLabel(first)}, paired`,
            {text: '95\u202f% interval', title: 'of the paired difference, by Student\u2019s t'},
          ]),
      ...(eyed ? [{text: 'sees the target', title: 'whether the method uses the target to choose the data'}] : []),
      {text: 'search FLOPs', title: 'all FLOPs of the search'},
      {text: 'search time', title: 'sum of the time of all its runs'},
      'seeds',
      {text: 'outcome', title: 'whether a method that works in rounds converged'},
    ],
    methodRows.map((r) => {
      const gap = r === first ? null : r.against_first;
      return [
        {text: methodLabel(r), title: r.name},
        loss(r.mean),
        isNumber(r.se) ? small(r.se) : '–',
        ...(isFailed(first)
          ? []
          : [
              gap && isNumber(gap.mean) ? signed(gap.mean) : '–',
              gap ? judged(gap).span : '–',
            ]),
        ...(eyed ? [r.sees_target === true ? 'yes' : r.sees_target === false ? 'no' : '–'] : []),
        flopsOf(r.search_flops),
        r.search_wall_s > 0
          ? duration(r.search_wall_s)
          : r.search_flops > 0
            ? {text: '–', title: 'the search is part of the training'}
            : '0 s',
        whole(r.n),
        outcome(r),
      ];
    }),
    (i) => (methodRows[i] === first ? 'main' : null),
  );
}

function methodLossTable(done) {
  const domains = [...new Set(done.flatMap((r) => Object.keys(r.loss_nats || {})))];
  if (!domains.length) return null;
  return table(
    'Validation loss of every domain (nats/token); the best of each row is bold',
    ['domain', ...done.map(methodLabel)],
    domains.map((domain) => {
      const cells = done.map((r) => (r.loss_nats || {})[domain] || {});
      const best = Math.min(...cells.map((c) => (isNumber(c.mean) ? c.mean : Infinity)));
      return [
        {text: domainLabel(domain), title: domain},
        ...cells.map((c) => ({
          text: loss(c.mean),
          class: isNumber(c.mean) && c.mean === best ? 'best' : null,
          title: isNumber(c.se) ? `± ${small(c.se)}` : null,
        })),
      ];
    }),
  );
}

// A note as text: short numbers, values by domain in brackets; longer values are only in the file.
function noteText(value) {
  if (isNumber(value))
    return Number.isInteger(value) && Math.abs(value) < 1e6 ? whole(value) : String(Number(value.toPrecision(4)));
  if (Array.isArray(value))
    return value.length > 12 || value.some((x) => x && typeof x === 'object')
      ? `${plural(value.length, 'entry').replace('entrys', 'entries')}, in compare/methods.json`
      : value.map(noteText).join(', ');
  if (value && typeof value === 'object')
    return `(${Object.entries(value)
      .map(([name, x]) => `${shortDomain[name] || name.replace(/_/g, ' ')} ${noteText(x)}`)
      .join(', ')})`;
  return value === true ? 'yes' : value === false ? 'no' : value == null ? '–' : String(value);
}

function methodNotes() {
  const told = methodRows.filter((r) => Object.keys(r.notes || {}).length || r.why);
  if (!told.length) return null;
  return el(
    'div',
    {class: 'block notes'},
    el('h3', null, 'Variant and settings of each method'),
    el(
      'dl',
      {class: 'facts'},
      told.flatMap((r) => [
        el('dt', null, methodLabel(r)),
        el(
          'dd',
          null,
          [
            r.why && `${failure(r)}: ${r.why}`,
            ...Object.entries(r.notes || {}).map(([key, x]) => `${key.replace(/_/g, ' ')}: ${noteText(x)}`),
          ]
            .filter(Boolean)
            .join('; '),
        ),
      ]),
    ),
  );
}

function methodsSection() {
  if (!methodRows.length) return;
  const {order, seeds, tokens} = data.methods;
  const first = methodRows.find((r) => r.name === order[0]),
    done = methodRows.filter((r) => !isFailed(r));
  const failed = methodRows.filter(isFailed).map(methodLabel),
    limit = lossLimit(done);
  const charts = [
    done.length ? methodLossFigure(first, done, limit) : null,
    methodCostFigure(first, done, limit),
    methodWeightFigure(),
    methodTrackFigure(),
  ].filter(Boolean);
  section(
    'methods',
    'Methods to choose the data, measured',
    'Methods',
    done.length ? el('p', {class: 'lead'}, methodsSentence(first, done)) : null,
    el(
      'p',
      null,
      `${plural(methodRows.length, 'method')}. The same large model was trained on the result of each method` +
        `${tokens ? `, on ${count(tokens)} tokens` : ''}${seeds ? `, with ${seeds === 1 ? 'one seed' : `the same ${whole(seeds)} seeds`}` : ''}.` +
        `${failed.length ? ` No result: ${failed.join(', ')}.` : ''}`,
    ),
    ...charts.slice(0, 1).map((c) => c.node),
    el('div', {class: 'block'}, methodTable(first)),
    ...charts.slice(1).map((c) => c.node),
    methodLossTable(done) ? el('div', {class: 'block'}, methodLossTable(done)) : null,
    methodNotes(),
  );
}
