// SPDX-License-Identifier: Apache-2.0
// Charts with direct labels: points with names, lines with names at their ends. The space for a name depends on pixels, so
// the layout is done here and not by Vega.
const overlap = (a, b) =>
  Math.max(0, Math.min(a.x1, b.x1) - Math.max(a.x0, b.x0)) *
  Math.max(0, Math.min(a.y1, b.y1) - Math.max(a.y0, b.y0));
const distance = (box, p) =>
  Math.hypot(Math.max(box.x0 - p.x, 0, p.x - box.x1), Math.max(box.y0 - p.y, 0, p.y - box.y1));
const inside = (box, x, y) => x > box.x0 && x < box.x1 && y > box.y0 && y < box.y1;

// For points [{x, y, name, main}] in pixels the boxes of their names: each where it covers least of other names, of `taken`
// [{x0, y0, x1, y1, cost}] and is least away from its point, but nearer to it than to others, and no leader runs through
// another. Three rounds, since early names do not know later ones.
function placeNames(points, taken, frame) {
  const TALL = 15;
  const candidates = points.map(({x, y, name, main}) => {
    const wide = textWidth(name) * (main ? 1.12 : 1) + 2, // that of the main one is bold
      list = [];
    for (const away of [8, 13, 20, 30, 42, 58, 80, 110])
      for (let k = 0; k < 16; k++) {
        const turn = (k * Math.PI) / 8,
          side = Math.abs(Math.cos(turn)) < 0.2 ? 0 : Math.sign(Math.cos(turn));
        const at = {x: x + away * Math.cos(turn), y: y + away * Math.sin(turn)};
        const x0 = side > 0 ? at.x : side < 0 ? at.x - wide : at.x - wide / 2;
        const box = {x0, x1: x0 + wide, y0: at.y - TALL / 2, y1: at.y + TALL / 2, at, side};
        box.price = 0.5 * (away - 8) + 1.5 * Math.abs(Math.sin(turn)) + (side < 0 ? 1 : 0) + (side === 0 ? 2 : 0);
        box.leader = away > 13;
        if (box.x0 < frame.x0 || box.x1 > frame.x1 || box.y0 < frame.y0 || box.y1 > frame.y1) continue;
        for (const other of taken) box.price += overlap(box, other) * other.cost;
        for (const other of points) {
          if (other.x === x && other.y === y) continue;
          if (!box.leader && distance(box, other) < away + 3) box.price += 12;
          const along = ((other.x - x) * Math.cos(turn) + (other.y - y) * Math.sin(turn)) / away;
          const aside = Math.abs((other.x - x) * Math.sin(turn) - (other.y - y) * Math.cos(turn));
          if (box.leader && along > 0 && along < 1 && aside < 6) box.price += 60;
        }
        list.push(box);
      }
    return list;
  });
  const crosses = (box, p, other) => {
    for (let s = 0.1; box.leader && s < 1; s += 0.1)
      if (inside(other, p.x + s * (box.at.x - p.x), p.y + s * (box.at.y - p.y))) return true;
    return false;
  };
  const chosen = points.map(() => null);
  for (let round = 0; round < 3; round++)
    points.forEach((p, i) => {
      let least = Infinity;
      for (const box of candidates[i]) {
        let price = box.price;
        for (let j = 0; j < points.length && price < least; j++) {
          if (j === i || !chosen[j]) continue;
          price += 2 * overlap(box, chosen[j]);
          if (crosses(box, p, chosen[j]) || crosses(chosen[j], points[j], box)) price += 60;
        }
        if (price < least) ((least = price), (chosen[i] = box));
      }
    });
  return chosen;
}

