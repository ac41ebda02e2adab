// SPDX-License-Identifier: Apache-2.0
// The charts: each one is a function from plain rows and a width to a Vega specification, written by hand.
// Colours are CSS variables, so the charts follow the page's light, dark and print colours without being drawn
// again. The marks of data rows are named "rows"; data-rows of a figure is their expected number.
const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif';
const CONFIG = {
  background: null,
  font: FONT,
  axis: {
    domain: false,
    ticks: false,
    gridColor: 'var(--grid)',
    labelColor: 'var(--soft)',
    labelFontSize: 12,
    labelPadding: 6,
    titleColor: 'var(--soft)',
    titleFontSize: 12,
    titleFontWeight: 'normal',
    titlePadding: 8,
    aria: false,
  },
  group: {stroke: null},
  style: {'guide-label': {font: FONT}, 'guide-title': {font: FONT}},
};
const v = (value) => ({value});
const f = (field, scale, more) => Object.assign({field}, scale ? {scale} : {}, more);
const textWidth = (() => {
  const context = document.createElement('canvas').getContext('2d');
  return (text, size = 12) => {
    context.font = `${size}px ${FONT}`;
    return context.measureText(text).width;
  };
})();

// A name that does not fit is cut in its middle, since names often differ at their ends, like `_v1` and `_v2`. `front` is the
// share of the kept letters before the cut.
function shortened(text, room, size, front = 0.5) {
  if (textWidth(text, size) <= room) return text;
  const letters = [...text];
  for (let n = letters.length - 1; n > 1; n--) {
    const head = Math.max(1, Math.round(n * front));
    const cut = `${letters.slice(0, head).join('')}\u2026${letters.slice(letters.length - (n - head)).join('')}`;
    if (textWidth(cut, size) <= room) return cut;
  }
  return `${letters[0]}\u2026`;
}

// name => a label of no more than `room` pixels; all labels differ.
function labelsWithin(names, room, size = 12) {
  let labels = [];
  for (const front of [0.5, 0.3, 0.7, 0.15]) {
    labels = names.map((name) => shortened(name, room, size, front));
    if (new Set(labels).size === new Set(names).size) break;
  }
  const seen = new Set();
  const of = new Map(
    names.map((name, i) => {
      const label = seen.has(labels[i]) ? `${shortened(name, room - 24, size)} #${i + 1}` : labels[i];
      seen.add(label);
      return [name, label];
    }),
  );
  return (name) => of.get(name) || name;
}

// Tick counts for the available space.
const ticks = (length, each) => Math.max(2, Math.round(length / each));

function base(width, height, description, parts) {
  return Object.assign(
    {
      width,
      height,
      description,
      config: CONFIG,
      autosize: {type: 'fit', contains: 'padding', resize: true},
      padding: {left: 2, right: 8, top: 6, bottom: 2},
    },
    parts,
  );
}
const linear = (name, range, domain, more) =>
  Object.assign({name, type: 'linear', range, domain, nice: true, zero: false}, more);
// A mark with one item per row.
function rowsOf(type, enter, more) {
  enter.tooltip = f('tip');
  return Object.assign({name: 'rows', type, from: {data: 'table'}, aria: false, encode: {enter}}, more);
}
const plain = (type, data, enter) => ({
  type,
  from: data ? {data} : undefined,
  aria: false,
  interactive: false,
  encode: {enter},
});

// 1, 2, 5 times the powers of ten in a range; only the powers if those would be many.
function logTicks([low, high]) {
  const all = [];
  for (let e = Math.floor(Math.log10(low)); e <= Math.log10(high); e++)
    all.push(...[1, 2, 5].map((m) => m * 10 ** e));
  const inside = all.filter((x) => x >= low && x <= high);
  return inside.length > 9 ? inside.filter((x) => Number.isInteger(Math.log10(x))) : inside;
}

