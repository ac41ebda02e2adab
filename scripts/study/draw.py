# SPDX-License-Identifier: Apache-2.0
"""Figures as SVG, in the colours of the report: intervals, lines, and maps of numbers."""
import math
from html import escape

WIDE, NARROW = 700, 350  # a figure is drawn for a desk and for a telephone
ROW = 22
STYLE = """.s text{font:12px system-ui,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;fill:var(--ink)}
.s .soft{fill:var(--soft)} .s .end{text-anchor:end} .s .mid{text-anchor:middle}
.s .grid{stroke:var(--grid)} .s .zero{stroke:var(--soft);stroke-dasharray:3 3}
.s .c0{stroke:var(--line-0);fill:var(--line-0)} .s .c1{stroke:var(--line-1);fill:var(--line-1)}
.s .c2{stroke:var(--line-2);fill:var(--line-2)} .s .c3{stroke:var(--line-3);fill:var(--line-3)}
.s line,.s path{fill:none;stroke-width:2} .s .grid,.s .zero{stroke-width:1}
.s .low{fill:var(--low)} .s .high{fill:var(--high)} .s .on{fill:var(--on-strong)}"""
COLOURS = """:root{--ink:#1c2126;--soft:#5b6570;--grid:#e9ecf0;--on-strong:#fff;--low:#0068a8;
--high:#c8500a;--line-0:#0072b2;--line-1:#d55e00;--line-2:#00875f;--line-3:#b0478c}
@media(prefers-color-scheme:dark){:root{--ink:#e7eaee;--soft:#9ba6b2;--grid:#272f37;
--on-strong:#0d1013;--low:#56b4e9;--high:#f0902f;--line-0:#56b4e9;--line-1:#f0902f;
--line-2:#33c79b;--line-3:#e07fbf}}"""


def real(x):
    return x is not None and not math.isnan(x)


def ticks(low, high, n):
    """Round numbers between low and high."""
    span = (high - low) or 1.0
    step = 10 ** math.floor(math.log10(span / n))
    for more in (1, 2, 5, 10):
        if span / (step * more) <= n:
            step *= more
            break
    first = math.ceil(low / step - 1e-9)
    return [k * step for k in range(first, math.floor(high / step + 1e-9) + 1)]


def shown(x):
    text = f"{x:.6g}"
    return text.replace("-", "\u2212")


class Drawing:
    """Marks at places, in the order drawn."""

    def __init__(self, name, width, height, title):
        self.name, self.width, self.height, self.title = name, width, height, title
        self.marks = []

    def text(self, x, y, text, kind="", extra=""):
        self.marks.append(f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}"{extra}>'
                          f'{escape(text)}</text>')

    def line(self, x1, y1, x2, y2, kind):
        self.marks.append(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" '
                          f'class="{kind}"/>')

    def dot(self, x, y, kind, tip):
        self.marks.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" class="{kind}">'
                          f'<title>{escape(tip)}</title></circle>')

    def svg(self, alone):
        style = f"<style>{COLOURS}{STYLE}</style>" if alone else ""
        space = ' xmlns="http://www.w3.org/2000/svg"' if alone else ""
        size = "wide" if self.width == WIDE else "narrow"
        return (f'<svg{space} class="s {size}" data-figure="{self.name}" role="img" '
                f'width="{self.width}" height="{self.height:.0f}" '
                f'viewBox="0 0 {self.width} {self.height:.0f}">'
                f'<title>{escape(self.title)}</title>{style}{"".join(self.marks)}</svg>\n')


def key(d, series, x, y):
    """Names of the series, with their colours."""
    for i, name in enumerate(series):
        wide = 24 + 6.6 * len(name)
        if x > 0 and x + wide > d.width:
            x, y = 0, y + 18
        d.dot(x + 6, y - 4, f"c{i}", name)
        d.text(x + 16, y, name, "soft")
        x += wide
    return y


def intervals(name, title, axis, rows, series, width, zero=None):
    """rows: (label, series index or None for a heading, value, low, high)."""
    # as wide as the longest label, but not wider than a good part of the figure
    longest = max([len(r[0]) for r in rows if r[1] is not None] or [0])
    left = max(0.2 * width, min(7.0 * longest + 4, 0.42 * width))
    most = int(left / 7.0)
    head = 22 + (18 * math.ceil(sum(24 + 6.6 * len(s) for s in series) / width) if series else 0)
    d = Drawing(name, width, head + ROW * len(rows) + 40, title)
    if series:
        key(d, series, 0, 14)
    drawn = [v for r in rows if r[1] is not None for v in r[2:5] if real(v)]
    drawn += [zero] if zero is not None else []
    low, high = (min(drawn), max(drawn)) if drawn else (0, 1)
    pad = 0.04 * ((high - low) or 1)
    low, high = low - pad, high + pad
    bottom = head + ROW * len(rows)

    def at(v):
        return left + 8 + (v - low) / (high - low) * (width - left - 20)
    for t in ticks(low, high, 6 if width == WIDE else 3):
        d.line(at(t), head - 8, at(t), bottom, "grid")
        d.text(at(t), bottom + 14, shown(t), "soft mid")
    if zero is not None:
        d.line(at(zero), head - 8, at(zero), bottom, "zero")
    d.text(width - 4, bottom + 32, axis, "soft end")
    for i, (label, s, *numbers) in enumerate(rows):
        y = head + ROW * i + 8
        if s is None:
            d.text(0, y + 4, label, "soft")
            continue
        value, least, greatest = numbers
        cut = label if len(label) <= most else label[:most - 1] + "\u2026"
        d.text(left, y + 4, cut, "end")
        if not real(value):
            continue
        if real(least) and real(greatest):
            d.line(at(least), y, at(greatest), y, f"c{s}")
        tip = f"{label}: {value:.4g}"
        if real(least):
            tip += f" ({least:.4g} to {greatest:.4g})"
        d.dot(at(value), y, f"c{s}", tip)
    return d


