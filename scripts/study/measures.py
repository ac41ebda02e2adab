# SPDX-License-Identifier: Apache-2.0
"""Rank correlations, regret, and intervals: by drawing mixtures again, or of Student's t."""
import math
import random
from statistics import mean, stdev

DRAWS = 1000
# 97.5 % points of Student's t, by degrees of freedom
T975 = [math.nan, 12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201,
        2.179, 2.160, 2.145, 2.131]


def t975(freedom):
    return T975[freedom] if freedom < len(T975) else 1.96 + 2.4 / freedom


def ranks(x):
    """Ranks from 1; equal values share the mean of their ranks."""
    order = sorted(range(len(x)), key=lambda i: x[i])
    out = [0.0] * len(x)
    i = 0
    while i < len(x):
        j = i
        while j + 1 < len(x) and x[order[j + 1]] == x[order[i]]:
            j += 1
        for k in range(i, j + 1):
            out[order[k]] = (i + j) / 2 + 1
        i = j + 1
    return out


def pearson(x, y):
    a, b = mean(x), mean(y)
    u, v = [p - a for p in x], [q - b for q in y]
    size = math.sqrt(sum(p * p for p in u) * sum(q * q for q in v))
    return sum(p * q for p, q in zip(u, v)) / size if size > 0 else math.nan


def spearman(x, y):
    return pearson(ranks(x), ranks(y))


def mse(predicted, true):
    return mean((p - t) ** 2 for p, t in zip(predicted, true))


def mse_of_differences(predicted, true):
    """The same without what all predictions share: models of another size have another level."""
    off = mean(predicted) - mean(true)
    return mse([p - off for p in predicted], true)


def regret(predicted, true):
    """How much worse the mixture predicted best is than the best."""
    return true[min(range(len(true)), key=lambda i: predicted[i])] - min(true)


def resampled(n, statistic, draws=DRAWS):
    """95 % interval of statistic(indices) over mixtures drawn again, always the same draws."""
    random_numbers = random.Random(20261128 + n)
    values = []
    for _ in range(draws):
        drawn = [random_numbers.randrange(n) for _ in range(n)]
        value = statistic(drawn)
        if not math.isnan(value):
            values.append(value)
    values.sort()
    if len(values) < draws / 2:
        return math.nan, math.nan
    return values[int(0.025 * len(values))], values[min(int(0.975 * len(values)),
                                                        len(values) - 1)]


def interval_of(statistic, *columns):
    """The statistic of the columns, and its interval."""
    low, high = resampled(len(columns[0]),
                          lambda drawn: statistic(*([c[i] for i in drawn] for c in columns)))
    return statistic(*columns), low, high


def mean_interval(x):
    """Mean, standard error and 95 % t interval; NaN where one value tells nothing."""
    if len(x) < 2:
        return (x[0] if x else math.nan), math.nan, math.nan, math.nan
    m, se = mean(x), stdev(x) / math.sqrt(len(x))
    t = t975(len(x) - 1)
    return m, se, m - t * se, m + t * se


def welch(x, y):
    """mean(x) - mean(y), 95 % interval and p, of samples that are not paired."""
    if len(x) < 2 or len(y) < 2:
        return mean(x) - mean(y), math.nan, math.nan, math.nan
    a, b = stdev(x) ** 2 / len(x), stdev(y) ** 2 / len(y)
    se = math.sqrt(a + b)
    off = mean(x) - mean(y)
    if se == 0:
        return off, off, off, 0.0 if off else 1.0
    freedom = (a + b) ** 2 / (a * a / (len(x) - 1) + b * b / (len(y) - 1))
    t = t975(max(1, int(freedom)))
    return off, off - t * se, off + t * se, p_of_t(off / se, freedom)


def p_of_t(t, freedom):
    """Two-sided, by integrating Student's density."""
    scale = math.exp(math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2)) / math.sqrt(
        freedom * math.pi)
    steps, end = 2000, min(abs(t), 200.0)
    h = end / steps

    def density(x):
        return scale * (1 + x * x / freedom) ** (-(freedom + 1) / 2)

    inside = h / 3 * sum((1 if i in (0, steps) else 4 if i % 2 else 2) * density(i * h)
                         for i in range(steps + 1))
    return max(0.0, 1 - 2 * inside)


def paired(x, y):
    """mean(x - y), 95 % interval and p, of pairs."""
    d = [p - q for p, q in zip(x, y)]
    m, se, low, high = mean_interval(d)
    if math.isnan(se):
        return m, low, high, math.nan
    if se == 0:
        return m, m, m, 0.0 if m else 1.0
    return m, low, high, p_of_t(m / se, len(d) - 1)


def holm(p):
    """Holm's correction of these p-values for their number. NaN stays."""
    known = sorted((i for i in range(len(p)) if not math.isnan(p[i])), key=lambda i: p[i])
    out, least = list(p), 0.0
    for k, i in enumerate(known):
        least = max(least, min(1.0, (len(known) - k) * p[i]))
        out[i] = least
    return out
