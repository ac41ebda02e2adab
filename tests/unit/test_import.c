// SPDX-License-Identifier: Apache-2.0
// Tables in the layouts of other programs, with invented numbers: what is read, what is told, what
// is refused.
#include <regmix/import.h>

#include "import_folder.h"

static rmx_status read_with(const char *path, rmx_import_what what, const char *pattern, bool mixed,
                            rmx_table *out, rmx_err *err) {
  rmx_import_options o = {
      .what = what, .columns = &pattern, .n_columns = pattern ? 1 : 0, .mixed = mixed};
  return rmx_import_table(path, &o, &listener, out, err);
}
static rmx_status mixtures(const char *path, rmx_table *out, rmx_err *err) {
  return read_with(path, RMX_IMPORT_MIXTURES, NULL, false, out, err);
}
static rmx_status metrics(const char *path, rmx_table *out, rmx_err *err) {
  return read_with(path, RMX_IMPORT_METRICS, NULL, false, out, err);
}

static double at(const rmx_table *t, const char *id, const char *name) {
  for (size_t i = 0; i < t->N; i++)
    for (size_t j = 0; j < t->D; j++)
      if (strcmp(t->ids[i], id) == 0 && strcmp(t->names[j], name) == 0) return t->x[i * t->D + j];
  ck_abort_msg("no %s of run %s", name, id);
  return 0;
}

START_TEST(plain_csv_is_read_as_before) {
  begin();
  rmx_table t, same;
  const char *f = file("m.csv", "index,train_a,train_b\n1,0.25,0.75\n2,1,0\n");
  must(mixtures(f, &t, err));
  must(rmx_csv_read(f, &same, err));
  ck_assert_str_eq(t.id_name, "index");
  ck_assert_str_eq(t.path, f);
  ck_assert_uint_eq(t.N, 2);
  ck_assert_uint_eq(t.D, 2);
  ck_assert_mem_eq(t.x, same.x, 4 * sizeof(double));
  ck_assert_int_eq(t.lines[1], 3);
  ck_assert_str_eq(t.names[1], "train_b");
  ck_assert_str_eq(told, "");
  rmx_table_release(&t);
  rmx_table_release(&same);
  end();
}
END_TEST

START_TEST(cells_that_are_missing) {
  begin();
  rmx_table t;
  must(metrics(file("l.csv", "run,x,y\n1,,-\n2,NaN,null\n3,1,n/a\n4,inf,2\n"), &t, err));
  for (int i = 0; i < 6; i++) ck_assert(isnan(t.x[i]) || i == 4);
  ck_assert(t.x[4] == 1 && isnan(t.x[6]) && t.x[7] == 2);
  rmx_table_release(&t);
  must_fail(mixtures(file("m.csv", "run,a,b\n1,0.5,0.5\n2,1,\n"), &t, err),
            "m.csv:3: column \"b\": the weight is missing");
  must_fail(mixtures(file("m.csv", "run,a,b\n1,0.5,0.5\n2,1,x\n"), &t, err),
            "m.csv:3: column \"b\": \"x\" is not a number");
  must_fail(mixtures(file("m.csv", "run,a,b\n1,0.5,inf\n"), &t, err),
            "m.csv:2: column \"b\": \"inf\" is not a number");
  must_fail(metrics(file("l.csv", "run,a\n1,0.5\n2,1e\n"), &t, err), "l.csv:3");
  end();
}
END_TEST

START_TEST(columns_of_text_are_told) {
  begin();
  rmx_table t;
  must(mixtures(file("m.csv", "run,host,a,b,note\n1,n7,0.5,0.5,\n2,n8,0,1,slow\n"), &t, err));
  ck_assert_uint_eq(t.D, 2);
  ck_assert_str_eq(t.names[0], "a");
  heard("2 columns of text are not read: host, note");
  rmx_table_release(&t);
  must_fail(mixtures(file("m.csv", "run,a\n1,b\n"), &t, err), "is not a number");
  must_fail(mixtures(file("m.csv", "run\n1\n"), &t, err), "no columns after");
  must_fail(mixtures(file("m.csv", "run,a,a\n1,0,1\n"), &t, err), "there are two columns \"a\"");
  must_fail(mixtures(file("m.csv", "run,a,\n1,0,1\n"), &t, err), "column 3 has no name");
  end();
}
END_TEST