// The extent of all given numbers with a small margin; never empty.
function extent(values) {
  let low = Infinity,
    high = -Infinity;
  for (const x of values) if (Number.isFinite(x)) ((low = Math.min(low, x)), (high = Math.max(high, x)));
  if (low > high) return [0, 1];
  const air = (high - low) * 0.04 || Math.abs(high) * 0.01 || 1;
  return [low - air, high + air];
}

// Two bars per domain: rows {domain, kind: "optimum" | "prior", share, low, high, label, tip}, shares in
// percent.
function pairedBars(given, width, description) {
  const room = width < 480 ? 110 : 190;
  const label = labelsWithin([...new Set(given.map((r) => r.domain))], room);
  const rows = given.map((r) => ({...r, domain: label(r.domain)}));
  const kinds = [...new Set(rows.map((r) => r.kind))];
  const names = [...new Set(rows.map((r) => r.domain))];
  const step = kinds.length > 1 ? 36 : 26;
  const color = {signal: "datum.kind === 'optimum' ? 'var(--main)' : 'var(--other)'"};
  const middle = {scale: 'kind', field: 'kind', band: 0.5};
  const most = Math.max(...rows.map((r) => r.high || r.share));
  const at = (encode) => ({...encode, y: middle});
  return base(width, names.length * step + 44, description, {
    data: [{name: 'table', values: rows}],
    scales: [
      {name: 'domain', type: 'band', domain: names, range: 'height', padding: 0.22},
      linear('share', 'width', [0, most * (width < 480 ? 1.3 : 1.14)], {zero: true, nice: false}),
    ],
    axes: [
      {
        scale: 'share',
        orient: 'bottom',
        grid: true,
        title: 'share of the training tokens (%)',
        tickCount: ticks(width, 110),
      },
      {scale: 'domain', orient: 'left', labelLimit: room + 20, labelColor: 'var(--ink)'},
    ],
    marks: [
      {
        type: 'group',
        from: {facet: {data: 'table', name: 'pair', groupby: 'domain'}},
        aria: false,
        encode: {
          enter: {y: f('domain', 'domain'), height: {scale: 'domain', band: 1}, width: {signal: 'width'}},
        },
        signals: [{name: 'tall', update: "bandwidth('domain')"}],
        scales: [{name: 'kind', type: 'band', domain: kinds, range: [0, {signal: 'tall'}]}],
        marks: [
          rowsOf(
            'rect',
            {
              x: {scale: 'share', value: 0},
              x2: f('share', 'share'),
              y: f('kind', 'kind'),
              height: {scale: 'kind', band: 0.92},
              fill: color,
              cornerRadius: v(1),
            },
            {from: {data: 'pair'}},
          ),
          plain(
            'rule',
            'pair',
            at({
              x: f('low', 'share'),
              x2: f('high', 'share'),
              stroke: v('var(--ink)'),
              strokeWidth: v(1.3),
              opacity: {signal: 'datum.high > datum.low ? 0.85 : 0'},
            }),
          ),
          plain(
            'text',
            'pair',
            at({
              x: {scale: 'share', signal: 'max(datum.share, datum.high)', offset: 6},
              text: f('label'),
              baseline: v('middle'),
              fontSize: v(11.5),
              fill: {signal: "datum.kind === 'optimum' ? 'var(--ink)' : 'var(--soft)'"},
            }),
          ),
        ],
      },
    ],
  });
}

