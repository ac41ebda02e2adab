// SPDX-License-Identifier: Apache-2.0
// What if? The state of the mixture that the user tries; sliders.js shows it. Shares always sum to one: if one
// domain gets more, the domains that are not locked get less, in proportion to their shares.

const LEVEL = 0.9,
  REACH = 1.645; // quantile of the standard normal at that level

// Divides by the sum, as the program does with a mixture that it reads. `exact`: the sum is then 1 to the last
// bit, so that dividing again changes nothing.
function settled(weights, exact) {
  const w = Array.from(weights);
  const sum = () => w.reduce((s, x) => s + x, 0);
  const first = sum();
  for (let d = 0; d < w.length; d++) w[d] = first > 0 ? w[d] / first : 1 / w.length;
  const most = w.indexOf(Math.max(...w));
  for (let i = 0; exact && i < 20 && sum() !== 1; i++) w[most] += 1 - sum();
  return w;
}

// w with domain d at `share`; null if no other domain can change. `like`: the proportions of domains that have
// nothing.
function moved(w, locked, d, share, like) {
  let held = 0,
    free = 0;
  const others = w.map((x, e) => e).filter((e) => e !== d && !locked[e]);
  w.forEach((x, e) => {
    if (e !== d && locked[e]) held += x;
  });
  if (!others.length) return null;
  for (const e of others) free += w[e];
  const own = Math.min(Math.max(share, 0), Math.max(0, 1 - held)),
    rest = Math.max(0, 1 - held - own);
  const has = (e) => (free > 1e-12 ? w[e] : like && others.some((k) => like[k] > 0) ? like[e] : 1);
  const total = others.reduce((s, e) => s + has(e), 0);
  return w.map((x, e) => (e === d ? own : locked[e] ? x : (has(e) / total) * rest));
}

// ---- the runs: their names, their distances, and the error of the fit for each ----

function runsOfFit() {
  const mixtures = fitted.mixtures,
    N = mixtures.length;
  const whole = Object.values(folds).find((of) => of.run.length === N);
  const row = (i) => settled(runs.mixtures[i]);
  const named = (w) => runs && runs.mixtures.findIndex((x, i) => apart(row(i), w) < 1e-5);
  const ids = whole
    ? whole.run
    : mixtures.map((w, i) => (named(w) >= 0 ? runs.ids[named(w)] : `row ${i + 1}`));
  const distance = neighbourDistances(mixtures);
  const sorted = [...distance.values()].sort((a, b) => a - b),
    n = sorted.length;
  const at = Object.fromEntries(ids.map((id, i) => [id, i]));
  const errors = Object.fromEntries(
    functions.map(({name}) => {
      const out = new Array(N).fill(NaN);
      const of = folds[name];
      if (of) of.run.forEach((id, i) => (out[at[id]] = of.predicted[i] - of.true[i]));
      return [name, out];
    }),
  );
  return {
    ids,
    errors,
    // For a weighted sum of metrics, so that correlated errors are included.
    errorOf: (weights) =>
      errorModel(
        [...distance]
          .map(([i, d]) => ({
            d,
            e: Object.entries(weights).reduce((s, [name, x]) => s + (x === 0 ? 0 : x * errors[name][i]), 0),
          }))
          .filter(({e}) => Number.isFinite(e)),
      ),
    typical: (sorted[(n - 1) >> 1] + sorted[n >> 1]) / 2,
    // As in the search: half a percent beyond the range is allowed. An optimum at this bound is not beyond it, though it
    // was divided by its sum.
    ranges: fitted.domains.map((name, d) => {
      let low = Infinity,
        high = -Infinity;
      for (const w of mixtures) ((low = Math.min(low, w[d])), (high = Math.max(high, w[d])));
      return {low, high, slack: 2e-9 + 0.005 * (high - low)};
    }),
    nearest: (w) =>
      mixtures
        .map((x, i) => ({id: ids[i], distance: apart(x, w)}))
        .sort((a, b) => a.distance - b.distance)
        .slice(0, 3),
  };
}

// ---- the state, which the test also uses ----

const whatIf = functions.length
  ? (() => {
      const names = fitted.domains,
        D = names.length;
      const known = runsOfFit();
      const asked = {};
      for (const {name} of functions) asked[name] = target.weights[name] || 0;
      if (!Object.values(asked).some((x) => x !== 0)) asked[functions[0].name] = 1;
      const mean = settled(names.map((name, d) => fitted.mixtures.reduce((s, w) => s + w[d], 0)));
      const prior = fitted.prior && settled(fitted.prior),
        best = fitted.optimum && settled(fitted.optimum);
      const self = {names, known, asked, prior, optimum: best, mean};
      self.reset = () => {
        self.weights = {...asked};
        self.locked = new Array(D).fill(false);
        self.w = self.from = best || prior || mean;
      };
      self.reset();
      self.set = (w) => {
        self.w = self.from = w;
      };
      // While a slider is dragged, moves start from the mixture at the start of the drag, so 100 % and back changes nothing.
      self.move = (d, share) => {
        const w = moved(self.from, self.locked, d, share, prior || mean);
        if (w) self.w = settled(w, true);
        return w !== null;
      };
      self.drop = () => {
        self.from = self.w;
      };
      self.predict = (w) => Object.fromEntries(functions.map(({name, at}) => [name, at(w)]));
      self.score = (values) =>
        functions.reduce((s, {name}) => s + (self.weights[name] ? self.weights[name] * values[name] : 0), 0);
      // The run with the best measured score under the present weights.
      self.bestRun = () => {
        let found = null;
        known.ids.forEach((id, i) => {
          const score = functions.reduce((s, {name}) => {
            if (!self.weights[name]) return s;
            const of = folds[name],
              k = of ? of.run.indexOf(id) : -1;
            return k < 0 ? NaN : s + self.weights[name] * of.true[k];
          }, 0);
          if (score < (found ? found.score : Infinity)) found = {id, score, w: settled(fitted.mixtures[i])};
        });
        return found;
      };
      return self;
    })()
  : null;