// As a data frame is saved after it was sorted and numbered anew.
START_TEST(row_numbers_are_no_names) {
  begin();
  rmx_table m, l;
  must(mixtures(file("m.csv", ",name,a,b\n0,n1,0.5,0.5\n1,n2,0,1\n"), &m, err));
  heard("does not name the runs; their names are in column \"name\"");
  must(metrics(file("l.csv", "Unnamed: 0,loss,run name\n0,2,n2\n1,3,n1\n2,4,n1\n"), &l, err));
  must(rmx_import_join(&m, &l, &listener, err));
  ck_assert(m.D == 2 && at(&m, "n2", "b") == 1);
  ck_assert(l.D == 1 && at(&l, "n2", "loss") == 2 && at(&l, "n1", "loss") == 3);
  rmx_table_release(&l);
  rmx_table_release(&m);
  // Nor do values and seeds name runs, if a column does.
  must(mixtures(file("m.csv", "a,b,run\n0.5,0.5,n1\n0,1,n2\n"), &m, err));
  must(metrics(file("l.csv", "seed,run,loss\n1,n2,2\n2,n1,3\n"), &l, err));
  must(rmx_import_join(&m, &l, &listener, err));
  ck_assert(m.D == 2 && at(&m, "n2", "b") == 1 && at(&l, "n1", "loss") == 3);
  rmx_table_release(&l);
  rmx_table_release(&m);
  must(metrics(file("l.csv", "index,name,loss\n1,n2,2\n2,n1,3\n"), &l, err));
  ck_assert(at(&l, "1", "loss") == 2);
  rmx_table_release(&l);
  must(metrics(file("l.csv", ",model,loss\n0,tiny,2\n1,tiny,3\n"), &l, err));  // not of runs
  ck_assert(at(&l, "1", "loss") == 3);
  rmx_table_release(&l);
  must(metrics(file("l.csv", ",score,trial\n0,0.5,2\n1,0.25,1\n"), &l, err));
  ck_assert(l.D == 1 && at(&l, "2", "score") == 0.5);
  rmx_table_release(&l);
  end();
}
END_TEST

START_TEST(metrics_without_numbers_are_told) {
  begin();
  rmx_table t;
  must(read_with(file("w.csv",
                      "Name,State,mix.a,mix.b,eval/loss,eval/acc,eval/f1\n"
                      "n1,finished,0.5,0.5,2,45.1%,\nn2,finished,0,1,3,44%,\n"),
                 RMX_IMPORT_METRICS, NULL, true, &t, err));
  ck_assert_uint_eq(t.D, 1);
  heard(
      "2 columns without a number are not read: eval/acc, eval/f1; \"45.1%\" looks like a number");
  rmx_table_release(&t);
  end();
}
END_TEST

START_TEST(patterns_choose_columns) {
  begin();
  rmx_table t;
  const char *f = file(
      "all.csv", "run,seed,w.a,w.b,x_loss,y_loss,step\n1,3,0.5,0.5,2,3,100\n2,3,0,1,2.5,2,100\n");
  must(read_with(f, RMX_IMPORT_MIXTURES, "w.*", true, &t, err));
  ck_assert_uint_eq(t.D, 2);
  ck_assert_str_eq(t.names[0], "a");
  rmx_table_release(&t);
  must(read_with(f, RMX_IMPORT_METRICS, "y_*", true, &t, err));
  ck_assert_uint_eq(t.D, 1);
  ck_assert_str_eq(t.names[0], "y_loss");
  rmx_table_release(&t);
  must(read_with(f, RMX_IMPORT_METRICS, NULL, true, &t, err));  // a mixed table: by their names
  ck_assert_uint_eq(t.D, 2);
  rmx_table_release(&t);
  must_fail(read_with(f, RMX_IMPORT_MIXTURES, NULL, true, &t, err), "--mixture-columns");
  must_fail(read_with(f, RMX_IMPORT_METRICS, "z*", true, &t, err), "no column matches \"z*\"");
  end();
}
END_TEST

START_TEST(olmix_in_both_layouts) {
  begin();
  rmx_table t;
  must(
      mixtures(file("ratios.csv",
                    "run_id,name,dclm,wiki,code\nr1,swarm-0,0.6,0.2,0.2\nr2,swarm-1,0.1,0.8,0.1\n"),
               &t, err));
  ck_assert_uint_eq(t.D, 3);
  ck_assert_str_eq(t.ids[1], "r2");
  ck_assert(at(&t, "r2", "wiki") == 0.8);
  rmx_table_release(&t);
  // As a data frame is saved, with its row numbers; names that are numbers do not become a domain.
  must(mixtures(
      file("ratios.csv", ",run,name,index,dclm,wiki\n0,abc,7,0,0.6,0.4\n1,def,8,1,0.1,0.9\n"), &t,
      err));
  ck_assert_uint_eq(t.D, 2);
  ck_assert_str_eq(t.ids[0], "abc");
  heard("Olmix");
  rmx_table_release(&t);
  must(metrics(
      file("metrics.csv", "run,name,index,arc_bpb,mmlu_bpb\nabc,7,0,1.2,\ndef,8,1,1.1,0.9\n"), &t,
      err));
  ck_assert_uint_eq(t.D, 2);
  ck_assert(isnan(at(&t, "abc", "mmlu_bpb")) && at(&t, "def", "arc_bpb") == 1.1);
  rmx_table_release(&t);
  // A domain of ours may be called "name" where it does not stand among the ids.
  must(mixtures(file("m.csv", "run,a,name\n1,0.5,0.5\n"), &t, err));
  ck_assert_uint_eq(t.D, 2);
  rmx_table_release(&t);
  end();
}
END_TEST