// Dots with names and vertical error bars: points {name, x, y, se, main, tip} on a log x axis. Points with x = 0 are side by
// side on a separate strip at the left edge. A point with `beyond` is above the axis: it is drawn at the top edge with this text
// after its name. `budget` is a marked value of x.
function namedPoints(points, width, description, xTitle, yTitle, budget) {
  const left = 58,
    top = 22,
    wide = width - left - 12,
    tall = Math.round(Math.max(280, Math.min(430, width * 0.5)));
  const drawn = points.filter((p) => !p.beyond);
  const free = points.filter((p) => !(p.x > 0)).sort((a, b) => a.y - b.y),
    costly = points.filter((p) => p.x > 0);
  const strip = free.length ? Math.min(Math.max(44, 20 * free.length), wide * 0.3) : 0,
    from = strip ? strip + 16 : 0;
  const marked = budget > 0 ? [budget] : [];
  const all = costly.map((p) => p.x).concat(marked);
  const air = Math.max(...all) < 10 * Math.min(...all) ? 3 : 1.8; // enough for two ticks
  const x = [Math.min(...all) / air, Math.max(...all) * air];
  const y = extent(drawn.flatMap((p) => [p.y - (p.se || 0), p.y + (p.se || 0)]));
  const xAt = (value) =>
    from + ((wide - from) * Math.log(value / x[0])) / Math.log(x[1] / x[0]);
  const yAt = (value) => tall * (1 - (value - y[0]) / (y[1] - y[0]));
  const placed = points.map((p) => ({
    ...p,
    name: `${shortened(p.name, Math.min(170, wide * 0.36))}${p.beyond ? ` ${p.beyond}` : ''}`,
    x: p.x > 0 ? xAt(p.x) : ((free.indexOf(p) + 0.5) * strip) / free.length,
    y: p.beyond ? 7 : yAt(p.y),
    low: p.beyond ? 7 : yAt(p.y - (p.se || 0)),
    high: p.beyond ? 7 : yAt(p.y + (p.se || 0)),
  }));
  const taken = placed.flatMap((p) => [
    {x0: p.x - 6, x1: p.x + 6, y0: p.y - 6, y1: p.y + 6, cost: 1.2},
    {x0: p.x - 2, x1: p.x + 2, y0: p.high, y1: p.low, cost: 0.8},
  ]);
  const boxes = placeNames(placed, taken, {x0: 1, x1: wide, y0: 0, y1: tall});
  const names = placed.map((p, i) => ({
    name: p.name,
    main: p.main,
    x: boxes[i].x0 + 1,
    y: (boxes[i].y0 + boxes[i].y1) / 2,
    fromX: p.x,
    fromY: p.y,
    toX: boxes[i].at.x,
    toY: boxes[i].at.y,
    leader: boxes[i].leader,
  }));
  const color = {signal: "datum.main ? 'var(--main)' : 'var(--soft)'"};
  const height = top + tall + 50;
  const beneath = (at, words, more) =>
    plain('text', null, {
      x: v(at),
      align: v('center'),
      text: v(words),
      fontSize: v(12),
      fill: v('var(--soft)'),
      ...more,
    });
  const powers = Math.log10(x[1] / x[0]) > 2.5;
  return Object.assign(
    base(width - 4, height, description, {
      data: [
        {name: 'table', values: placed},
        {name: 'names', values: names},
        {name: 'budget', values: marked.map((value) => ({x: xAt(value)}))},
        {name: 'strip', values: strip ? [{}] : []},
      ],
      marks: [
        {
          type: 'group',
          aria: false,
          encode: {enter: {x: v(left), y: v(top), width: v(wide), height: v(tall)}},
          signals: [
            {name: 'width', value: wide},
            {name: 'height', value: tall},
          ],
          scales: [
            {name: 'x', type: 'log', domain: x, range: [from, wide]},
            {name: 'y', type: 'linear', domain: y, range: [tall, 0], zero: false},
          ],
          axes: [
            {
              scale: 'x',
              orient: 'bottom',
              grid: true,
              values: logTicks(x).filter((t) => !powers || Number.isInteger(Math.log10(t))),
              labelOverlap: true,
              encode: {
                labels: {update: {text: {signal: "replace(format(datum.value, '~e'), '+', '')"}}},
              },
            },
            {scale: 'y', orient: 'left', grid: true, tickCount: ticks(tall, 55)},
          ],
          marks: [
            plain('rect', 'strip', {
              x: v(0),
              width: v(strip),
              y: v(0),
              height: v(tall),
              fill: v('var(--cover)'),
              opacity: v(0.35),
              cornerRadius: v(3),
            }),
            plain('rule', 'budget', {
              x: f('x'),
              y: v(0),
              y2: v(tall),
              stroke: v('var(--accent)'),
              strokeDash: v([4, 4]),
              opacity: v(0.8),
            }),
            plain('text', 'budget', {
              x: {signal: `min(datum.x, ${wide - 22})`},
              y: v(-6),
              align: v('center'),
              text: v('budget'),
              fontSize: v(11.5),
              fill: v('var(--accent)'),
            }),
            plain('rule', 'names', {
              x: f('fromX'),
              y: f('fromY'),
              x2: f('toX'),
              y2: f('toY'),
              stroke: v('var(--other)'),
              opacity: {signal: 'datum.leader ? 0.9 : 0'},
            }),
            plain('rule', 'table', {
              x: f('x'),
              y: f('low'),
              y2: f('high'),
              strokeWidth: v(1.8),
              strokeCap: v('round'),
              stroke: {signal: "datum.main ? 'var(--main)' : 'var(--other)'"},
            }),
            rowsOf('symbol', {
              x: f('x'),
              y: f('y'),
              size: v(75),
              shape: {signal: "datum.beyond ? 'triangle-up' : 'circle'"},
              fill: color,
            }),
            plain('text', 'names', {
              x: f('x'),
              y: f('y'),
              baseline: v('middle'),
              text: f('name'),
              fontSize: v(12),
              fontWeight: {signal: "datum.main ? 600 : 'normal'"},
              fill: v('var(--ink)'),
            }),
          ],
        },
        ...(strip ? [beneath(left + strip / 2, '0', {y: v(top + tall + 16)})] : []),
        beneath(left + wide / 2, xTitle, {y: v(height - 8)}),
        beneath(12, yTitle, {y: v(top + tall / 2), angle: v(-90)}),
      ],
    }),
    {autosize: 'none', padding: 0},
  );
}

