// SPDX-License-Identifier: Apache-2.0
// attention_bf16.inc.h: attention of the levels that multiply in bfloat16; vector.inc.h includes
// it.
//
// What attention.c computes, transposed as in head_bf16.c, for the same reason: with keys down and
// 32 queries across,
//
//   S^T = K (Q / sqrt S)^T,  P^T = exp(S^T - shift),  O^T = V^T P^T / sums
//   dP^T = V dO^T,  dS^T = P^T (dP^T - rowsum(dO O)),
//   dQ^T = K^T dS^T / sqrt S,  dV = P^T dO,  dK = dS^T Q
//
// sums over keys are sums of whole vectors, and P and dS leave the registers as the packed operands
// that the next products take. Scores of a block of keys and 32 queries stay in the first cache.
// Blocks stop at the diagonal; the backward pass takes 128 queries at a time, so that dK and dV are
// not added to too often.
enum { KEYS = 128 / MR * MR, QUERIES = RMX__ATTENTION_BLOCK, ACROSS = 32 };

struct scratch {
  float *k, *v;  // K and V as left operands: (T, words of S)
  // K^T (backward) or V^T as left operands: (blocks of keys, S, words of KEYS)
  float *kt;
  float *q, *dout;            // Q / sqrt S and dO as right operands: (panels, words of S, 32)
  float *q_deep, *dout_deep;  // the same, queries being the depth: (S / 32, words of QUERIES, 32)
  float *s, *dp;              // (KEYS, 32)
  float *packed;              // P or dS as right operand: (words of KEYS, 32)
  float *p, *ds;              // P^T and dS^T as left operands: (KEYS, words of QUERIES)
  float *across;              // O^T or dQ^T: (panels, S, 32)
  float *rows;                // (32, S): Q / sqrt S
  float *shift, *sums;        // (QUERIES)
};

static void lay_out(struct scratch *w, float *at, size_t T, size_t S) {
  const size_t keys = (T + 31) / 32 * 32 + 32, high = (S + 31) / 32 * 32 + 32;
  const size_t words = rmx__bf16_words(S), deep = rmx__bf16_words(QUERIES);
  w->k = at, at += keys * words;
  w->v = at, at += keys * words;
  w->kt = at, at += (T / KEYS + 1) * high * rmx__bf16_words(KEYS);
  w->q = at, at += QUERIES * words;
  w->dout = at, at += QUERIES * words;
  w->q_deep = at, at += deep * high;
  w->dout_deep = at, at += deep * high;
  w->s = at, at += 128 * ACROSS;
  w->dp = at, at += 128 * ACROSS;
  w->packed = at, at += 64 * ACROSS;
  w->p = at, at += (128 + 32) * deep;
  w->ds = at, at += (128 + 32) * deep;
  w->across = at, at += QUERIES * S;
  w->rows = at, at += QUERIES * S;
  w->shift = at, at += QUERIES;
  w->sums = at;
}

// C (M, 32) = or += A B, A of `depth` words a row with rows `stride` words apart.
CALLED void times_panel(size_t M, size_t depth, const float *a, size_t stride, const float *b,
                        float *c, bool accumulate) {
  for (size_t i = 0; i < M; i += MR)
    micro_kernel(M - i < MR ? M - i : MR, ACROSS, depth, a + i * stride, stride, 1, b,
                 c + i * ACROSS, ACROSS, accumulate);
}

// to (n, ld, S columns) = factor[r] * from (S, 32), transposed.
CALLED void put_across(float *to, size_t ld, size_t n, size_t S, const float *from,
                       const float *factor) {
  for (size_t s = 0; s < S; s += VL)
    for (size_t half = 0; half < n; half += VL) {
      const size_t columns = S - s < VL ? S - s : VL, rows = n - half < VL ? n - half : VL;
      vu x[16];
#pragma GCC unroll 16
      for (size_t i = 0; i < 16; i++)
        x[i] = i < columns ? load_words(from + (s + i) * ACROSS + half) : (vu){0};
      transpose_words(x);
      for (size_t r = 0; r < rows; r++)
        store_at(to + (half + r) * ld + s, 0, columns, (vf)x[r] * factor[half + r]);
    }
}

// Row r of a block starts with key k0: those that are after the query are not seen.
CALLED void hide_future(size_t rows, float *s, size_t k0, size_t query) {
  vi lane;
  for (size_t j = 0; j < VL; j++) lane[j] = (int32_t)j;
  for (size_t r = query > k0 ? query - k0 : 0; r < rows; r++) {
    // queries less than that far on do not see it
    const int32_t ahead = (int32_t)(k0 + r - query);
    float *row = s + r * ACROSS;
    store(row, where(lane < ahead, splat(-INFINITY), load(row)));
    store(row + VL, where(lane + (int32_t)VL < ahead, splat(-INFINITY), load(row + VL)));
  }
}