// A domain may have the name of a column that another program writes.
START_TEST(our_own_tables_are_read_as_they_are) {
  static const char *const names[] = {
      "run",    "name",   "index",  "run_id", "Unnamed: 0", "Name",   "state",   "status",
      "domain", "weight", "metric", "value",  "step",       "tokens", "seed",    "size",
      "model",  "id",     "run_na", "trial",  "params",     "mix",    "mixture", "sweep"};
  static const double tables[][9] = {{0.004, 0.5, 0.496, 0.003, 0.2, 0.797, 0.001, 0.9, 0.099},
                                     {0, 0.5, 0.5, 1, 0, 0, 0, 0.25, 0.75}};
  begin();
  for (size_t k = 0; k < sizeof names / sizeof *names; k++)
    for (size_t other = 0; other < sizeof names / sizeof *names; other++)
      for (size_t i = 0; i < 4 && other != k; i++) {
        rmx_table t = {0}, back;
        must(rmx_table_make(&t, "run", i < 2 ? 3 : 1, 3, err));
        for (size_t d = 0; d < 3; d++)
          t.names[d] = rmx_strdup(d == 0 ? names[k] : d == 1 ? names[other] : "web");
        for (size_t r = 0; r < t.N; r++) t.ids[r] = rmx_format("%04zu", r + 1);
        memcpy(t.x, tables[i % 2], t.N * 3 * sizeof *t.x);
        const char *path = file("own.csv", "");
        must(rmx_csv_write(path, &t, err));
        must(mixtures(path, &back, err));
        ck_assert_msg(back.D == 3 && back.N == t.N, "%s, %s: %zu domains", names[k], names[other],
                      back.D);
        ck_assert_str_eq(back.ids[0], "0001");
        for (size_t d = 0; d < 3; d++) ck_assert_str_eq(back.names[d], t.names[d]);
        for (size_t x = 0; x < t.N * 3; x++) ck_assert(back.x[x] == t.x[x]);
        rmx_table_release(&back);
        rmx_table_release(&t);
      }
  end();
}
END_TEST

// A column that Olmix calls "name" or "index" is one of values if its cells name no runs.
START_TEST(weights_are_no_names_of_olmix) {
  begin();
  rmx_table t;
  must(mixtures(file("percent.csv", "run,index,web\nr1,0.4,99.6\nr2,0.3,99.7\n"), &t, err));
  ck_assert_uint_eq(t.D, 2);
  rmx_table_release(&t);
  must(metrics(file("scores.csv", "run,name,loss\nr1,0.4,3\nr2,,2\n"), &t, err));
  ck_assert_uint_eq(t.D, 2);
  rmx_table_release(&t);
  must(metrics(file("scores.csv", "run,index,loss\nr1,4,3\nr2,0,2\n"), &t, err));
  ck_assert_uint_eq(t.D, 1);
  rmx_table_release(&t);
  end();
}
END_TEST

START_TEST(settings_are_no_weights) {
  begin();
  rmx_table t;
  must_fail(mixtures(file("lr.csv",
                          "run,web,code,books,lr\nr1,0.5,0.3,0.2,0.003\n"
                          "r2,0.1,0.3,0.6,0.003\n"),
                     &t, err),
            "lr.csv:2: column \"lr\": 0.003: all rows sum to 1 without the column lr, so it is no "
            "weight; choose the columns of the weights with --mixture-columns");
  must_fail(mixtures(file("two.csv",
                          "run,web,seed,code,size\nr1,0.5,42,0.5,1e6\n"
                          "r2,0.1,43,0.9001,1e6\n"),
                     &t, err),
            "without the columns seed, size, so they are no weights");
  must_fail(mixtures(file("percent.csv", "run,web,code,seed\nr1,50,50,42\nr2,10,90,43\n"), &t, err),
            "all rows sum to 100 without the column seed");
  must(read_with(file("lr.csv", "run,web,code,lr\nr1,0.5,0.5,0.003\nr2,0.1,0.9,0.003\n"),
                 RMX_IMPORT_MIXTURES, "*e*", false, &t, err));  // chosen by hand
  rmx_table_release(&t);
  // Rounded weights, rows that are not normalised, and a domain that few runs have.
  must(mixtures(file("m.csv", "run,a,b,c\nr1,0.333,0.333,0.333\nr2,0.5,0.5,0\n"), &t, err));
  rmx_table_release(&t);
  must(mixtures(file("m.csv", "run,a,b,c\nr1,3,3,3\nr2,5,5,1\n"), &t, err));
  rmx_table_release(&t);
  must(mixtures(file("m.csv", "run,a,b,c\nr1,0.5,0.5,0\nr2,0.4,0.6,0\n"), &t, err));
  rmx_table_release(&t);
  must(metrics(file("l.csv", "run,model_size,loss\nr1,1000000,3\nr2,2000000,2\n"), &t, err));
  heard("looks like a setting of the runs: model_size; choose the metrics with --metric-columns");
  rmx_table_release(&t);
  end();
}
END_TEST