// Heights for names that want those of `wanted`, in its order, `gap` apart and within [0, tall].
function spread(wanted, gap, tall) {
  const order = wanted.map((y, i) => i).sort((a, b) => wanted[a] - wanted[b]),
    at = [];
  order.forEach((i, k) => (at[k] = Math.max(wanted[i], k ? at[k - 1] + gap : gap / 2)));
  for (let k = at.length - 1; k >= 0; k--)
    at[k] = Math.min(at[k], k === at.length - 1 ? tall - gap / 2 : at[k + 1] - gap);
  const out = [];
  order.forEach((i, k) => (out[i] = at[k]));
  return out;
}

// One small chart per panel, with names at the ends of the lines and a common y scale: panels [{name, note, lines: [{name, color, dash, x: [],
// y: [], tip}]}].
function trajectories(panels, width, description, xTitle, yTitle) {
  const GAP = 14,
    left = 50,
    between = 24;
  const every = panels.flatMap((p) => p.lines);
  const longest = Math.max(...every.map((l) => textWidth(l.name, 11.5)));
  const room = Math.min(longest + 22, width < 480 ? 110 : 150);
  const lineLabel = labelsWithin([...new Set(every.map((l) => l.name))], room - 16, 11.5);
  const columns = panels.length > 1 && width >= 720 ? 2 : 1;
  const cell = (width - 8 - between * (columns - 1)) / columns,
    wide = Math.min(cell - left - room, 620);
  const tall = Math.max(210, GAP * Math.max(...panels.map((p) => p.lines.length)) + 10),
    pitch = tall + 74;
  const top = 26;
  const y = [0, Math.max(...every.flatMap((l) => l.y.filter(Number.isFinite))) * 1.04 || 1];
  const data = [];
  const groups = panels.map((panel, i) => {
    const x = extent(panel.lines.flatMap((l) => l.x)),
      low = Math.min(...panel.lines.flatMap((l) => l.x)),
      high = Math.max(...panel.lines.flatMap((l) => l.x)),
      domain = high > low ? [low, high] : x;
    const last = panel.lines.map((l) => l.y[l.y.length - 1] || 0);
    const title = shortened(panel.name, (cell - left) * 0.5, 13);
    const heights = spread(
      last.map((share) => tall * (1 - share / y[1])),
      GAP,
      tall,
    );
    data.push(
      {
        name: `lines_${i}`,
        values: panel.lines.flatMap((l) =>
          l.x.map((t, k) => ({name: l.name, color: l.color, dash: l.dash, tip: l.tip, x: t, y: l.y[k]})),
        ),
      },
      {
        name: `ends_${i}`,
        values: panel.lines.map((l, k) => ({
          name: lineLabel(l.name),
          color: l.color,
          end: tall * (1 - last[k] / y[1]),
          at: heights[k],
        })),
      },
    );
    return {
      type: 'group',
      aria: false,
      encode: {
        enter: {
          x: v(left + (i % columns) * (cell + between)),
          y: v(top + Math.floor(i / columns) * pitch),
          width: v(wide),
          height: v(tall),
        },
      },
      signals: [
        {name: 'width', value: wide},
        {name: 'height', value: tall},
      ],
      scales: [
        {name: 'x', type: 'linear', domain, range: [0, wide]},
        {name: 'y', type: 'linear', domain: y, range: [tall, 0]},
      ],
      axes: [
        {
          scale: 'x',
          orient: 'bottom',
          tickCount: ticks(wide, 90),
          format: '~s',
          labelFontSize: 11,
          title: xTitle,
          titlePadding: 4,
        },
        {
          scale: 'y',
          orient: 'left',
          grid: true,
          tickCount: ticks(tall, 45),
          labelFontSize: 11,
          title: yTitle,
          titlePadding: 4,
        },
      ],
      marks: [
        {
          type: 'group',
          from: {facet: {data: `lines_${i}`, name: 'line', groupby: 'name'}},
          aria: false,
          marks: [
            rowsOf(
              'line',
              {
                x: f('x', 'x'),
                y: f('y', 'y'),
                defined: {signal: 'isValid(datum.y)'},
                stroke: f('color'),
                strokeDash: f('dash'),
                strokeWidth: v(1.9),
                strokeJoin: v('round'),
              },
              {from: {data: 'line'}},
            ),
          ],
        },
        plain('rule', `ends_${i}`, {
          x: v(wide + 2),
          y: f('end'),
          x2: v(wide + 12),
          y2: f('at'),
          stroke: f('color'),
          opacity: v(0.7),
        }),
        plain('text', `ends_${i}`, {
          x: v(wide + 15),
          y: f('at'),
          baseline: v('middle'),
          text: f('name'),
          fontSize: v(11.5),
          fill: f('color'),
        }),
        plain('text', null, {
          x: v(0),
          y: v(-10),
          text: v(title),
          fontSize: v(12.5),
          fontWeight: v(600),
          fill: v('var(--ink)'),
        }),
        plain('text', null, {
          x: v(textWidth(title, 13) * 1.1 + 10),
          y: v(-10),
          text: v(panel.note),
          fontSize: v(11.5),
          fill: v('var(--soft)'),
        }),
      ],
    };
  });
  const height = Math.ceil(panels.length / columns) * pitch;
  return Object.assign(base(width - 4, height, description, {data, marks: groups}), {
    autosize: 'none',
    padding: 0,
  });
}