// A dot and an error bar per row: rows {name, mean, se, main, tip}. Rows with `said` come last and show that text instead of a
// dot: at the left, or at the right if the row is `beyond` the axis. `line` is a reference value.
function dots(given, width, description, xTitle, line) {
  const room = width < 480 ? 120 : 220;
  const label = labelsWithin(
    given.map((r) => r.name),
    room,
  );
  const rows = given.map((r) => ({...r, name: label(r.name)}));
  const drawn = rows.filter((r) => !r.said);
  const values = drawn.flatMap((r) => [r.mean - (r.se || 0), r.mean + (r.se || 0)]);
  return base(width, rows.length * (rows.length > 8 ? 28 : 34) + 50, description, {
    data: [
      {name: 'table', values: drawn},
      {name: 'said', values: rows.filter((r) => r.said)},
      {name: 'line', values: Number.isFinite(line) ? [{}] : []},
    ],
    scales: [
      {name: 'name', type: 'band', domain: rows.map((r) => r.name), range: 'height'},
      linear('x', 'width', extent(values)),
    ],
    axes: [
      {scale: 'x', orient: 'bottom', grid: true, title: xTitle, tickCount: ticks(width, 100)},
      {scale: 'name', orient: 'left', labelColor: 'var(--ink)', labelLimit: room + 20},
    ],
    marks: [
      plain('rule', 'line', {
        x: {scale: 'x', value: line},
        y: v(0),
        y2: {signal: `height * ${drawn.length / rows.length}`},
        stroke: v('var(--main)'),
        strokeDash: v([3, 4]),
        opacity: v(0.6),
      }),
      plain('rule', 'table', {
        x: {scale: 'x', signal: 'datum.mean - (datum.se || 0)'},
        x2: {scale: 'x', signal: 'datum.mean + (datum.se || 0)'},
        y: f('name', 'name', {band: 0.5}),
        strokeWidth: v(2),
        strokeCap: v('round'),
        stroke: {signal: "datum.main ? 'var(--main)' : 'var(--other)'"},
      }),
      rowsOf('symbol', {
        x: f('mean', 'x'),
        y: f('name', 'name', {band: 0.5}),
        size: v(85),
        fill: {signal: "datum.main ? 'var(--main)' : 'var(--soft)'"},
      }),
      plain('text', 'said', {
        x: {signal: 'datum.beyond ? width - 4 : 6'},
        y: f('name', 'name', {band: 0.5}),
        align: {signal: "datum.beyond ? 'right' : 'left'"},
        baseline: v('middle'),
        fontSize: v(12),
        text: f('said'),
        fill: {signal: "datum.beyond ? 'var(--ink)' : 'var(--accent)'"},
      }),
    ],
  });
}

// rows {x, y, tip}; with `diagonal` both axes are one and the line y = x is drawn.
function scatter(rows, width, description, xTitle, yTitle, diagonal) {
  const x = extent(diagonal ? rows.flatMap((r) => [r.x, r.y]) : rows.map((r) => r.x));
  const y = diagonal ? x : extent(rows.map((r) => r.y));
  const height = Math.min(width, 440);
  return base(width, height, description, {
    data: [
      {name: 'table', values: rows},
      {name: 'line', values: diagonal ? [{}] : []},
    ],
    scales: [linear('x', 'width', x, {nice: false}), linear('y', 'height', y, {nice: false})],
    axes: [
      {scale: 'x', orient: 'bottom', grid: true, title: xTitle, tickCount: ticks(width, 85)},
      {scale: 'y', orient: 'left', grid: true, title: yTitle, tickCount: ticks(height, 60)},
    ],
    marks: [
      plain('rule', 'line', {
        x: {scale: 'x', value: x[0]},
        x2: {scale: 'x', value: x[1]},
        y: {scale: 'y', value: x[0]},
        y2: {scale: 'y', value: x[1]},
        stroke: v('var(--soft)'),
        strokeDash: v([4, 4]),
      }),
      rowsOf('symbol', {
        x: f('x', 'x'),
        y: f('y', 'y'),
        size: v(rows.length > 200 ? 22 : 42),
        fill: v('var(--dots)'),
        fillOpacity: v(rows.length > 200 ? 0.55 : 0.75),
      }),
    ],
  });
}