static const char wandb[] =
    "\"Name\",\"State\",\"Notes\",\"User\",\"Tags\",\"Created\",\"Runtime\",\"Sweep\",\"config."
    "mixture.cc\","
    "\"config.mixture.code\",\"config.lr\",\"config.model\",\"eval/cc_loss\",\"eval/"
    "acc\",\"_step\"\n"
    "\"n1\",\"finished\",\"-\",\"me\",\"\",\"2024-05-01T10:00:00.000Z\",\"100\",\"\",\"0.25\",\"0."
    "75\",\"0."
    "0004\",\"tiny\",\"3.5\",\"0.3\",\"1000\"\n"
    "\"n2\",\"crashed\",\"-\",\"me\",\"\",\"2024-05-01T10:00:00.000Z\",\"3\",\"\",\"\",\"\",\"0."
    "0004\","
    "\"tiny\",\"\",\"\",\"\"\n"
    "\"n3\",\"finished\",\"-\",\"me\",\"\",\"2024-05-01T10:00:00.000Z\",\"99\",\"\",\"1\",\"0\","
    "\"0.0004\","
    "\"tiny\",\"NaN\",\"0.25\",\"1000\"\n";

START_TEST(wandb_export) {
  begin();
  rmx_table t;
  const char *f = file("wandb_export.csv", wandb);
  must(read_with(f, RMX_IMPORT_MIXTURES, NULL, true, &t, err));
  ck_assert_uint_eq(t.N, 2);
  ck_assert_uint_eq(t.D, 2);
  ck_assert_str_eq(t.names[0], "cc");
  ck_assert(at(&t, "n1", "code") == 0.75 && at(&t, "n3", "cc") == 1);
  heard("1 of 3 runs did not finish and is left out: n2 (crashed)");
  heard("2 columns taken as the mixture: config.mixture.cc, config.mixture.code");
  rmx_table_release(&t);
  must(read_with(f, RMX_IMPORT_METRICS, NULL, true, &t, err));
  ck_assert_uint_eq(t.D, 2);
  ck_assert(at(&t, "n1", "eval/cc_loss") == 3.5 && isnan(at(&t, "n3", "eval/cc_loss")));
  rmx_table_release(&t);
  must(read_with(f, RMX_IMPORT_METRICS, "eval/*_loss", true, &t, err));
  ck_assert_uint_eq(t.D, 1);
  rmx_table_release(&t);
  end();
}
END_TEST

START_TEST(wandb_that_is_not_clear) {
  begin();
  rmx_table t;
  must_fail(mixtures(file("w.csv", "Name,State,lr,alpha\nn1,finished,0.1,1\n"), &t, err),
            "columns with numbers: lr, alpha");
  must_fail(
      mixtures(file("w.csv", "Name,State,mixture.a,mixture.b,weights.a\nn1,finished,0.1,0.9,1\n"),
               &t, err),
      "two sets of columns");
  must_fail(metrics(file("w.csv", "Name,State,lr\nn1,finished,0.1\n"), &t, err),
            "--metric-columns");
  must_fail(mixtures(file("w.csv", "Name,State,mixture.a\nn1,failed,1\n"), &t, err),
            "none of its 1 runs has finished");
  must_fail(mixtures(file("w.csv", "Name,State,mixture.a\nn1,finished,\n"), &t, err),
            "w.csv:2: column \"mixture.a\"");
  must(mixtures(file("w.csv", "Name,Runtime,mixture.a,lr\nn1,77,1,0.1\n"), &t, err));
  ck_assert_uint_eq(t.D, 1);
  heard("no column State");
  rmx_table_release(&t);
  // Display names repeat; ids do not.
  must(mixtures(file("w.csv", "Name,ID,State,mixture/a\nrun,x1,finished,1\nrun,x2,finished,1\n"),
                &t, err));
  ck_assert_str_eq(t.ids[1], "x2");
  heard("distinguished by column \"ID\"");
  rmx_table_release(&t);
  end();
}
END_TEST

