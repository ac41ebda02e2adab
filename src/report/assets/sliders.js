// SPDX-License-Identifier: Apache-2.0
// The section "What if?": one slider per domain, and next to them the predictions, which follow at once.

// Why there is nothing to move.
function noFunctions() {
  const regressors = [...new Set(((fitted && fitted.metrics) || []).map(({function: file}) => file.regressor))];
  if (!regressors.length) return absent('There are no fitted functions to try mixtures on', 'fit', 'makes them');
  return el(
    'p',
    {class: 'absent'},
    `This page can't compute the regressor of this fit (${regressors.join(', ')}). `,
    el('code', null, 'regmix predict'),
    ' predicts the metrics of any mixture.',
  );
}

function whatIfSection() {
  if (!whatIf) {
    section(
      'whatif',
      'What if?',
      null,
      noFunctions(),
    );
    return;
  }
  const {names, known} = whatIf;
  const reference = whatIf.prior || whatIf.mean,
    referenceName = whatIf.prior ? 'the prior' : 'the mean of the runs';
  const atReference = whatIf.predict(reference),
    atOptimum = whatIf.optimum && whatIf.predict(whatIf.optimum);
  const epochsOf = (d) =>
    budgetTokens && tokensOf(names[d]) ? (whatIf.w[d] * budgetTokens) / tokensOf(names[d]) : NaN;
  const hasEpochs = names.some((name) => budgetTokens && tokensOf(name));
  const at = (share) => `calc(8px + (100% - 16px) * ${Math.min(1, Math.max(0, share)).toFixed(4)})`;

  // One row per domain, sorted by its share of the optimum.
  const sliders = names.map((name, d) => {
    const {low, high} = known.ranges[d];
    const slide = el('input', {
      type: 'range',
      min: 0,
      max: 100,
      step: 0.1,
      'aria-label': `share of ${name}, percent`,
    });
    const exact = el('input', {
      type: 'number',
      min: 0,
      max: 100,
      step: 0.1,
      'aria-label': `share of ${name}, percent`,
    });
    const lock = el('input', {type: 'checkbox', 'aria-label': `lock ${name}`});
    const epochs = el('span', {class: 'epochs'});
    const node = el(
      'div',
      {class: hasEpochs ? 'slide' : 'slide no-epochs'},
      el('span', {class: 'name', title: name}, briefDomain(name)),
      el(
        'span',
        {class: 'track'},
        el('i', {
          class: 'covered',
          title: `the runs had ${percent(low)} to ${percent(high)}`,
          style: `left:${at(low)};right:calc(100% - ${at(high)})`,
        }),
        whatIf.optimum ? el('i', {class: 'tick', style: `left:${at(whatIf.optimum[d])}`}) : null,
        slide,
      ),
      el('span', {class: 'exact'}, exact, '%'),
      el('label', {class: 'lock'}, lock, el('span', null, 'lock')),
      hasEpochs ? epochs : null,
    );
    const take = (field) => {
      if (field.value !== '') whatIf.move(d, field.value / 100);
      show(field);
    };
    for (const field of [slide, exact]) {
      field.addEventListener('input', () => take(field));
      field.addEventListener('change', () => {
        whatIf.drop();
        show();
      });
    }
    lock.addEventListener('change', () => {
      whatIf.locked[d] = lock.checked;
      whatIf.drop();
      show();
    });
    return {node, slide, exact, lock, epochs};
  });

  // One row per metric; its bar spans the values of the runs.
  const MOST = 20;
  const first = functions.filter(({name}) => whatIf.asked[name]),
    order = [...first, ...functions.filter(({name}) => !whatIf.asked[name])];
  const metrics = order.map(({name}) => {
    const weight = el('input', {type: 'number', step: 'any', 'aria-label': `weight of ${name} in the score`});
    const value = el('span', {class: 'value'}),
      change = el('span', {class: 'change'}),
      band = el('i', {class: 'band'}),
      dot = el('i', {class: 'dot'});
    const values = folds[name]
      ? folds[name].true
      : fitted.mixtures.map((w) => functions.find((x) => x.name === name).at(w));
    const reach = extent([...values, atReference[name], atOptimum ? atOptimum[name] : NaN]);
    const place = (x) =>
      `${(100 * Math.min(1, Math.max(0, (x - reach[0]) / (reach[1] - reach[0])))).toFixed(2)}%`;
    const error = known.errorOf({[name]: 1});
    weight.addEventListener('input', () => {
      whatIf.weights[name] = Number.isFinite(weight.valueAsNumber) ? weight.valueAsNumber : 0;
      weigh();
      show(weight);
    });
    const node = el(
      'div',
      {class: 'metric'},
      el('span', {class: 'name', title: name}, briefMetric(name)),
      el('span', {class: 'weight'}, weight),
      value,
      change,
      el(
        'span',
        {class: 'bar', title: `the runs had ${loss(reach[0])} to ${loss(reach[1])}`},
        el('i', {class: 'reference', style: `left:${place(atReference[name])}`}),
        atOptimum ? el('i', {class: 'tick', style: `left:${place(atOptimum[name])}`}) : null,
        band,
        dot,
      ),
    );
    return {name, node, weight, value, change, band, dot, error, place};
  });

  // The score.
  const scoreTitle = el('dt'),
    scoreValue = el('dd'),
    scoreNote = el('span'),
    near = el('p', {class: 'soft', 'aria-live': 'polite'}),
    worries = el('ul', {class: 'warnings'}),
    again = el('p', {class: 'soft'});
  let scoreError = null,
    alone = null;
  function weigh() {
    scoreError = known.errorOf(whatIf.weights);
    const used = order.filter(({name}) => whatIf.weights[name]);
    alone = used.length === 1 && Math.abs(whatIf.weights[used[0].name]) === 1 ? used[0].name : null;
    scoreTitle.textContent = alone
      ? `Predicted ${nameOf(alone)}`
      : 'Predicted score: the weighted sum, lower is better';
    const changed = order.some(({name}) => whatIf.weights[name] !== whatIf.asked[name]) && used.length > 0;
    again.hidden = !changed;
    again.replaceChildren(
      'The mixture found was for other weights; for these it is found by ',
      el(
        'code',
        null,
        `regmix optimize ${used
          .map(({name}) => {
            const x = whatIf.weights[name];
            return `${x > 0 ? '--target' : '--maximize'} ${shellWord(`${name}=${Math.abs(x)}`)}`;
          })
          .join(' ')}`,
      ),
    );
  }
  const than = (score, other, what) => {
    const gap = other - score;
    if (isSame(gap, score)) return `as good as ${what}`;
    return `${small(Math.abs(gap))} ${gap >= 0 ? 'better' : 'worse'} than ${what}`;
  };

  // Shows the state; `except` is the field that the user is typing in, which is not changed.
  function show(except) {
    const {w} = whatIf,
      values = whatIf.predict(w),
      nearest = known.nearest(w),
      distance = nearest[0].distance;
    sliders.forEach(({slide, exact, lock, epochs, node}, d) => {
      const p = 100 * w[d];
      if (slide !== except) slide.value = p;
      else if (Math.abs(slide.value - p) > 0.051) slide.value = p; // no room left
      if (exact !== except) exact.value = Number(p.toFixed(p < 0.95 ? 3 : 2));
      slide.disabled = exact.disabled = whatIf.locked[d];
      slide.setAttribute('aria-valuetext', percent(w[d]));
      lock.checked = whatIf.locked[d];
      const {low, high, slack} = known.ranges[d];
      node.classList.toggle('outside', w[d] < low - slack || w[d] > high + slack);
      const e = epochsOf(d);
      epochs.textContent = isNumber(e)
        ? `${e < 0.05 ? '0' : e >= 99.5 ? count(e) : fixed(e, e < 9.95 ? 1 : 0)}×`
        : '';
      epochs.classList.toggle('many', e > 4);
    });
    for (const m of metrics) {
      const y = values[m.name],
        off = m.error ? REACH * m.error(distance) : NaN;
      if (m.weight !== except) m.weight.value = whatIf.weights[m.name];
      m.node.classList.toggle('main', whatIf.weights[m.name] !== 0);
      m.value.textContent = `${loss(y)}${isNumber(off) ? ` ± ${small(off)}` : ''}`;
      const gap = y - atReference[m.name];
      m.change.textContent = isSame(gap, y) ? '0' : signed(gap);
      m.band.style.left = m.place(y - (off || 0));
      m.band.style.right = `calc(100% - ${m.place(y + (off || 0))})`;
      m.dot.style.left = m.place(y);
    }
    const score = whatIf.score(values),
      sign = alone && whatIf.weights[alone] < 0 ? -1 : 1,
      off = scoreError ? REACH * scoreError(distance) : NaN;
    scoreValue.replaceChildren(
      loss(sign * score),
      el('small', null, `${isNumber(off) ? ` ± ${small(off)}` : ''} ${alone ? unitOf(alone) : ''}`),
      scoreNote,
    );
    scoreNote.textContent = [
      than(score, whatIf.score(atReference), referenceName),
      atOptimum ? than(score, whatIf.score(atOptimum), 'the optimum') : null,
    ]
      .filter(Boolean)
      .join(', ');
    near.textContent =
      `Nearest runs: ${nearest.map((r) => `${r.id} (${percent(r.distance)})`).join(', ')}. The distance is the share of tokens that differ. ` +
      `Between a run and its nearest run it is typically ${percent(known.typical)}.`;
    const outside = names.filter((name, d) => sliders[d].node.classList.contains('outside'));
    const texts = [];
    if (outside.length)
      texts.push(
        `These domains are outside the range of the runs: ${outside
          .map((name) => {
            const {low, high} = known.ranges[names.indexOf(name)];
            return `${domainLabel(name)} (the runs had ${percent(low)} to ${percent(high)})`;
          })
          .join(', ')}. So the prediction is a guess.`,
      );
    if (distance > 2 * known.typical)
      texts.push('This mixture is far from every run, so the prediction and its interval are guesses.');
    if (
      texts.length !== worries.childElementCount ||
      texts.some((text, i) => worries.children[i].textContent !== text)
    )
      worries.replaceChildren(...texts.map((text) => el('li', null, text)));
    worries.hidden = !texts.length;
    if (exporting.open) exporting.show();
  }

  // Of very many metrics, only those of the target and a few more are shown at first.
  const others = el('button', {type: 'button'}, `Show all ${plural(metrics.length, 'metric')}`);
  others.hidden = metrics.length <= MOST;
  metrics.forEach((m, i) => (m.node.hidden = !others.hidden && i >= Math.max(MOST, first.length)));
  others.addEventListener('click', () => {
    metrics.forEach((m) => (m.node.hidden = false));
    others.hidden = true;
  });

  const button = (text, act, title) => {
    const node = el('button', {type: 'button', title}, text);
    node.addEventListener('click', () => {
      act();
      weigh();
      show();
    });
    return node;
  };
  const exporting = exportPart();
  const inWords =
    `The ${100 * LEVEL}\u202f% intervals are ± ${REACH} times the expected error at the distance from the nearest run. ` +
    'The square of this error, a + b · distance², is fitted to the squared errors on runs that the fit had not seen.';
  section(
    'whatif',
    'What if?',
    null,
    el(
      'p',
      null,
      'Move a slider to change the share of a domain. The domains that are not locked adapt, so that all shares sum to 100\u202f%. The predictions follow at once.',
    ),
    el(
      'div',
      {class: 'buttons'},
      whatIf.optimum ? button('Optimum', () => whatIf.set(whatIf.optimum)) : null,
      whatIf.prior ? button('Prior', () => whatIf.set(whatIf.prior), priorText) : null,
      button('Uniform', () => whatIf.set(names.map(() => 1 / names.length))),
      whatIf.bestRun()
        ? button(
            'Best run',
            () => whatIf.set((whatIf.bestRun() || {w: whatIf.w}).w),
            'the run with the best measured score under these weights',
          )
        : null,
      button('Reset', () => whatIf.reset(), 'restore the first mixture, weights and locks'),
    ),
    el(
      'div',
      {class: 'pair even whatif'},
      el(
        'div',
        null,
        el(
          'div',
          {class: hasEpochs ? 'slide head' : 'slide head no-epochs'},
          el('span', null, 'domain'),
          el('span', null, 'share of the training tokens'),
          el('span', {class: 'lock', title: 'a locked domain keeps its share'}, 'lock'),
          hasEpochs ? el('span', {class: 'epochs'}, 'epochs') : null,
        ),
        el(
          'div',
          {class: sliders.length > MOST_BARS ? 'many' : 'few'},
          sliders
            .map((s, d) => ({node: s.node, share: (whatIf.optimum || reference)[d]}))
            .sort((a, b) => b.share - a.share)
            .map((s) => s.node),
        ),
        key(['cover', 'range of the runs'], whatIf.optimum ? ['main', 'the optimum'] : null),
        hasEpochs
          ? el(
              'p',
              {class: 'soft'},
              `Epochs are how often a large model of ${count(budgetTokens)} tokens would see the domain.`,
            )
          : null,
      ),
      el(
        'div',
        null,
        el('dl', {class: 'figures'}, el('div', {class: 'main'}, scoreTitle, scoreValue)),
        worries,
        near,
        el(
          'div',
          {class: 'metric head'},
          el('span', null, 'metric'),
          el('span', {class: 'weight', title: 'weight of the metric in the score; below 0: the metric is raised'}, 'weight'),
          el('span', {class: 'value'}, 'predicted'),
          el(
            'span',
            {class: 'change', title: `minus the prediction at ${referenceName}`},
            whatIf.prior ? 'minus prior' : 'minus mean',
          ),
        ),
        metrics.map((m) => m.node),
        others.hidden ? null : others,
        key(['accent', 'this mixture, with its interval'], atOptimum ? ['main', 'the optimum'] : null, [
          'other',
          referenceName,
        ]),
        again,
        el('p', {class: 'soft'}, inWords),
      ),
    ),
    exporting.node,
  );
  weigh();
  show();
}
