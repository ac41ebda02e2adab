// SPDX-License-Identifier: Apache-2.0
// columns.mjs MODULES ROWS [TEXT.parquet...]: Parquet and Arrow files of other writers, read by ROWS (peer_rows, of rows.c) and by
// other readers. MODULES is a folder of node modules with @duckdb/node-api, hyparquet, hyparquet-compressors, parquet-wasm and
// apache-arrow. The documents must be the same. Then each TEXT.parquet is timed beside DuckDB with one thread: processor time,
// five rounds in turn, medians.
import { execFileSync } from 'child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'fs';
import { createRequire } from 'module';
import { tmpdir } from 'os';
import { join, resolve } from 'path';
import { pathToFileURL } from 'url';

const [modules, rows, ...timed] = process.argv.slice(2);
const require = createRequire(resolve(modules, 'x.js'));
const { DuckDBInstance } = require('@duckdb/node-api');
const arrow = require('apache-arrow');
const load = (name) => import(pathToFileURL(require.resolve(name)));
const seeds = resolve(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '../../tests/fuzz/seeds');
const work = mkdtempSync(join(tmpdir(), 'columns-'));
const duck = await (await DuckDBInstance.create(':memory:')).connect();
await duck.run('set threads = 1');
let passed = 0, failed = 0;

const isBlank = (s) => /^[ \t\r\n\v\f]*$/.test(s);
const cell = (v) => v === null || v === undefined ? null : typeof v === 'bigint' || typeof v === 'boolean' ? String(v) : v;
const ours = (file, names) => execFileSync(rows, [file, ...names], { maxBuffer: 1 << 30, encoding: 'utf8' }).split('\n').filter(Boolean)
  .map((l) => JSON.parse(l));
const same = (a, b) => a === b || (a !== null && b !== null && (String(a) === String(b) || Math.fround(Number(a)) === Math.fround(Number(b))));

function compare(what, got, wanted) {
  wanted = wanted.filter((row) => row[0] !== null && !isBlank(row[0]));
  const at = got.length !== wanted.length ? Math.min(got.length, wanted.length)
    : got.findIndex((row, i) => row[0] !== wanted[i][0] || row.some((v, k) => !same(v, wanted[i][k])));
  const good = got.length === wanted.length && at < 0;
  good ? passed++ : failed++;
  if (!good) console.log(`not ok - ${what}: ${got.length} rows of ${wanted.length}; row ${at}:`, got[at], wanted[at]);
}

// The same columns by another reader.
async function byDuckdb(file, columns) {
  const r = await duck.runAndReadAll(`select ${columns.map((c) => c.sql).join(', ')} from '${file}'`);
  return r.getRowsJS().map((row) => row.map(cell));
}
const { parquetReadObjects } = await load('hyparquet');
const { compressors } = await load('hyparquet-compressors');
const dig = (object, path) => path.split('.').reduce((o, k) => o?.[k], object);
const joined = (v) => Array.isArray(v) ? v.filter((x) => x != null).join('\n') || null : v;
async function byHyparquet(file, columns) {
  const b = readFileSync(file);
  const all = await parquetReadObjects({ file: b.buffer.slice(b.byteOffset, b.byteOffset + b.length), compressors });
  return all.map((o) => columns.map((c) => cell(c.list ? c.list(dig(o, c.from)) : joined(dig(o, c.name)))));
}
function byArrow(file, columns) {
  const table = arrow.tableFromIPC(readFileSync(file));
  const plain = (v) => v && typeof v.toJSON === 'function' ? v.toJSON() : v;
  return table.toArray().map((row) => columns.map((c) => {
    const v = c.name.split('.').reduce((o, k) => plain(o)?.[k], row);
    return cell(joined(v && v.toArray && typeof v !== 'string' ? [...v] : v));
  }));
}
const column = (name, sql = name) => ({ name, sql });
const joinSql = (name) => column(name, `nullif(array_to_string(list_filter(${name}, x -> x is not null), chr(10)), '')`);