// One small scatter plot per facet, with a common y scale and separate x scales: facets [{name, note, mark}], rows
// {facet, x, y, tip}. `mark` is the position of the optimum (NaN: none).
function smallMultiples(facets, rows, width, description, xTitle, yTitle) {
  const columns = Math.max(1, Math.min(facets.length, Math.floor((width - 50) / (width < 480 ? 150 : 196))));
  const left = 58,
    gap = 18,
    wide = (width - left - 12 - gap * (columns - 1)) / columns,
    tall = 118;
  const stacked = wide < 165,
    pitch = tall + (stacked ? 78 : 66); // narrow: the note is below the name
  const lines = Math.ceil(facets.length / columns);
  const y = extent(rows.map((r) => r.y));
  const groups = facets.map((facet, i) => {
    const mine = rows.filter((r) => r.facet === facet.name);
    const x = extent(mine.map((r) => r.x).concat(Number.isFinite(facet.mark) ? [facet.mark] : []));
    const data = `facet_${i}`;
    return {
      data: {name: data, values: mine},
      group: {
        type: 'group',
        aria: false,
        encode: {
          enter: {
            x: v(left + (i % columns) * (wide + gap)),
            y: v((stacked ? 40 : 28) + Math.floor(i / columns) * pitch),
            width: v(wide),
            height: v(tall),
          },
        },
        signals: [
          {name: 'width', value: wide},
          {name: 'height', value: tall},
        ],
        scales: [{name: 'x', type: 'linear', domain: [Math.min(0, x[0]), x[1]], range: [0, wide]}],
        axes: [
          {scale: 'x', orient: 'bottom', tickCount: 3, labelFontSize: 11, labelFlush: false},
          {
            scale: 'y',
            orient: 'left',
            grid: true,
            tickCount: 3,
            labels: i % columns === 0,
            labelFontSize: 11,
          },
        ],
        marks: [
          plain('rule', null, {
            x: {scale: 'x', value: facet.mark},
            y: v(0),
            y2: v(tall),
            stroke: v('var(--accent)'),
            strokeWidth: v(1.5),
            opacity: v(Number.isFinite(facet.mark) ? 0.9 : 0),
          }),
          rowsOf(
            'symbol',
            {
              x: f('x', 'x'),
              y: f('y', 'y'),
              size: v(mine.length > 200 ? 10 : 20),
              fill: v('var(--dots)'),
              fillOpacity: v(mine.length > 200 ? 0.5 : 0.75),
            },
            {from: {data}},
          ),
          plain('text', null, {
            x: v(0),
            y: v(stacked ? -22 : -8),
            text: v(shortened(facet.name, stacked ? wide : wide - 52, 13)),
            fontSize: v(12),
            fontWeight: v(600),
            fill: v('var(--ink)'),
          }),
          plain('text', null, {
            x: v(stacked ? 0 : wide),
            y: v(-8),
            align: v(stacked ? 'left' : 'right'),
            text: v(facet.note),
            fontSize: v(11.5),
            fill: v('var(--soft)'),
          }),
        ],
      },
    };
  });
  const height = lines * pitch + 6;
  return Object.assign(
    base(width - 4, height, description, {
      data: groups.map((g) => g.data),
      scales: [{name: 'y', type: 'linear', domain: y, range: [tall, 0], zero: false}],
      marks: groups
        .map((g) => g.group)
        .concat([
          plain('text', null, {
            x: v(left + (width - left) / 2),
            y: v(height - 4),
            align: v('center'),
            text: v(xTitle),
            fontSize: v(12),
            fill: v('var(--soft)'),
          }),
          plain('text', null, {
            x: v(12),
            y: v(height / 2 - 20),
            angle: v(-90),
            align: v('center'),
            text: v(yTitle),
            fontSize: v(12),
            fill: v('var(--soft)'),
          }),
        ]),
    }),
    {autosize: 'none', padding: 0},
  );
}