CALLED void scaled_rows(float *to, const float *q, size_t ld, size_t n, size_t S, float scale) {
  for (size_t r = 0; r < n; r++)
    for (size_t i = 0; i < S; i += VL)
      store_at(to + r * S, i, S, load_at(q + r * ld, i, S, 0) * scale);
}

// For each block of keys, X^T (S, keys) of X (T, S).
CALLED void pack_across(float *to, size_t high, const float *x, size_t ld, size_t T, size_t S) {
  for (size_t k0 = 0; k0 < T; k0 += KEYS, to += high * rmx__bf16_words(KEYS))
    pack_a(to, S, T - k0 < KEYS ? T - k0 : KEYS, x + k0 * ld, ld, true);
}

static void attention(const rmx_kernels *kernels, const struct rmx__attention *a, size_t first,
                      size_t last, float *scratch) {
  const size_t T = a->T, H = a->H, S = a->S, C = H * S, ld = 3 * C;
  const size_t words = rmx__bf16_words(S), high = (S + 31) / 32 * 32 + 32;
  const float scale = (float)(1 / sqrt((double)S));
  struct scratch w;
  lay_out(&w, scratch, T, S);
  if (kernels->begin) kernels->begin();
  for (size_t head = first; head < last; head++) {
    const size_t b = head / H, h = head % H;
    const float *q = a->qkv + b * T * ld + h * S;
    pack_a(w.k, T, S, q + C, ld, false);
    pack_across(w.kt, high, q + 2 * C, ld, T, S);
    for (size_t i = 0; i < T; i += ACROSS) {
      const size_t n = T - i < ACROSS ? T - i : ACROSS;
      scaled_rows(w.rows, q + i * ld, ld, n, S, scale);
      pack_b(w.q, S, n, w.rows, S, true);
      for (size_t r = 0; r < ACROSS; r++) w.shift[r] = -1e38f, w.sums[r] = 0;
      for (size_t k0 = 0; k0 < i + n; k0 += KEYS) {
        const size_t all = T - k0 < KEYS ? T - k0 : KEYS, seen = i + n - k0,
                     rows = seen < all ? seen : all;
        const float *vt = w.kt + k0 / KEYS * high * rmx__bf16_words(KEYS);
        times_panel(rows, words, w.k + k0 * words, words, w.q, w.s, false);
        const double since = a->seconds ? rmx_now() : 0;
        hide_future(rows, w.s, k0, i);
        float max[ACROSS];
        if (head_max(rows, w.s, w.shift, max))
          for (size_t r = 0; r < ACROSS; r++) {
            if (!(max[r] - w.shift[r] > 60)) continue;
            const float factor = expf(w.shift[r] - max[r]);
            w.shift[r] = max[r];
            w.sums[r] *= factor;
            for (size_t s = 0; s < S && k0 > 0; s++) w.across[s * ACROSS + r] *= factor;
          }
        head_exponentials(&(struct rmx__exponentials){
            .rows = rows, .logits = w.s, .shift = w.shift, .sums = w.sums, .packed = w.packed});
        if (a->seconds) *a->seconds += rmx_now() - since;
        times_panel(S, rmx__bf16_words(rows), vt, rmx__bf16_words(all), w.packed, w.across, k0 > 0);
      }
      for (size_t r = 0; r < n; r++) {
        a->lse[head * T + i + r] = w.shift[r] + logf(w.sums[r]);
        w.sums[r] = 1 / w.sums[r];
      }
      put_across(a->out + (b * T + i) * C + h * S, C, n, S, w.across, w.sums);
    }
  }
  if (kernels->end) kernels->end();
}

// P^T and dS^T of `rows` keys and 32 queries, both as rows of words, dS^T as a right operand
// too.
CALLED void probabilities_backward(size_t rows, const float *s, const float *dp, const float *lse,
                                   const float *delta, float *p, float *ds, size_t ld,
                                   float *packed) {
  const vf base0 = load(lse) * LOG2E, base1 = load(lse + VL) * LOG2E;
  const vf delta0 = load(delta), delta1 = load(delta + VL);
  size_t r = 0;
  for (; r < rows; r += 2, packed += NR) {
    vf d0[2] = {splat(0), splat(0)}, d1[2] = {splat(0), splat(0)};
#pragma GCC unroll 2
    for (size_t j = 0; j < 2; j++) {
      if (r + j >= rows) break;
      const float *at = s + (r + j) * ACROSS, *of = dp + (r + j) * ACROSS;
      const vf p0 = exp2_of(load(at) * LOG2E - base0), p1 = exp2_of(load(at + VL) * LOG2E - base1);
      d0[j] = p0 * (load(of) - delta0);
      d1[j] = p1 * (load(of + VL) - delta1);
      store_words(p + (r + j) * ld, words_along(p0, p1));
      store_words(ds + (r + j) * ld, words_along(d0[j], d1[j]));
    }
    store_words(packed, words_across(d0[0], d0[1]));
    store_words(packed + VL, words_across(d1[0], d1[1]));
  }
  for (r /= 2; r < rmx__bf16_words(rows); r++, packed += NR) {
    store(packed, splat(0));
    store(packed + VL, splat(0));
  }
}

