// SPDX-License-Identifier: Apache-2.0
// Vega, either complete (the global `vega` exists) or as modules by name, each a function (exports, module,
// require). The modules run on first request, and the transforms that specs can name are collected.
const chartLibrary = (() => {
  if (globalThis.vega) return globalThis.vega;
  const loaded = {};
  const require = (name) => {
    if (name === 'vega-selections') name = 'vega-selection'; // package and file have different names
    if (!(name in loaded)) {
      if (!vegaModules[name]) throw new Error(`the chart library has no module ${name}`);
      loaded[name] = {};
      vegaModules[name](loaded[name], {}, require);
    }
    return loaded[name];
  };
  Object.assign(
    require('vega-dataflow').transforms,
    require('vega-transforms'),
    require('vega-view-transforms'),
    require('vega-encode'),
  );
  return {parse: require('vega-parser').parse, View: require('vega-view').View};
})();