// One bar per row: rows {name, value, label, tip}.
function bars(given, width, description, xTitle) {
  const room = width < 480 ? 110 : 190;
  const label = labelsWithin(
    given.map((r) => r.name),
    room,
  );
  const rows = given.map((r) => ({...r, name: label(r.name)}));
  const greatest = Math.max(...rows.map((r) => r.value), 1e-12);
  return base(width, rows.length * 26 + 46, description, {
    data: [{name: 'table', values: rows}],
    scales: [
      {name: 'name', type: 'band', domain: rows.map((r) => r.name), range: 'height', padding: 0.25},
      linear(
        'x',
        'width',
        [Math.min(0, ...rows.map((r) => r.value)), greatest * (width < 480 ? 1.3 : 1.16)],
        {
          nice: false,
        },
      ),
    ],
    axes: [
      {scale: 'x', orient: 'bottom', grid: true, title: xTitle, tickCount: ticks(width, 110)},
      {scale: 'name', orient: 'left', labelColor: 'var(--ink)', labelLimit: room + 20},
    ],
    marks: [
      rowsOf('rect', {
        x: {scale: 'x', value: 0},
        x2: f('value', 'x'),
        y: f('name', 'name'),
        height: {scale: 'name', band: 1},
        fill: v('var(--main)'),
        cornerRadius: v(1),
      }),
      plain('text', 'table', {
        x: {scale: 'x', signal: 'max(0, datum.value)', offset: 6},
        y: f('name', 'name', {band: 0.5}),
        text: f('label'),
        baseline: v('middle'),
        fontSize: v(11.5),
        fill: v('var(--ink)'),
      }),
    ],
  });
}

// Dots joined by one line per kind: rows {x, y, kind, color, tip}.
function series(rows, width, description, xTitle, yTitle) {
  const height = Math.round(Math.min(300, width * 0.6));
  return base(width, height, description, {
    data: [{name: 'table', values: rows}],
    scales: [
      linear('x', 'width', extent(rows.map((r) => r.x)), {nice: false}),
      linear('y', 'height', extent(rows.map((r) => r.y))),
    ],
    axes: [
      {scale: 'x', orient: 'bottom', grid: true, title: xTitle, tickCount: ticks(width, 85)},
      {scale: 'y', orient: 'left', grid: true, title: yTitle, tickCount: ticks(height, 50)},
    ],
    marks: [
      {
        type: 'group',
        from: {facet: {data: 'table', name: 'one', groupby: 'kind'}},
        aria: false,
        interactive: false,
        marks: [
          plain('line', 'one', {
            x: f('x', 'x'),
            y: f('y', 'y'),
            stroke: f('color'),
            strokeWidth: v(1.8),
            strokeJoin: v('round'),
          }),
        ],
      },
      rowsOf('symbol', {
        x: f('x', 'x'),
        y: f('y', 'y'),
        size: v(70),
        fill: f('color'),
        stroke: v('var(--paper)'),
        strokeWidth: v(1),
      }),
    ],
  });
}