// ---- files of DuckDB: every compression, versions, sizes of groups and dictionaries, kinds of columns
await duck.run(`create table t as select
  case when i % 7 = 3 then null when i % 11 = 0 then '' else 'text number ' || i || ' é ' || repeat(chr(97 + (i % 26)::int), (i % 300)::int) end as text,
  'http://x' || (i % 100) || '.org/' || i as url, ['en', 'de', 'ja'][1 + i % 3] as language, case when i % 3 = 0 then null else i end as id,
  (i * 1.5)::double as score, (i * 0.1)::float as f, i % 2 = 0 as flag, i::uint64 * 900000000000000 as u, (i * 7 % 1000 - 500)::smallint as small,
  {'text': case when i % 5 = 0 then null else 'in ' || i end, 'n': i::int, 'deep': {'x': 'deep ' || i}} as meta,
  case when i % 4 = 0 then null when i % 4 = 1 then [] else ['a' || i, null, repeat('b', (i % 2000)::int)] end as parts,
  encode('bytes ' || i) as raw
  from range(12000) q(i)`);
const columns = [column('text'), column('url'), column('language'), column('id'), column('score'), column('f'), column('flag'), column('u'),
  column('small'), column('meta.n'), column('meta.text'), column('meta.deep.x')];
const duckFiles = [];
for (const codec of ['uncompressed', 'snappy', 'gzip', 'zstd', 'lz4_raw'])
  for (const version of ['v1', 'v2'])
    for (const more of ['row_group_size 2048', 'row_group_size 122880, dictionary_size_limit 1', 'row_group_size 5000, string_dictionary_page_size_limit 1000'])
      duckFiles.push([`codec ${codec}, parquet_version ${version}, ${more}`]);
for (const [options] of duckFiles) {
  const file = join(work, 'duck.parquet');
  await duck.run(`copy t to '${file}' (format parquet, ${options})`);
  const names = columns.map((c) => c.name);
  compare(`DuckDB ${options}, by DuckDB`, ours(file, names), await byDuckdb(file, columns));
  compare(`DuckDB ${options}, by hyparquet`, ours(file, names), await byHyparquet(file, columns));
  compare(`DuckDB ${options}, lists`, ours(file, ['parts']), await byDuckdb(file, [joinSql('parts')]));
  compare(`DuckDB ${options}, bytes`, ours(file, ['raw', 'url']), await byDuckdb(file, [column('raw', 'decode(raw)'), column('url')]));
}

