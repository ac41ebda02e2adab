// SPDX-License-Identifier: Apache-2.0
// The real training run: the tokens of each domain and how often they are seen, for a budget that the user can type. And the
// next runs.

// "1.5T" as a person writes it, or NaN.
function tokensTyped(text) {
  const match = /^\s*([0-9]+(?:\.[0-9]*)?(?:e[0-9]+)?)\s*([kMGBT]?)\s*$/i.exec(text);
  const scale = {k: 1e3, m: 1e6, g: 1e9, b: 1e9, t: 1e12};
  return match ? Number(match[1]) * (scale[match[2].toLowerCase()] || 1) : NaN;
}

function budgetSection() {
  if (!optimum || !optimum.mixture) return;
  const order = Object.entries(wholeRun(optimum.mixture)).sort((a, b) => b[1] - a[1]);
  const prior = wholeRun(optimum.prior || {}),
    hasPrior = Object.keys(prior).length > 0,
    hasTokens = order.some(([name]) => tokensOf(name));
  let budget = budgetTokens || 100e9;
  const typed = el('input', {type: 'text', size: 8, value: count(budget).replace('\u202f', ''), 'aria-label': 'tokens of the real training run'});
  const place = el('div', {class: 'block'}),
    problem = el('p', {class: 'soft', 'aria-live': 'polite'});
  const times = (share, name) => (tokensOf(name) ? (share * budget) / tokensOf(name) : NaN);
  // How often a proxy saw the domain at this share.
  const read = data.proxy_domain_tokens || {};
  const proxyTimes = (share, name) => (read[name] > 0 ? (share * data.proxy_tokens) / read[name] : NaN);
  const epochs = (x) => (isNumber(x) ? {text: `${x > 0 && x < 0.1 ? Number(x.toPrecision(2)) : fixed(x, x < 9.95 ? 2 : 0)}×`, class: x > 4 ? 'many' : null} : '–');
  const show = () =>
    place.replaceChildren(
      sortable(
        `Tokens of each domain in ${count(budget)} tokens`,
        [
          {text: 'domain', of: ([name]) => domainLabel(name), cell: ([name]) => ({text: domainLabel(name), title: name})},
          {text: 'share', of: ([, w]) => w, cell: ([, w]) => percent(w)},
          {text: 'tokens', of: ([, w]) => w, cell: ([, w]) => count(w * budget)},
          ...phases.map(({share, mixture}, k) => ({
            text: `in phase ${k}`,
            title: 'tokens',
            of: ([name]) => share * mixture[name],
            cell: ([name]) => count(share * (mixture[name] || 0) * budget),
          })),
          hasTokens && {text: 'available', of: ([name]) => tokensOf(name), cell: ([name]) => count(tokensOf(name))},
          hasTokens && {text: 'epochs', of: ([name, w]) => times(w, name), cell: ([name, w]) => epochs(times(w, name))},
          data.proxy_tokens > 0 && {
            text: 'epochs in a proxy',
            of: ([name, w]) => proxyTimes(w, name),
            cell: ([name, w]) => epochs(proxyTimes(w, name)),
          },
          hasTokens &&
            hasPrior && {
              text: 'epochs at the prior',
              of: ([name]) => times(prior[name], name),
              cell: ([name]) => epochs(times(prior[name], name)),
            },
        ].filter(Boolean),
        order,
        40,
      ),
    );
  typed.addEventListener('input', () => {
    const asked = tokensTyped(typed.value);
    problem.textContent = asked > 0 ? '' : 'Type a number of tokens, for example 600k, 20G or 1.5T.';
    if (!(asked > 0)) return;
    budget = asked;
    show();
  });
  show();
  section(
    'budget',
    'Tokens and epochs at the real budget',
    'Budget',
    el(
      'p',
      null,
      budgetTokens
        ? `The real training run has ${count(budgetTokens)} tokens. `
        : 'The number of tokens of the real training run is not known, so this table uses 100\u202fG as an example. ',
      budgetTokens ? 'You can type another number.' : 'Type the right number, or use ',
      budgetTokens ? null : el('code', null, 'regmix report --budget TOKENS'),
      budgetTokens ? null : '.',
    ),
    hasTokens
      ? el('p', null, 'Epochs are how often each token would be seen. Alone, a text is worth repeating about four times (Muennighoff et al. 2023); small domains beside other data 15 to 20 times (Sedova et al. 2026). Proxies show what repeating costs if they repeat a domain as often as the real run (proxy.repeat).')
      : el(
          'p',
          null,
          'The number of available tokens of each domain is not known, so there are no epochs. Give it with ',
          el('code', null, 'regmix report --tokens FILE'),
          '.',
        ),
    el('label', {class: 'choose'}, 'Tokens of the run', typed),
    problem,
    place,
  );
}

// ---- what to train next ----

function nextSection() {
  if (!fit && !runs) return;
  const waiting = data.waiting || {ids: []},
    results = data.results || {};
  const untrained = waiting.ids
    .map((id, i) => ({id, w: Object.fromEntries(waiting.domains.map((name, d) => [name, waiting.mixtures[i][d]]))}))
    .filter(({id}) => (results[id] || {}).status !== 'diverged');
  const suggested = data.next
    ? data.next.ids
        .map((id, i) => ({id, w: Object.fromEntries(data.next.domains.map((name, d) => [name, data.next.mixtures[i][d]]))}))
        .filter(({id}) => !untrained.some((r) => r.id === id) && !(runs && runs.ids.includes(id)))
    : [];
  const rows = [...suggested.map((r) => ({...r, from: 'suggested'})), ...untrained.map((r) => ({...r, from: 'in mixtures.csv'}))];
  const curve = optimum && optimum.learning_curve;
  const sentence = curve && typeof curve.sentence === 'string' ? `${curve.sentence.replace(/\.$/, '')}.` : null;
  const command = data.experiment ? 'regmix suggest --out next.csv' : `regmix suggest --fit fit --target ${shellWord(target.name || 'METRIC')} --out next.csv`;
  const predicted = (r) => (whatIf ? whatIf.predict(whatIf.names.map((name) => r.w[name] || 0))[target.name] : NaN);
  const domains = rows.length ? Object.keys(rows[0].w).sort((a, b) => Math.max(...rows.map((r) => r.w[b] || 0)) - Math.max(...rows.map((r) => r.w[a] || 0))) : [];
  const shown = domains.slice(0, 16);
  section(
    'next',
    'What to train next',
    'Next runs',
    sentence ? el('p', null, sentence.charAt(0).toUpperCase() + sentence.slice(1)) : null,
    rows.length
      ? el(
          'div',
          {class: 'block'},
          sortable(
            `${plural(rows.length, 'mixture')} to train${shown.length < domains.length ? `; the ${shown.length} largest of ${domains.length} weights` : ''} (% of the training tokens)`,
            [
              {text: 'run', of: (r) => r.id, cell: (r) => ({text: r.id})},
              {text: 'from', of: (r) => r.from, cell: (r) => r.from},
              whatIf && target.name !== WEIGHTED && {text: `predicted ${briefMetric(target.name)}`, of: predicted, cell: (r) => loss(predicted(r))},
              ...shown.map((name) => ({text: briefDomain(name), title: name, of: (r) => r.w[name], cell: (r) => fixed(100 * r.w[name], 1)})),
            ].filter(Boolean),
            rows,
            20,
          ),
        )
      : el('p', {class: 'hint'}, el('code', null, command), ' chooses mixtures to train; then ', el('code', null, 'regmix report'), ' shows them here.'),
  );
}
