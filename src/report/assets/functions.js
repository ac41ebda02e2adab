// SPDX-License-Identifier: Apache-2.0
// The fitted functions in the page, as src/regress computes them: from a mixture w (D) to a metric.
//   ridge     b + sum_d v_d f(w_d),  f(w) = w or sqrt(w)
//   trees     the sum over trees of the value of the leaf w falls into: left where w_d <= threshold
//   exp       s + u (c + sum_k exp(a_k + t_k . w))
//   power     s + u (E + exp(a) D(w)^-b + v . w),  D(w) = exp(t0) + sum_j exp(tau_j) (w_j + 1e-4)^g_j
//   exposure  s + u (c - sum_j a_j (1 - exp(-r_j s_j)) + sum_j p_j h(e_j / t_j)),  e_j = w_j B / n_j epochs,
//             s_j = worth(e_j) n_j / B,  worth(e) = e to 1, then 1 + R (1 - exp(-(e - 1) / R)),  R = 15.39,
//             h(x) = log(1 + exp(4 (x - 1))) / 4
//   gp        s + u sum_i alpha_i (1 + r matern(|z - z_i|^2) + l z . z_i),  z_d = log(1 + w_d / eps_d) scale_d,
//             matern(q) = (1 + x + x^2 / 3) exp(-x),  x = sqrt(5 q);  after the weights come the file's totals of weights
//   ensemble  a power + (1 - a) gp,  a the file's weight, or 1/2 where an older file has none
// exp, power, exposure and gp clip softly outside of the values seen (softClip). Each maker takes a metric's file and gives
// w => number; what does not depend on w is worked out once, so that a mixture costs N D multiplications and
// 2 N calls of sqrt and exp where there is a Gaussian process, and some hundred operations elsewhere.
const fitted = JSON.parse(document.getElementById('functions').textContent);

// With R the range seen, what lies e beyond [low - R/10, high + R/10] is drawn in to e R / (e + R).
function softClip([least, greatest], y) {
  const range = greatest - least,
    low = least - 0.1 * range,
    high = greatest + 0.1 * range;
  const off = Math.max(y - high, low - y);
  if (!(off > 0)) return y;
  const more = Number.isFinite(off) ? off * (range / (off + range)) : range;
  return y > high ? high + more : low - more;
}

function ridge(file) {
  const {intercept, coefficients: slopes, sqrt} = file;
  return (w) => {
    let y = intercept;
    for (let d = 0; d < slopes.length; d++) y += slopes[d] * (sqrt ? Math.sqrt(Math.max(w[d], 0)) : w[d]);
    return y;
  };
}

// Nodes stand in the order of a walk that goes left first, so the left child is the next node; where the
// right one begins is found once, from the back.
function trees(file) {
  const {nodes, feature, threshold, unit} = file;
  const split = Int32Array.from(nodes),
    right = new Int32Array(nodes.length),
    value = new Float64Array(nodes.length),
    roots = [];
  const open = []; // nodes whose right child is still to come
  let leaves = 0,
    root = true;
  split.forEach((s, i) => {
    if (root) roots.push(i);
    root = false;
    if (s >= 0) {
      open.push(i);
      return;
    }
    value[i] = unit * file.values[leaves++];
    if (open.length) right[open.pop()] = i + 1;
    else root = true;
  });
  return (w) => {
    let y = 0;
    for (const at of roots) {
      let i = at;
      while (split[i] >= 0) i = w[feature[split[i]]] <= threshold[split[i]] ? i + 1 : right[i];
      y += value[i];
    }
    return y;
  };
}

function exponentials(file) {
  const {parameters: p, terms, shift, scale, seen} = file;
  const D = (p.length - 1) / terms - 1;
  return (w) => {
    let y = p[0];
    for (let k = 0; k < terms; k++) {
      const at = 1 + k * (1 + D);
      let sum = p[at];
      for (let d = 0; d < D; d++) sum += p[at + 1 + d] * w[d];
      y += Math.exp(sum);
    }
    return softClip(seen, shift + scale * y);
  };
}

function power(file) {
  const {E, a, log_b, t0, tau, v, shift, scale, seen} = file;
  const b = Math.exp(log_b),
    at_rest = Math.exp(t0),
    g = file.log_g.map(Math.exp);
  return (w) => {
    let counts = at_rest,
      linear = 0;
    for (let j = 0; j < tau.length; j++) {
      counts += Math.exp(tau[j] + g[j] * Math.log(Math.max(w[j], 0) + 1e-4));
      linear += v[j] * w[j];
    }
    return softClip(seen, shift + scale * (E + Math.exp(a - b * Math.log(counts)) + linear));
  };
}