// ---- files of apache-arrow and of parquet-wasm (Rust's writer)
const N = 3000, range = [...Array(N).keys()];
const utf8 = new arrow.Utf8(), item = (t) => new arrow.Field('item', t, true);
function table(text, size) {
  const data = { text: [text, range.map((i) => i % 7 === 3 ? null : 'text ' + i + ' é ' + 'na'.repeat(i % 500))],
    url: [utf8, range.map((i) => `http://x${i % 100}.org/${i}`)], id: [new arrow.Int32(), range.map((i) => i % 3 ? i : null)],
    score: [new arrow.Float64(), range.map((i) => i * 1.5)], flag: [new arrow.Bool(), range.map((i) => i % 2 === 0)],
    meta: [new arrow.Struct([new arrow.Field('text', utf8, true)]), range.map((i) => ({ text: 'in ' + i }))],
    parts: [new arrow.List(item(utf8)), range.map((i) => i % 4 ? ['a' + i, null, 'b'.repeat(i % 2000)] : [])] };
  const make = (from) => new arrow.Table(Object.fromEntries(Object.entries(data).map(([k, [t, v]]) =>
    [k, arrow.vectorFromArray(v.slice(from, from + size), t)])));
  const batches = [];
  for (let i = 0; i < N; i += size) batches.push(make(i));
  return batches[0].concat(...batches.slice(1));
}
const few = ['text', 'url', 'id', 'score', 'flag', 'meta.text'].map((n) => column(n));
const names = few.map((c) => c.name);
const kinds = { utf8, large: new arrow.LargeUtf8(), dictionary: new arrow.Dictionary(utf8, new arrow.Int32()) };
const wasm = require('parquet-wasm');
let turn = 0;
for (const [kind, type] of Object.entries(kinds))
  for (const size of [N, 700]) {
    const t = kind === 'dictionary' ? table(type, N) : table(type, size);
    for (const form of ['stream', 'file']) {
      const file = join(work, 'x.arrow'), what = `apache-arrow ${kind} ${form}, batches of ${size}`;
      writeFileSync(file, arrow.tableToIPC(t, form));
      compare(what, ours(file, names), byArrow(file, few));
      compare(what + ', lists', ours(file, ['parts']), byArrow(file, [column('parts')]));
    }
    const C = wasm.Compression, codecs = ['UNCOMPRESSED', 'SNAPPY', 'GZIP', 'ZSTD', 'LZ4_RAW'];
    for (const version of [wasm.WriterVersion.V1, wasm.WriterVersion.V2])
      for (const encoding of [undefined, wasm.Encoding.DELTA_BYTE_ARRAY, wasm.Encoding.DELTA_LENGTH_BYTE_ARRAY, wasm.Encoding.PLAIN]) {
          const codec = codecs[turn++ % codecs.length], file = join(work, 'w.parquet'), what = `parquet-wasm ${kind} ${codec} version ${version}, encoding ${encoding}`;
          let p = new wasm.WriterPropertiesBuilder().setCompression(C[codec]).setWriterVersion(version).setMaxRowGroupSize(1000).setDataPageSizeLimit(20000);
          if (encoding !== undefined) p = p.setDictionaryEnabled(false).setColumnEncoding('text', encoding).setColumnEncoding('url', encoding);
          const w = wasm.Table.fromIPCStream(arrow.tableToIPC(t, 'stream'));
          writeFileSync(file, wasm.writeParquet(w, p.build()));
          compare(what + ', by DuckDB', ours(file, names), await byDuckdb(file, few));
          compare(what + ', by hyparquet', ours(file, names), await byHyparquet(file, few));
          compare(what + ', lists', ours(file, ['parts']), await byDuckdb(file, [joinSql('parts')]));
      }
  }

// ---- our own writer (tests/fuzz/columns.py), by the other readers
const seedColumns = ['text', 'url', 'number', 'score', 'flag', 'meta.text'].map((n) => column(n));
const seedNames = seedColumns.map((c) => c.name);
for (const name of readdirSync(join(seeds, 'parquet'))) {
  const file = join(seeds, 'parquet', name);
  if (!/^lz4[.-]|^delta-bytes/.test(name))  // DuckDB does not read framed LZ4, or whole numbers in BYTE_STREAM_SPLIT
    compare(`${name}, by DuckDB`, ours(file, seedNames), await byDuckdb(file, seedColumns));
  compare(`${name}, by hyparquet`, ours(file, seedNames), await byHyparquet(file, seedColumns));
}
for (const name of readdirSync(join(seeds, 'arrow')))
  if (!/zstd|lz4|view|old/.test(name)) {  // what apache-arrow for JavaScript reads
    const file = join(seeds, 'arrow', name);
    compare(`${name}, by apache-arrow`, ours(file, seedNames), byArrow(file, seedColumns));
  }
rmSync(work, { recursive: true });
console.log(`${passed} passed, ${failed} failed`);

// ---- speed
const median = (a) => a.sort((x, y) => x - y)[a.length >> 1];
for (const file of timed) {
  const mine = [], theirs = [];
  let bytes = 0;
  for (let i = 0; i < 5; i++) {
    const r = JSON.parse(execFileSync(rows, ['--time', file, 'text'], { encoding: 'utf8' }));
    bytes = r.bytes;
    mine.push(bytes / 1e6 / r.seconds);
    const before = process.cpuUsage();
    await duck.runAndReadAll(`select sum(strlen(text)), max(ascii(text)) from '${file}'`);
    const used = process.cpuUsage(before);
    theirs.push(bytes / 1e6 / ((used.user + used.system) / 1e6));
  }
  console.log(`${file}: ${(bytes / 1e6).toFixed(0)} MB of text; MB per second of processor time: ${median(mine).toFixed(0)}, DuckDB ${median(theirs).toFixed(0)}`);
}
process.exitCode = failed ? 1 : 0;