START_TEST(yaml_folder_of_the_authors) {
  begin();
  file(
      "config_1m/n2.yaml",
      "train:\n  train_the_pile_arxiv: 0.5\n  train_the_pile_cc: 0.5\nvalid:\n  valid_the_pile_cc: "
      "1.0\nseed: 42\n");
  file("config_1m/n10.yaml",
       "train:\n  train_the_pile_cc: 0.998\n  train_the_pile_github: 0.004\n\nmodel_name: "
       "tinyllama_1M\n");
  file("config_1m/README.md", "not a mixture\n");
  char path[128];
  snprintf(path, sizeof path, "%s/config_1m", folder);
  rmx_table t;
  must(mixtures(path, &t, err));
  ck_assert_uint_eq(t.N, 2);
  ck_assert_uint_eq(t.D, 3);
  ck_assert_str_eq(t.ids[0], "n2");
  ck_assert_str_eq(t.ids[1], "n10");
  ck_assert(at(&t, "n10", "train_the_pile_arxiv") == 0 &&
            at(&t, "n10", "train_the_pile_cc") == 0.998);
  heard("2 mixtures of 3 domains");
  rmx_table_release(&t);
  must_fail(metrics(path, &t, err), "no .json file");
  file("config_1m/n11.yaml", "train:\n  train_the_pile_cc: 0.5\n  train_the_pile_arxiv: half\n");
  must_fail(mixtures(path, &t, err),
            "n11.yaml:3: the weight of \"train_the_pile_arxiv\" under train is not a number");
  file("config_1m/n11.yaml", "train:\n  train_the_pile_cc: 0.5\n");
  must_fail(mixtures(path, &t, err), "n11.yaml: the weights sum to 0.5");
  file("config_1m/n11.yaml", "train:\n  train_the_pile_cc: true\n");
  must_fail(mixtures(path, &t, err),
            "n11.yaml: the weight of \"train_the_pile_cc\" under train is not a number");
  file("config_1m/n11.yaml", "seed\n");
  must_fail(mixtures(path, &t, err), "wanted a map");
  file("config_1m/n11.yaml", "train_the_pile_cc: 1\n");
  file("config_1m/n11.yml", "train_the_pile_cc: 1\n");
  must_fail(mixtures(path, &t, err), "are files of the same run");
  must_fail(mixtures(folder, &t, err), "no .yaml file");
  const char *one = file("one.yaml", "mixture: {a: 0.25, b: 0.75}\n");
  must(mixtures(one, &t, err));
  ck_assert_str_eq(t.ids[0], "one");
  rmx_table_release(&t);
  must_fail(metrics(one, &t, err), "not metrics");
  must_fail(read_with(one, RMX_IMPORT_MIXTURES, "a*", false, &t, err), "YAML mixtures have none");
  end();
}
END_TEST

static const char harness_one[] =
    "{\"results\": {\n"
    "  \"hellaswag\": {\"alias\": \"hellaswag\", \"acc,none\": 0.28, \"acc_stderr,none\": 0.004, "
    "\"acc_norm,none\": 0.31,"
    " \"acc_norm_stderr,none\": 0.0046},\n"
    "  \"wikitext\": {\"alias\": \"wikitext\", \"word_perplexity,none\": 61.5, "
    "\"word_perplexity_stderr,none\": \"N/A\"},\n"
    "  \"gsm8k\": {\"alias\": \"a \\\"NaN\\\" b\", \"exact_match,strict-match\": 0.01, "
    "\"exact_match,flexible-extract\": NaN,"
    " \"exact_match_stderr,strict-match\": 0.001},\n"
    "  \"mmlu\": {\" \": \" \", \"alias\": \"mmlu\"}},\n"
    " \"groups\": {}, \"versions\": {\"hellaswag\": 1.0}, \"n-shot\": {\"hellaswag\": 0},\n"
    " \"higher_is_better\": {\"hellaswag\": {\"acc\": true, \"acc_norm\": true}, \"wikitext\": "
    "{\"word_perplexity\": false},"
    " \"gsm8k\": {\"exact_match\": true}},\n"
    " \"config\": {\"model\": \"hf\"}, \"lm_eval_version\": \"0.4.5\", \"model_name\": \"ckpt\"}\n";

// Results lie in folders of folders, up to eight deep.
START_TEST(results_in_folders_of_folders) {
  char path[128];
  rmx_table t;
  begin();
  file("evals/results_2024-05-01T12-00-00.123456.json", harness_one);
  file("evals/1/2/3/4/5/6/7/8/results_2024-05-01T12-00-00.123456.json", harness_one);
  file("evals/1/2/3/4/5/6/7/8/9/results_2024-05-01T12-00-00.123456.json", harness_one);
  snprintf(path, sizeof path, "%s/evals/", folder);
  must(metrics(path, &t, err));
  ck_assert_uint_eq(t.N, 2);
  rmx_table_release(&t);
  end();
}
END_TEST