// The operands that 128 queries are: as columns, 32 at a time, and as depth.
CALLED void pack_queries(struct scratch *w, size_t n, size_t S, const float *q, size_t ld,
                         const float *dout, size_t C, float scale) {
  const size_t words = rmx__bf16_words(S);
  scaled_rows(w->rows, q, ld, n, S, scale);
  pack_b(w->q_deep, n, S, w->rows, S, false);
  pack_b(w->dout_deep, n, S, dout, C, false);
  for (size_t at = 0; at < n; at += ACROSS) {
    const size_t across = n - at < ACROSS ? n - at : ACROSS;
    pack_b(w->q + at * words, S, across, w->rows + at * S, S, true);
    pack_b(w->dout + at * words, S, across, dout + at * C, C, true);
  }
}

static void attention_backward(const rmx_kernels *kernels, const struct rmx__attention *a,
                               size_t first, size_t last, float *scratch) {
  const size_t T = a->T, H = a->H, S = a->S, C = H * S, ld = 3 * C;
  const size_t words = rmx__bf16_words(S), high = (S + 31) / 32 * 32 + 32;
  const float scale = (float)(1 / sqrt((double)S));
  struct scratch w;
  lay_out(&w, scratch, T, S);
  if (kernels->begin) kernels->begin();
  for (size_t head = first; head < last; head++) {
    const size_t b = head / H, h = head % H;
    const float *q = a->qkv + b * T * ld + h * S;
    float *dq = a->dqkv + b * T * ld + h * S;
    pack_a(w.k, T, S, q + C, ld, false);
    pack_a(w.v, T, S, q + 2 * C, ld, false);
    pack_across(w.kt, high, q + C, ld, T, S);
    // Last block first: it sees all keys, so it writes dK and dV where the others add.
    const size_t end = (T - 1) / QUERIES * QUERIES;
    for (size_t i = end + QUERIES; i > 0;) {
      i -= QUERIES;
      const size_t n = T - i < QUERIES ? T - i : QUERIES, deep = rmx__bf16_words(n);
      const float *do_i = a->dout + (b * T + i) * C + h * S;
      pack_queries(&w, n, S, q + i * ld, ld, do_i, C, scale);
      float *const lse_i = w.shift, *const delta = w.sums;
      for (size_t r = 0; r < QUERIES; r++)
        lse_i[r] = r < n ? a->lse[head * T + i + r] : 0, delta[r] = 0;
      row_dots(n, S, do_i, C, a->out + (b * T + i) * C + h * S, C, delta);
      for (size_t k0 = 0; k0 < i + n; k0 += KEYS) {
        const size_t all = T - k0 < KEYS ? T - k0 : KEYS,
                     rows = i + n - k0 < all ? i + n - k0 : all;
        const float *kt = w.kt + k0 / KEYS * high * rmx__bf16_words(KEYS);
        for (size_t at = 0; at < deep * 2; at += ACROSS) {
          float *p = w.p + at / 2, *ds = w.ds + at / 2;
          const size_t query = i + at, after = query + ACROSS;  // of the last query seen
          const size_t seen = after <= k0 ? 0 : after - k0 < rows ? after - k0 : rows;
          for (size_t r = seen; r < rows; r++) {
            store(p + r * deep, splat(0));
            store(ds + r * deep, splat(0));
          }
          if (!seen) continue;
          times_panel(seen, words, w.k + k0 * words, words, w.q + at * words, w.s, false);
          times_panel(seen, words, w.v + k0 * words, words, w.dout + at * words, w.dp, false);
          const double since = a->seconds ? rmx_now() : 0;
          hide_future(seen, w.s, k0, query);
          probabilities_backward(seen, w.s, w.dp, lse_i + at, delta + at, p, ds, deep, w.packed);
          if (a->seconds) *a->seconds += rmx_now() - since;
          times_panel(S, rmx__bf16_words(seen), kt, rmx__bf16_words(all), w.packed,
                      w.across + at * S, k0 > 0);
        }
        struct rmx__panels dk = {.M = rows,
                                 .N = S,
                                 .K = deep,
                                 .a = w.ds,
                                 .b = w.q_deep,
                                 .panel = deep * NR,
                                 .c = dq + k0 * ld + C,
                                 .ldc = ld,
                                 .accumulate = i < end};
        rmx__gemm_packed(kernels, &dk);
        struct rmx__panels dv = dk;
        dv.a = w.p, dv.b = w.dout_deep, dv.c += C;
        rmx__gemm_packed(kernels, &dv);
      }
      float factor[ACROSS];
      for (size_t r = 0; r < ACROSS; r++) factor[r] = scale;
      for (size_t at = 0; at < n; at += ACROSS)
        put_across(dq + (i + at) * ld, ld, n - at < ACROSS ? n - at : ACROSS, S, w.across + at * S,
                   factor);
    }
  }
  if (kernels->end) kernels->end();
}