function exposure(file) {
  const {c, a, p, tokens, budget, shift, scale, seen} = file;
  const STEEP = 4,
    lasting = file.log_lasting ? file.log_lasting.map(Math.exp) : a.map(() => 15.39),
    r = file.log_r.map(Math.exp),
    t = file.log_t.map(Math.exp);
  const harm = (x) => {
    const z = STEEP * (x - 1);
    return (Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z)))) / STEEP;
  };
  return (w) => {
    let y = c;
    for (let d = 0; d < a.length; d++) {
      const x = Math.max(w[d], 0),
        epochs = (x * budget) / tokens[d],
        worth = epochs > 1 ? 1 - lasting[d] * Math.expm1(-(epochs - 1) / lasting[d]) : epochs;
      y += a[d] * Math.expm1((-r[d] * worth * tokens[d]) / budget) + p[d] * harm(epochs / t[d]);
    }
    return softClip(seen, shift + scale * y);
  };
}

// The constant and the linear part are summed over the runs beforehand.
function gp(file) {
  const {alpha, shift, scale, seen, totals = []} = file;
  const F = file.log_length.length,
    D = F - totals.length,
    N = alpha.length;
  const eps = file.log_eps.map(Math.exp);
  const stretch = eps.map((e, d) => Math.exp(-file.log_length[d]) / Math.log1p(1 / e));
  const signal = Math.exp(2 * (file.log_signal ?? file.log_ripple)),
    linear = Math.exp(2 * file.log_linear);
  const Z = new Float64Array(N * F),
    z = new Float64Array(F),
    byFeature = new Float64Array(F);
  // Writes the warped features of the weights w to `out`, from `at` on.
  const warp = (w, out, at) => {
    for (let k = 0; k < F; k++) {
      let x = w[k];
      if (k >= D) {
        x = 0;
        for (const d of totals[k - D]) x += w[d];
      }
      out[at + k] = Math.log1p(Math.max(x, 0) / eps[k]) * stretch[k];
    }
  };
  const rows = file.mixtures ? null : file.rows || fitted.mixtures.map((row, i) => i);
  let constant = 0;
  for (let i = 0; i < N; i++) {
    constant += alpha[i];
    warp(rows ? fitted.mixtures[rows[i]] : file.mixtures.slice(i * D, (i + 1) * D), Z, i * F);
    for (let k = 0; k < F; k++) byFeature[k] += alpha[i] * Z[i * F + k];
  }
  return (w) => {
    let straight = 0,
      curved = 0;
    warp(w, z, 0);
    for (let k = 0; k < F; k++) straight += byFeature[k] * z[k];
    for (let i = 0, k = 0; i < N; i++) {
      let square = 0;
      for (let d = 0; d < F; d++, k++) square += (z[d] - Z[k]) * (z[d] - Z[k]);
      const x = Math.sqrt(5 * square);
      curved += alpha[i] * (1 + x + (x * x) / 3) * Math.exp(-x);
    }
    return softClip(seen, shift + scale * (constant + signal * curved + linear * straight));
  };
}

function ensemble(file) {
  const one = power(file.power),
    other = gp(file.gp),
    a = file.weight ?? 0.5;
  return (w) => {
    const y = other(w);
    return y + a * (one(w) - y);
  };
}

const regressors = {ridge, trees, exp: exponentials, power, exposure, gp, ensemble};

// [{name, at: w => value}] of the metrics whose regressor this page knows, the target's first.
const functions = ((fitted && fitted.metrics) || [])
  .filter(({function: file}) => regressors[file.regressor])
  .map(({name, function: file}) => ({name, at: regressors[file.regressor](file)}));

// ---- how far a mixture lies from the runs, and what error that means ----

// Half the L1 distance: the share of tokens that would have to be others.
function apart(a, b) {
  let sum = 0;
  for (let d = 0; d < a.length; d++) sum += Math.abs(a[d] - b[d]);
  return sum / 2;
}

// From each run to the nearest that is another mixture; of at most 2048 runs, since it costs their square.
function neighbourDistances(mixtures) {
  const step = Math.max(1, mixtures.length / 2048);
  const out = new Map();
  for (let at = 0; at < mixtures.length; at += step) {
    const i = Math.floor(at);
    let best = Infinity;
    for (const other of mixtures) {
      const distance = apart(mixtures[i], other);
      if (distance > 1e-12 && distance < best) best = distance;
    }
    out.set(i, Number.isFinite(best) ? best : 0);
  }
  return out;
}

// e^2(d) = a + b d^2, a and b not negative, by least squares through [{d, e}]: the straight line, or where
// one of its two numbers would be negative the better of the lines without it. null: no errors to go by.
function errorModel(errors) {
  const n = errors.length;
  if (n < 3) return null;
  let x = 0,
    y = 0,
    xx = 0,
    xy = 0;
  for (const {d, e} of errors) {
    x += (d * d) / n;
    y += (e * e) / n;
    xx += d ** 4 / n;
    xy += (d * e) ** 2 / n;
  }
  const spread = xx - x * x;
  let b = spread > 1e-12 * xx ? (xy - x * y) / spread : 0,
    a = y - b * x;
  if (b < 0) [a, b] = [y, 0];
  else if (a < 0) [a, b] = [0, xy / xx];
  return (distance) => Math.sqrt(a + b * distance * distance);
}