START_TEST(harness_results) {
  begin();
  file("evals/n1/ckpt/results_2024-05-01T12-00-00.123456.json", harness_one);
  // A second run: gsm8k now has a value of the other filter; a newer file replaces hellaswag alone.
  file("evals/n2/ckpt/results_2024-05-01T13-00-00.000000.json",
       "{\"results\": {\"hellaswag\": {\"acc,none\": 0.1, \"acc_norm,none\": 0.2}, \"gsm8k\": "
       "{\"exact_match,flexible-extract\": 0.5}},"
       " \"higher_is_better\": {\"hellaswag\": {\"acc\": true}}}");
  file("evals/n2/ckpt/results_2024-06-01T13-00-00.000000.json",
       "{\"results\": {\"hellaswag\": {\"acc,none\": 0.35}}, \"higher_is_better\": {\"hellaswag\": "
       "{\"acc\": "
       "true}}}");
  file("evals/n2/ckpt/config.json", "{\"model_type\": \"llama\"}");
  char path[128];
  snprintf(path, sizeof path, "%s/evals/", folder);
  rmx_table t;
  must(metrics(path, &t, err));
  ck_assert_uint_eq(t.N, 2);
  ck_assert_uint_eq(t.D, 5);
  ck_assert_ptr_nonnull(t.better);
  ck_assert_str_eq(t.ids[0], "n1");
  ck_assert(at(&t, "n1", "hellaswag/acc") == 0.28 && at(&t, "n1", "hellaswag/acc_norm") == 0.31);
  ck_assert(at(&t, "n2", "hellaswag/acc") == 0.35 && at(&t, "n2", "hellaswag/acc_norm") == 0.2);
  ck_assert(at(&t, "n1", "wikitext") == 61.5 && isnan(at(&t, "n2", "wikitext")));
  ck_assert(at(&t, "n1", "gsm8k/exact_match/strict-match") == 0.01);
  ck_assert(isnan(at(&t, "n1", "gsm8k/exact_match/flexible-extract")));
  for (size_t j = 0; j < t.D; j++)
    ck_assert_int_eq(t.better[j],
                     strcmp(t.names[j], "wikitext") != 0 ? RMX_BETTER_HIGH : RMX_BETTER_LOW);
  heard("5 metrics of 2 runs, from 3 results");
  heard("1 result was measured more than once");
  heard("1 .json file has no map \"results\"");
  rmx_table_release(&t);
  must(read_with(path, RMX_IMPORT_METRICS, "hellaswag/*", false, &t, err));
  ck_assert_uint_eq(t.D, 2);
  rmx_table_release(&t);
  must_fail(read_with(path, RMX_IMPORT_METRICS, "arc*", false, &t, err),
            "no metric matches \"arc*\"");
  must_fail(mixtures(file("x.json", harness_one), &t, err), "not mixtures");
  end();
}
END_TEST

START_TEST(harness_names_of_runs) {
  begin();
  static const char old[] =
      "{\"results\": {\"piqa\": {\"acc\": 0.5, \"acc_stderr\": 0.1}, \"odd\": {\"zeal\": 1}}}";
  rmx_table t;
  char path[128];
  // --output_path n1.json
  file("flat/n1_2024-05-01T12-00-00.1.json", old);
  file("flat/n2_2024-05-01T12-00-00.2.json", old);
  snprintf(path, sizeof path, "%s/flat", folder);
  must(metrics(path, &t, err));
  ck_assert_str_eq(t.ids[0], "n1");
  ck_assert_str_eq(t.ids[1], "n2");
  ck_assert(at(&t, "n1", "piqa") == 0.5 && t.better[0] == RMX_BETTER_HIGH &&
            t.better[1] == RMX_BETTER_UNSAID);
  rmx_table_release(&t);
  // A pattern, with folders in front that all share
  file("deep/lm/n1/results.json", old);
  file("deep/lm/n2/results.json", old);
  snprintf(path, sizeof path, "%s/deep/*/*/results*.json", folder);
  must(metrics(path, &t, err));
  ck_assert_uint_eq(t.N, 2);
  ck_assert_str_eq(t.ids[1], "n2");
  rmx_table_release(&t);
  // One run alone: the outermost folder
  file("single/n7/org__model/results_2024-05-01T12-00-00.json", old);
  snprintf(path, sizeof path, "%s/single", folder);
  must(metrics(path, &t, err));
  ck_assert_uint_eq(t.N, 1);
  ck_assert_str_eq(t.ids[0], "n7");
  rmx_table_release(&t);
  end();
}
END_TEST