// A table of colours: cells {row, column, value in [-1, 1], label, tip}. Strength is opacity, so it
// suits any background.
const BLUE_TO_ORANGE = "datum.value < 0 ? 'var(--low)' : 'var(--high)'";
function heatMap(
  given,
  givenRows,
  givenColumns,
  width,
  description,
  rowTitle = 'domain (share of tokens)',
  color = BLUE_TO_ORANGE,
) {
  const room = width - Math.min(190, width * 0.3);
  const cell = room / givenColumns.length;
  const rowRoom = width < 480 ? 105 : 185,
    columnRoom = width < 480 ? 85 : 130;
  const rowLabel = labelsWithin(givenRows, rowRoom),
    columnLabel = labelsWithin(givenColumns, columnRoom, cell < 18 ? 10 : 12);
  const cells = given.map((c) => ({...c, row: rowLabel(c.row), column: columnLabel(c.column)}));
  const rowNames = givenRows.map(rowLabel),
    columnNames = givenColumns.map(columnLabel);
  const height = rowNames.length * 26 + 110;
  return base(width, height, description, {
    padding: {left: 2, right: width < 480 ? 28 : 12, top: 6, bottom: 2},
    data: [{name: 'table', values: cells}],
    scales: [
      {name: 'row', type: 'band', domain: rowNames, range: 'height', padding: 0.04},
      {name: 'column', type: 'band', domain: columnNames, range: 'width', padding: 0.04},
    ],
    axes: [
      {
        scale: 'row',
        orient: 'left',
        labelColor: 'var(--ink)',
        labelLimit: rowRoom + 20,
        title: width < 480 ? null : rowTitle,
      },
      {
        scale: 'column',
        orient: 'top',
        labelColor: 'var(--ink)',
        labelAngle: cell < 22 ? -90 : -40,
        labelAlign: 'left',
        labelBaseline: cell < 22 ? 'middle' : 'bottom',
        labelLimit: columnRoom + 20,
        labelOverlap: false,
        labelPadding: 4,
        labelFontSize: cell < 18 ? 10 : 12,
      },
    ],
    marks: [
      rowsOf('rect', {
        x: f('column', 'column'),
        width: {scale: 'column', band: 1},
        y: f('row', 'row'),
        height: {scale: 'row', band: 1},
        fill: {signal: color},
        fillOpacity: {signal: 'isValid(datum.value) ? 0.03 + 0.97 * abs(datum.value) : 0'},
        cornerRadius: v(2),
      }),
      plain('text', 'table', {
        x: f('column', 'column', {band: 0.5}),
        y: f('row', 'row', {band: 0.5}),
        align: v('center'),
        baseline: v('middle'),
        fontSize: v(11),
        text: cell >= 40 ? f('label') : v(''),
        fill: {signal: "abs(datum.value) > 0.6 ? 'var(--on-strong)' : 'var(--ink)'"},
      }),
    ],
  });
}

// One line per run: lines [{run, kind: "" | "best" | "worst", tip}], points {run, tokens, loss}; marks {tokens,
// loss, kind, tip}.
function curves(lines, points, marks, width, description, yTitle) {
  const height = Math.round(Math.min(440, Math.max(260, width * 0.5)));
  const rank = {'': 0, worst: 1, best: 2};
  const ordered = [...lines].sort((a, b) => rank[a.kind] - rank[b.kind]);
  const kindOf = Object.fromEntries(lines.map((line) => [line.run, line]));
  const of = {};
  for (const p of points)
    (of[p.run] = of[p.run] || []).push({...p, kind: kindOf[p.run].kind, tip: kindOf[p.run].tip});
  const color =
    "datum.kind === 'best' ? 'var(--main)' : datum.kind === 'worst' ? 'var(--accent)' : 'var(--other)'";
  const many = lines.length > 100;
  const highest = points.concat(marks).map((p) => p.loss);
  const x = [Math.min(...points.map((p) => p.tokens)), Math.max(...points.map((p) => p.tokens))];
  if (x[0] === x[1]) x[0] /= 2;
  return base(width, height, description, {
    data: [
      {name: 'table', values: ordered.flatMap((line) => of[line.run] || [])},
      {name: 'marks', values: marks},
    ],
    scales: [{name: 'x', type: 'log', range: 'width', domain: x}, linear('y', 'height', extent(highest))],
    axes: [
      {
        scale: 'x',
        orient: 'bottom',
        grid: true,
        title: 'training tokens',
        format: '~s',
        values: logTicks(x),
        labelOverlap: true,
      },
      {scale: 'y', orient: 'left', grid: true, title: yTitle, tickCount: ticks(height, 60)},
    ],
    marks: [
      {
        type: 'group',
        from: {facet: {data: 'table', name: 'line', groupby: 'run'}},
        aria: false,
        marks: [
          rowsOf(
            'line',
            {
              x: f('tokens', 'x'),
              y: f('loss', 'y'),
              stroke: {signal: color},
              strokeJoin: v('round'),
              strokeWidth: {signal: `datum.kind ? 2.4 : ${many ? 0.7 : 1}`},
              strokeOpacity: {signal: `datum.kind ? 1 : ${many ? 0.35 : 0.6}`},
            },
            {from: {data: 'line'}},
          ),
        ],
      },
      {
        type: 'symbol',
        from: {data: 'marks'},
        aria: false,
        encode: {
          enter: {
            x: f('tokens', 'x'),
            y: f('loss', 'y'),
            size: v(40),
            fill: {signal: color},
            stroke: v('var(--paper)'),
            strokeWidth: v(1),
            tooltip: f('tip'),
          },
        },
      },
    ],
  });
}