def lines(name, title, x_axis, y_axis, series, width):
    """series: name -> points (x, y, low, high); x on a log scale."""
    names = list(series)
    head = 26 + 18 * math.ceil(sum(24 + 6.6 * len(s) for s in names) / width)
    height = head + 260
    d = Drawing(name, width, height, title)
    key(d, names, 0, 14)
    points = [p for s in series.values() for p in s]
    xs = [math.log10(p[0]) for p in points]
    ys = [v for p in points for v in p[1:4] if real(v)]
    x_low, x_high, y_low, y_high = min(xs), max(xs), min(ys), max(ys)
    x_span, y_span = (x_high - x_low) or 1, (y_high - y_low) or 1
    left, bottom = 48, head + 210

    def at(x, y):
        return (left + 8 + (math.log10(x) - x_low) / x_span * (width - left - 24),
                bottom - (y - y_low) / y_span * (bottom - head - 14))
    for t in ticks(y_low, y_high, 5):
        _, y = at(points[0][0], t)
        d.line(left, y, width - 8, y, "grid")
        d.text(left - 6, y + 4, shown(t), "soft end")
    said = -1e9
    for x in sorted({p[0] for p in points}):
        px, _ = at(x, y_low)
        if px - said > 60:
            near_edge = px + 30 > width
            d.text(width if near_edge else px, bottom + 18, f"{x:.2g}",
                   "soft end" if near_edge else "soft mid")
            said = px
    d.text(0, head - 4, y_axis, "soft")
    d.text(width - 4, bottom + 38, x_axis, "soft end")
    for i, name_of in enumerate(names):
        known = sorted(p for p in series[name_of] if real(p[1]))
        beside = 5 * (i - (len(names) - 1) / 2)  # intervals at one x do not lie on each other

        def moved(x, y, beside=beside):
            px, py = at(x, y)
            return px + beside, py
        path = " L".join("{:.1f},{:.1f}".format(*moved(p[0], p[1])) for p in known)
        d.marks.append(f'<path d="M{path}" class="c{i}" style="fill:none"/>')
        for x, y, low, high in known:
            if real(low) and real(high):
                d.line(*moved(x, low), *moved(x, high), f"c{i}")
            d.dot(*moved(x, y), f"c{i}", f"{name_of}, {shown(x)}: {y:.4g}")
    return d


def heat(name, title, rows, columns, value, width, most, digits=2, good=-1, marked=()):
    """A map of value(row, column): blue where it has the sign `good`, strongest at `most`."""
    left = 110 if width == WIDE else 84
    cell = (width - left) / len(columns)
    longest = max(len(c) for c in columns)
    head = 6.6 * longest + 12
    high = 22 if width == WIDE else 16
    d = Drawing(name, width, head + high * len(rows) + 8, title)
    for j, c in enumerate(columns):
        x = left + cell * (j + 0.5) + 4
        d.text(x, head - 6, c, "soft", f' transform="rotate(-90 {x:.1f} {head - 6:.1f})"')
    for i, r in enumerate(rows):
        y = head + high * i
        d.text(left - 6, y + high / 2 + 4, r, "end")
        for j, c in enumerate(columns):
            v = value(r, c)
            if not real(v):
                continue
            strength = min(1.0, abs(v) / most) if most else 0
            edge = ' stroke="var(--ink)"' if (r, c) in marked else ""
            d.marks.append(
                f'<rect x="{left + cell * j:.1f}" y="{y:.1f}" width="{cell - 1:.1f}" '
                f'height="{high - 1}" class="{"low" if v * good > 0 else "high"}" '
                f'fill-opacity="{strength:.2f}"{edge}>'
                f"<title>{escape(f'{r}, {c}: {v:.4g}')}</title></rect>")
            if cell >= 30:
                d.text(left + cell * (j + 0.5) - 0.5, y + high / 2 + 4,
                       f"{v:.{digits}f}".replace("-", "\u2212"),
                       "mid on" if strength > 0.6 else "mid")
    return d