START_TEST(harness_limited_results_lose) {
  begin();
  static const char full[] =
      "{\"results\": {\"arc\": {\"acc,none\": 0.4}}, \"config\": {\"limit\": null}, \"n-samples\": "
      "{\"arc\": {\"original\": 1000, "
      "\"effective\": 1000}}}";
  static const char part[] =
      "{\"results\": {\"arc\": {\"acc,none\": 0.9}}, \"config\": {\"limit\": 10.0}, \"n-samples\": "
      "{\"arc\": {\"original\": 1000, "
      "\"effective\": 10}}}";
  static const char old[] =
      "{\"results\": {\"arc\": {\"acc,none\": 0.8}}, \"config\": {\"limit\": 10}}";
  file("e/n1/results_2024-05-01T12-00-00.json", full);
  file("e/n1/results_2024-06-01T12-00-00.json", part);
  file("e/n2/results_2024-05-01T12-00-00.json", part);
  file("e/n2/results_2024-06-01T12-00-00.json", full);
  file("e/n3/results_2024-05-01T12-00-00.json", old);
  char path[128];
  snprintf(path, sizeof path, "%s/e", folder);
  rmx_table t;
  must(metrics(path, &t, err));
  ck_assert(at(&t, "n1", "arc") == 0.4 && at(&t, "n2", "arc") == 0.4 && at(&t, "n3", "arc") == 0.8);
  heard(
      "2 results on part of the samples (--limit) are replaced by full results, newer or not: arc, "
      "arc");
  heard(
      "for 1 of 3 runs some metric was measured only on part of the samples (--limit), which does "
      "not compare "
      "with full results: n3");
  rmx_table_release(&t);
  end();
}
END_TEST

START_TEST(harness_groups_and_what_is_no_number) {
  begin();
  rmx_table t;
  must(metrics(
      file(
          "g.json",
          "{\"results\": {\"mmlu\": {\"acc,none\": 0.3, \"alias\": \"mmlu\"}, \"mmlu_law\": "
          "{\"acc,none\": 0.3}, "
          "\"stem\": {\" \": \" \", \"alias\": \"stem\"}, "
          "\"odd\": {\"acc,none\": true, \"f1,none\": [1], \"bypass,none\": 999, \"em,none\": "
          "0.5}},"
          "\"group_subtasks\": {\"mmlu\": [\"mmlu_law\"], \"stem\": [\"mmlu_law\"], \"odd\": []}}"),
      &t, err));
  ck_assert_uint_eq(t.D, 3);
  ck_assert_str_eq(t.names[2], "odd");
  heard(
      "2 values are not numbers and are not read: results.odd.\"acc,none\", "
      "results.odd.\"f1,none\"");
  heard(
      "some metrics (1) are groups of other metrics, so a mean over all metrics counts those "
      "twice: mmlu;");
  rmx_table_release(&t);
  end();
}
END_TEST

START_TEST(harness_that_is_wrong) {
  begin();
  rmx_table t;
  must_fail(metrics(file("r.json", "{\"results\": {\"a\": {\"acc,none\": [1]}}}"), &t, err),
            "none with a metric");
  must_fail(metrics(file("r.json", "{\"results\": {\"a\": 3}}"), &t, err),
            "results.a is not a map");
  must_fail(metrics(file("r.json", "{\"result\": 3}"), &t, err), "no map \"results\"");
  must_fail(metrics(file("r.json", "{\"results\":\n {\"a\": }}"), &t, err), "r.json:2: not JSON");
  must_fail(metrics(file("r.json", "{\"results\": {\"a\": {\"acc,none\": NaN}}}"), &t, err),
            "none with a metric");
  must_fail(metrics(file("r.json", ""), &t, err), "not JSON");
  file("c/n1/results.json",
       "{\"results\": {\"a\": {\"m,none\": 1}}, \"higher_is_better\": {\"a\": {\"m\": true}}}");
  file("c/n2/results.json",
       "{\"results\": {\"a\": {\"m,none\": 1}}, \"higher_is_better\": {\"a\": {\"m\": false}}}");
  char path[128];
  snprintf(path, sizeof path, "%s/c", folder);
  must_fail(metrics(path, &t, err), "higher_is_better.a.m is false, but true in");
  end();
}
END_TEST

static rmx_table ids(const char *const *names, size_t n) {
  rmx_table t;
  must(rmx_table_make(&t, "run", n, 1, err));
  t.names[0] = rmx_strdup("x");
  for (size_t i = 0; i < n; i++) t.ids[i] = rmx_strdup(names[i]);
  return t;
}

static void meet(const char *const *a, const char *const *b, const char *const *after,
                 const char *failure) {
  rmx_table t = ids(a, 3), u = ids(b, 3);
  told[0] = '\0';
  if (failure) {
    must_fail(rmx_import_join(&t, &u, &listener, err), failure);
  } else {
    must(rmx_import_join(&t, &u, &listener, err));
    for (int i = 0; i < 3; i++) ck_assert_str_eq(u.ids[i], after[i]);
    bool renamed = false;
    for (int i = 0; i < 3; i++) renamed = renamed || strcmp(b[i], after[i]) != 0;
    ck_assert_int_eq(strstr(told, "joined by their numbers") != NULL, renamed);
  }
  rmx_table_release(&t);
  rmx_table_release(&u);
}
#define L(...) ((const char *const[]){__VA_ARGS__})

