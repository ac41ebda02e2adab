// SPDX-License-Identifier: Apache-2.0
// Vega, whether it came whole (then the global `vega` is there) or as modules by name, each a function
// (exports, module, require): the modules are run on first request, and the transforms that specs may name
// are gathered.
const chartLibrary = (() => {
  if (globalThis.vega) return globalThis.vega;
  const loaded = {};
  const require = (name) => {
    if (name === 'vega-selections') name = 'vega-selection'; // package and file are called differently
    if (!(name in loaded)) {
      if (!vegaModules[name]) throw new Error(`the chart library lacks its module ${name}`);
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