// The number of columns of a heat map that are readable in that width.
const columnsWithin = (width) => Math.max(6, Math.floor((width - Math.min(190, width * 0.3)) / 15));

// Parallel coordinates: one axis per domain, one line per mixture. axes [{name, most}]: from 0 to `most` percent; lines
// [{name, shares (percent, one an axis), color, strong, dash, tip}], the last drawn on top.
function parallel(axes, lines, width, description) {
  const top = 26,
    left = 14,
    pitch = (width - 2 * left - 50) / Math.max(1, axes.length - 1),
    tilted = pitch < 92;
  const room = tilted ? 120 : pitch - 8;
  const label = labelsWithin(
    axes.map((a) => a.name),
    room,
  );
  const tall = Math.round(Math.max(240, Math.min(360, width * 0.4))),
    bottom = tilted ? 104 : 30;
  const x = (k) => left + 25 + k * pitch;
  const points = lines.flatMap((line, i) =>
    line.shares.map((share, k) => ({
      line: i,
      x: x(k),
      y: tall * (1 - Math.min(1, Math.max(0, share / axes[k].most))),
      color: line.color,
      strong: line.strong,
      dash: line.dash || [],
      tip: line.tip,
    })),
  );
  const many = lines.length > 100;
  return Object.assign(
    base(width - 4, top + tall + bottom, description, {
      data: [
        {name: 'table', values: points},
        {name: 'axes', values: axes.map((a, k) => ({x: x(k), name: label(a.name), most: `${fixed(a.most, a.most < 9.5 ? 1 : 0)}\u202f%`}))},
      ],
      marks: [
        {
          type: 'group',
          aria: false,
          encode: {enter: {y: v(top), width: v(width), height: v(tall)}},
          marks: [
            plain('rule', 'axes', {x: f('x'), y: v(0), y2: v(tall), stroke: v('var(--line)')}),
            {
              type: 'group',
              from: {facet: {data: 'table', name: 'one', groupby: 'line'}},
              aria: false,
              marks: [
                rowsOf(
                  'line',
                  {
                    x: f('x'),
                    y: f('y'),
                    stroke: f('color'),
                    strokeJoin: v('round'),
                    strokeDash: f('dash'),
                    strokeWidth: {signal: `datum.strong ? 2.6 : ${many ? 0.9 : 1.3}`},
                    strokeOpacity: {signal: `datum.strong ? 1 : ${many ? 0.45 : 0.65}`},
                  },
                  {from: {data: 'one'}},
                ),
              ],
            },
            plain('text', 'axes', {
              x: f('x'),
              y: v(-8),
              align: v('center'),
              text: pitch < 34 ? v('') : f('most'),
              fontSize: v(11),
              fill: v('var(--soft)'),
            }),
            plain('text', 'axes', {
              x: f('x'),
              y: v(tall + (tilted ? 12 : 18)),
              angle: v(tilted ? -40 : 0),
              align: v(tilted ? 'right' : 'center'),
              text: f('name'),
              fontSize: v(12),
              fill: v('var(--ink)'),
            }),
          ],
        },
      ],
    }),
    {autosize: 'none', padding: 0},
  );
}