START_TEST(runs_meet) {
  meet(L("n1", "n2", "n3"), L("n3", "n1", "x"), L("n3", "n1", "x"), NULL);
  meet(L("n1", "n2", "n3"), L("2", "1", "3"), L("n2", "n1", "n3"), NULL);
  meet(L("0001", "0002", "0010"), L("tinyllama_1M_n10", "tinyllama_1M_n2", "tinyllama_1M_n1"),
       L("0010", "0002", "0001"), NULL);
  // One of them may count from 0.
  meet(L("r00", "r01", "r02"), L("1", "2", "3"), NULL, "the number of 1 of the other (r00)");
  meet(L("r00", "r01", "r02"), L("2", "1", "2"), NULL, "may count from 0 and the other from 1");
  meet(L("1", "2", "2"), L("r00", "r01", "r02"), NULL, "the number of 1 of the other (r00)");
  // With one prefix the names say the same number.
  meet(L("n1", "n2", "n3"), L("n02", "n01", "n09"), L("n2", "n1", "n09"), NULL);
  // One name is the same, but the numbers find all runs.
  meet(L("8", "9", "10"), L("10", "09", "08"), L("10", "9", "8"), NULL);
  meet(L("r8", "r9", "r10"), L("r10", "r10", "r08"), L("r10", "r10", "r8"), NULL);
  meet(L("a1", "a2", "b1"), L("1", "2", "3"), NULL, "\"a1\" and \"1\" look alike");
  meet(L("n1", "n01", "n2"), L("1", "2", "3"), NULL,
       "no run in common: the first has the names n1, n01, ...");
  meet(L("red", "green", "blue"), L("1", "2", "3"), NULL,
       "the second has 1, 2, ... (column \"run\")");
  meet(L("red", "green", "blue"), L("run-red", "x", "y"), NULL,
       "\"red\" and \"run-red\" look alike");
}
END_TEST

START_TEST(tables_of_the_authors_are_what_they_were) {
  const char *shared = shared_folder();
  if (!shared_has("tables_of_the_authors_are_what_they_were",
                  "data/regmix-paper/train_mixture_1m.csv"))
    return;
  static const char *const names[] = {"train_mixture_1m.csv", "train_pile_loss_1m.csv"};
  for (int k = 0; k < 2; k++) {
    char *path = rmx_format("%s/data/regmix-paper/%s", shared, names[k]);
    rmx_table t, same;
    told[0] = '\0';
    must(read_with(path, k ? RMX_IMPORT_METRICS : RMX_IMPORT_MIXTURES, NULL, false, &t, err));
    must(rmx_csv_read(path, &same, err));
    ck_assert_uint_eq(t.N, same.N);
    ck_assert_uint_eq(t.D, same.D);
    ck_assert_mem_eq(t.x, same.x, t.N * t.D * sizeof(double));
    for (size_t i = 0; i < t.N; i++) ck_assert_str_eq(t.ids[i], same.ids[i]);
    ck_assert_str_eq(told, "");
    rmx_table_release(&t);
    rmx_table_release(&same);
    free(path);
  }
}
END_TEST

START_TEST(paths_that_are_nothing) {
  begin();
  rmx_table t;
  char path[128];
  snprintf(path, sizeof path, "%s/none.csv", folder);
  must_fail(mixtures(path, &t, err), "none.csv");
  snprintf(path, sizeof path, "%s/none.json", folder);
  must_fail(metrics(path, &t, err), "none.json");
  snprintf(path, sizeof path, "%s/*.json", folder);
  must_fail(metrics(path, &t, err), "no .json file matches");
  end();
}
END_TEST

static void add_tests(TCase *tc) {
  tcase_add_test(tc, plain_csv_is_read_as_before);
  tcase_add_test(tc, cells_that_are_missing);
  tcase_add_test(tc, columns_of_text_are_told);
  tcase_add_test(tc, row_numbers_are_no_names);
  tcase_add_test(tc, metrics_without_numbers_are_told);
  tcase_add_test(tc, patterns_choose_columns);
  tcase_add_test(tc, olmix_in_both_layouts);
  tcase_add_test(tc, our_own_tables_are_read_as_they_are);
  tcase_add_test(tc, weights_are_no_names_of_olmix);
  tcase_add_test(tc, settings_are_no_weights);
  tcase_add_test(tc, wandb_export);
  tcase_add_test(tc, wandb_that_is_not_clear);
  tcase_add_test(tc, yaml_folder_of_the_authors);
  tcase_add_test(tc, results_in_folders_of_folders);
  tcase_add_test(tc, harness_results);
  tcase_add_test(tc, harness_names_of_runs);
  tcase_add_test(tc, harness_limited_results_lose);
  tcase_add_test(tc, harness_groups_and_what_is_no_number);
  tcase_add_test(tc, harness_that_is_wrong);
  tcase_add_test(tc, runs_meet);
  tcase_add_test(tc, tables_of_the_authors_are_what_they_were);
  tcase_add_test(tc, paths_that_are_nothing);
}
