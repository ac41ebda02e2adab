// SPDX-License-Identifier: Apache-2.0
// Tables of programs that track experiments and score models: event files, .wandb files, results,
// long tables, blends. The files are made here, with invented numbers.
#include <regmix/import.h>
#include <zlib.h>

#include "import/records.h"
#include "import_folder.h"
#include "protobuf_bytes.h"

static const char *in(const char *name) {
  static char path[256];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  return path;
}

static rmx_status read_with(const char *path, rmx_import_what what, const char *pattern,
                            rmx_table *out, rmx_err *err) {
  rmx_import_options o = {.what = what, .columns = &pattern, .n_columns = pattern ? 1 : 0};
  return rmx_import_table(path, &o, &listener, out, err);
}
static rmx_status mixtures(const char *path, rmx_table *out, rmx_err *err) {
  return read_with(path, RMX_IMPORT_MIXTURES, NULL, out, err);
}
static rmx_status metrics(const char *path, rmx_table *out, rmx_err *err) {
  return read_with(path, RMX_IMPORT_METRICS, NULL, out, err);
}
static double at(const rmx_table *t, const char *id, const char *name) {
  for (size_t i = 0; i < t->N; i++)
    for (size_t j = 0; j < t->D; j++)
      if (strcmp(t->ids[i], id) == 0 && strcmp(t->names[j], name) == 0) return t->x[i * t->D + j];
  ck_abort_msg("no %s of run %s", name, id);
  return 0;
}

// ---- TensorBoard

static void put_u32(rmx_buf *b, uint32_t x) {
  rmx_buf_add(b, &x, sizeof x);
}
static uint32_t masked(const void *data, size_t size) {
  const uint32_t crc = rmx__crc32c(data, size);
  return (crc >> 15 | crc << 17) + 0xA282EAD8u;
}
static void put_record(rmx_buf *b, const rmx_buf *data) {
  const uint64_t size = data->size;
  rmx_buf_add(b, &size, sizeof size);
  put_u32(b, masked(&size, sizeof size));
  rmx_buf_add(b, data->data, data->size);
  put_u32(b, masked(data->data, data->size));
}
// An event with one scalar; as a tensor of floats, as newer writers have it, if wanted.
static void put_scalar(rmx_buf *b, uint64_t step, const char *tag, float x, bool tensor) {
  rmx_buf value = {0}, summary = {0}, event = {0}, inner = {0};
  put_bytes(&value, 1, tag, strlen(tag));
  if (tensor) {
    put_number(&inner, 1, 1);
    put_bytes(&inner, 5, &x, sizeof x);
    put_bytes(&value, 8, inner.data, inner.size);
  } else {
    put_float(&value, 2, x);
  }
  put_bytes(&summary, 1, value.data, value.size);
  put_number(&event, 2, step);
  put_bytes(&event, 5, summary.data, summary.size);
  put_record(b, &event);
  rmx_buf_release(&value), rmx_buf_release(&summary), rmx_buf_release(&event),
      rmx_buf_release(&inner);
}

START_TEST(checksums) {
  ck_assert_uint_eq(rmx__crc32c("123456789", 9), 0xE3069283u);
}
END_TEST

START_TEST(tensorboard_folder) {
  begin();
  rmx_buf b = {0};
  rmx_table t;
  put_scalar(&b, 1, "eval/loss", 4, false);
  put_scalar(&b, 20, "eval/loss", 2.5f, false);
  put_scalar(&b, 10, "eval/loss", 3, true);
  put_scalar(&b, 20, "train/loss", 2, false);
  put_scalar(&b, 20, "eval/acc", 0.5f, true);
  file_of("logs/n1/version_0/events.out.tfevents.1.host", b.data, b.size);
  file_of("logs/n2/version_0/events.out.tfevents.2.host", b.data, b.size - 3);
  file("logs/n1/version_0/hparams.yaml", "lr: 1\n");
  must(metrics(in("logs"), &t, err));
  ck_assert_uint_eq(t.N, 2);
  ck_assert_uint_eq(t.D, 2);
  ck_assert(at(&t, "n1", "eval/loss") == 2.5 && at(&t, "n1", "eval/acc") == 0.5);
  ck_assert(isnan(at(&t, "n2", "eval/acc")));
  heard("1 event file ends in the middle of a record, so the training was stopped or goes on: n2");
  rmx_table_release(&t);
  must(read_with(in("logs"), RMX_IMPORT_METRICS, "train/*", &t, err));
  ck_assert(at(&t, "n2", "train/loss") == 2);
  rmx_table_release(&t);
  // Writers in folders of one run: the folders tell their tags apart.
  file_of("parts/n1/eval/events.out.tfevents.1", b.data, b.size);
  file_of("parts/n1/valid/events.out.tfevents.1", b.data, b.size);
  file_of("parts/n2/eval/events.out.tfevents.1", b.data, b.size);
  must(read_with(in("parts"), RMX_IMPORT_METRICS, "valid/*", &t, err));
  ck_assert(at(&t, "n1", "valid/eval/loss") == 2.5 && isnan(at(&t, "n2", "valid/eval/loss")));
  rmx_table_release(&t);
  b.data[b.size / 2] ^= 1;
  must_fail(metrics(file_of("x/events.out.tfevents.3", b.data, b.size), &t, err),
            "is damaged: its checksum is another one");
  must_fail(metrics(file("y/events.out.tfevents.3", ""), &t, err), "without a scalar");
  must_fail(mixtures(in("logs"), &t, err), "no .yaml file");
  rmx_buf_release(&b);
  end();
}
END_TEST

// ---- Weights & Biases on disk

// Records of the log, cut into pieces at the ends of blocks.
static void put_log_piece(rmx_buf *b, const char *data, size_t size, uint8_t type) {
  const uint16_t length = (uint16_t)size;
  uint32_t crc = (uint32_t)crc32(0, &type, 1);
  if (size) crc = (uint32_t)crc32(crc, (const Bytef *)data, (uInt)size);
  put_u32(b, crc);
  rmx_buf_add(b, &length, 2);
  rmx_buf_add(b, &type, 1);
  rmx_buf_add(b, data, size);
}
static void put_log(rmx_buf *b, const rmx_buf *record) {
  for (size_t from = 0, first = 1; first || from < record->size; first = 0) {
    size_t left = 32768 - b->size % 32768;
    if (left < 7) rmx_buf_add(b, "\0\0\0\0\0\0", left);
    if (left < 7) left = 32768;
    const size_t n = record->size - from < left - 7 ? record->size - from : left - 7;
    const bool last = from + n == record->size;
    put_log_piece(b, record->data + from, n, first ? (last ? 1 : 2) : last ? 4 : 3);
    from += n;
  }
}
static void put_items(rmx_buf *record, uint32_t field, const char *key, const char *json) {
  rmx_buf item = {0}, list = {0};
  put_bytes(&item, field == 3 ? 2 : 1, key, strlen(key));
  put_bytes(&item, 16, json, strlen(json));
  put_bytes(&list, 1, item.data, item.size);
  put_bytes(record, field, list.data, list.size);
  rmx_buf_release(&item), rmx_buf_release(&list);
}
static void put_run(rmx_buf *b, const char *id, const char *name, const char *mixture, int loss,
                    int code) {
  char text[16];
  rmx_buf run = {0}, record = {0}, empty = {0};
  rmx_buf_add(b, ":W&B\xE1\xBE\0", 7);
  put_bytes(&run, 1, id, strlen(id));
  put_bytes(&run, 8, name, strlen(name));
  put_bytes(&record, 17, run.data, run.size);
  put_log(b, &record);
  record.size = 0;
  put_items(&record, 5, "mixture", mixture);
  put_log(b, &record);
  record.size = 0;
  for (int i = 0; i < 20000; i++) rmx_buf_puts(&empty, "filler");
  put_bytes(&record, 13, empty.data, empty.size);  // longer than three blocks
  put_log(b, &record);
  for (int step = 0; step < 3; step++) {
    record.size = 0;
    snprintf(text, sizeof text, "%d", loss + 2 - step);
    put_items(&record, 2, "eval/loss", text);
    put_items(&record, 2, "_step", text);
    put_log(b, &record);
  }
  record.size = 0;
  put_items(&record, 3, "eval/acc", "NaN");
  put_log(b, &record);
  if (code >= 0) {
    record.size = run.size = 0;
    put_number(&run, 1, (uint64_t)code);
    put_bytes(&record, 18, run.data, run.size);
    put_log(b, &record);
  }
  rmx_buf_release(&run), rmx_buf_release(&record), rmx_buf_release(&empty);
}

START_TEST(wandb_on_disk) {
  begin();
  rmx_buf b[3] = {{0}, {0}, {0}};
  rmx_table t;
  put_run(&b[0], "aaa", "n1", "{\"web\": 0.25, \"code\": 0.75}", 3, 0);
  put_run(&b[1], "bbb", "n2", "{\"web\": 1, \"code\": 0}", 2, 0);
  put_run(&b[2], "ccc", "n3", "{\"web\": 1, \"code\": 0}", 2, -1);
  file_of("wandb/offline-run-1-aaa/run-aaa.wandb", b[0].data, b[0].size);
  file_of("wandb/offline-run-2-bbb/run-bbb.wandb", b[1].data, b[1].size);
  file_of("wandb/offline-run-3-ccc/run-ccc.wandb", b[2].data, b[2].size);
  file("wandb/offline-run-1-aaa/files/config.yaml", "wandb_version: 1\n");
  must(mixtures(in("wandb"), &t, err));
  ck_assert_uint_eq(t.N, 2);
  ck_assert(at(&t, "n1", "code") == 0.75 && at(&t, "n2", "web") == 1);
  heard("3 runs that Weights & Biases left on disk");
  heard("1 of 3 runs did not finish and is left out: n3 (running)");
  rmx_table_release(&t);
  must(metrics(in("wandb"), &t, err));
  ck_assert_uint_eq(t.D, 1);
  ck_assert(at(&t, "n1", "eval/loss") == 3 && at(&t, "n2", "eval/loss") == 2);
  rmx_table_release(&t);
  must(mixtures(in("wandb/offline-run-1-aaa/run-aaa.wandb"), &t, err));
  ck_assert_uint_eq(t.N, 1);
  rmx_table_release(&t);
  b[0].data[40] ^= 1;
  must_fail(metrics(file_of("x/run-a.wandb", b[0].data, b[0].size), &t, err), "is damaged");
  must_fail(metrics(file("x/run-b.wandb", "Name,State\n"), &t, err),
            "does not begin with \":W&B\"");
  for (int i = 0; i < 3; i++) rmx_buf_release(&b[i]);
  end();
}
END_TEST

START_TEST(wandb_chart) {
  begin();
  rmx_table t;
  static const char text[] =
      "\"Step\",\"n1 - eval/loss\",\"n1 - eval/loss__MIN\",\"n1 - eval/loss__MAX\",\"a - b - "
      "eval/loss\",\"a - b - eval/loss__MIN\",\"a - b - eval/loss__MAX\"\n"
      "1,4,4,4,,,\n2,3,3,3,2.5,2.5,2.5\n3,,,,2,2,2\n";
  must(metrics(file("chart.csv", text), &t, err));
  ck_assert_uint_eq(t.D, 1);
  ck_assert(at(&t, "n1", "eval/loss") == 3 && at(&t, "a - b", "eval/loss") == 2);
  heard("the last value of each by \"Step\" counts");
  rmx_table_release(&t);
  must_fail(mixtures(file("chart.csv", text), &t, err), "has metrics and no mixtures");
  end();
}
END_TEST

// ---- MLflow

START_TEST(mlflow_runs) {
  begin();
  rmx_table t;
  static const char api[] =
      "run_id,experiment_id,status,artifact_uri,start_time,metrics.gsm8k_acc,metrics.web_loss,"
      "params.lr,params.mixture.web,params.mixture.code,tags.mlflow.runName\n"
      "f00,1,FINISHED,s3://x,2024,0.5,2.5,0.1,0.25,0.75,n1\n"
      "f01,1,FAILED,s3://x,2024,,,0.1,0.5,0.5,n2\n"
      "f02,1,FINISHED,s3://x,2024,0.25,3,0.1,1,0,n3\n";
  must(metrics(file("api.csv", api), &t, err));
  ck_assert_uint_eq(t.N, 2);
  ck_assert_uint_eq(t.D, 2);
  ck_assert(at(&t, "n1", "gsm8k_acc") == 0.5 && at(&t, "n3", "web_loss") == 3);
  heard("1 of 3 runs did not finish and is left out: n2 (FAILED)");
  rmx_table_release(&t);
  must(mixtures(file("api.csv", api), &t, err));
  ck_assert_uint_eq(t.D, 2);
  ck_assert(at(&t, "n1", "code") == 0.75);
  rmx_table_release(&t);
  static const char page[] =
      "Start Time,Duration,Run ID,Name,Source Type,Source Name,User,Status,lr,mixture.web,"
      "mixture.code,eval/loss\n"
      "2024,1min,f00,n1,LOCAL,t.py,me,FINISHED,0.1,0.25,0.75,2.5\n"
      "2024,1min,f02,n1,LOCAL,t.py,me,FINISHED,0.1,1,0,3\n";
  must(metrics(file("page.csv", page), &t, err));
  ck_assert(t.D == 1 && at(&t, "f02", "eval/loss") == 3);
  heard("distinguished by column \"Run ID\"");
  rmx_table_release(&t);
  end();
}
END_TEST

// ---- long tables

START_TEST(long_tables) {
  begin();
  rmx_table t;
  must(mixtures(file("m.csv", "run,domain,weight\nn1,a,0.5\nn1,b,0.5\nn2,b,1\n"), &t, err));
  ck_assert_uint_eq(t.N, 2);
  ck_assert(at(&t, "n2", "a") == 0 && at(&t, "n1", "b") == 0.5);
  heard("2 runs in column \"run\", 2 domains in column \"domain\"");
  rmx_table_release(&t);
  must(metrics(file("l.csv",
                    "name,step,metric,value\n1,1,x_loss,3\n1,2,x_loss,2\n2,1,x_loss,5\n"
                    "2,1,y_acc,0.5\n"),
               &t, err));
  ck_assert(at(&t, "1", "x_loss") == 2 && at(&t, "2", "x_loss") == 5);
  ck_assert(isnan(at(&t, "1", "y_acc")));
  rmx_table_release(&t);
  static const char both[] = "domain,run,weight,loss\na,1,0.5,3\nb,1,0.5,4\na,2,0,5\nb,2,1,2\n";
  must(mixtures(file("b.csv", both), &t, err));
  ck_assert(at(&t, "2", "b") == 1);
  rmx_table_release(&t);
  must(metrics(file("b.csv", both), &t, err));
  ck_assert(at(&t, "2", "b/loss") == 2);
  rmx_table_release(&t);
  must(metrics(
      file("t.csv", "model,task,metric,score\n1,arc,acc,0.5\n1,arc,bpb,2\n2,arc,acc,0.25\n"), &t,
      err));
  ck_assert(at(&t, "1", "arc/bpb") == 2 && at(&t, "2", "arc/acc") == 0.25);
  rmx_table_release(&t);
  must_fail(mixtures(file("m.csv", "run,domain,weight\n1,a,0.5\n1,a,0.5\n"), &t, err),
            "m.csv:3: run \"1\" has a second row for \"a\"");
  must_fail(mixtures(file("m.csv", "run,domain,weight\n1,a,0.5\n1,b,x\n2,a,1\n"), &t, err),
            "column \"b\": \"x\" is not a number");
  must_fail(mixtures(file("m.csv", "domain,weight\na,0.5\nb,0.5\na,1\n"), &t, err),
            "no column names the runs");
  end();
}
END_TEST

// ---- blends of Megatron

START_TEST(megatron_blends) {
  begin();
  rmx_table t;
  file("blends/n1.txt", "30 /data/web_text_document\n70 /data/code_text_document\n");
  file("blends/n2.txt", "0.5 /data/web_text_document 0.5 /data/books/en_text_document\n");
  file("blends/README", "Mixtures of the swarm.\n");
  must(mixtures(in("blends"), &t, err));
  ck_assert_uint_eq(t.N, 2);
  ck_assert_uint_eq(t.D, 3);
  ck_assert(at(&t, "n1", "web") == 0.3 && at(&t, "n2", "books/en") == 0.5);
  ck_assert(at(&t, "n2", "code") == 0);
  heard("the weights are divided by their sum");
  rmx_table_release(&t);
  must(mixtures(file("lines.txt", "1 a 1 b\n3 a 1 b\n"), &t, err));
  ck_assert(t.N == 2 && at(&t, "2", "a") == 0.75);
  rmx_table_release(&t);
  must(mixtures(file("one.txt", "0.25 x/a \\\n 0.75 x/b\n"), &t, err));
  ck_assert(t.N == 1 && at(&t, "one", "b") == 0.75);
  rmx_table_release(&t);
  must_fail(metrics(file("one.txt", "0.25 a 0.75 b\n"), &t, err), "has no metrics");
  must_fail(mixtures(file("one.txt", "0 a 0 b\n"), &t, err), "the weights sum to 0");
  must_fail(mixtures(file("one.txt", "1 a 2 a\n"), &t, err), "run \"one\" has \"a\" twice");
  end();
}
END_TEST

// ---- lighteval and OLMES

START_TEST(lighteval_results) {
  begin();
  rmx_table t;
  static const char text[] =
      "{\"config_general\": {\"max_samples\": null, \"model_name\": \"x\"}, \"results\": {"
      "\"leaderboard|arc:challenge|25\": {\"acc\": 0.25, \"acc_stderr\": 0.01, \"acc_norm\": 0.3},"
      "\"lighteval|wikitext|0\": {\"word_perplexity\": 60.5, \"byte_perplexity\": 2},"
      "\"all\": {\"acc\": 0.25}}, \"config_tasks\": {\"leaderboard|arc:challenge\": {\"metrics\": "
      "[{\"metric_name\": \"acc\", \"higher_is_better\": true}]}}, \"summary_general\": {}}";
  file("e/results/n1/results_2024-05-01T12-00-00.1.json", text);
  file("e/results/n2/results_2024-05-01T12-00-00.1.json", text);
  must(metrics(in("e"), &t, err));
  ck_assert_uint_eq(t.D, 4);
  ck_assert(at(&t, "n1", "arc:challenge/acc_norm") == 0.3);
  for (size_t j = 0; j < t.D; j++)
    ck_assert_int_eq(t.better[j],
                     strstr(t.names[j], "perplexity") ? RMX_BETTER_LOW : RMX_BETTER_HIGH);
  rmx_table_release(&t);
  end();
}
END_TEST

START_TEST(olmes_results) {
  begin();
  rmx_table t;
  static const char task[] =
      "{\"task_name\": \"arc_easy\", \"task_config\": {\"metadata\": {\"alias\": "
      "\"arc_easy:rc::olmes\"}}, \"num_instances\": 100, \"metrics\": {\"acc_raw\": %s, "
      "\"bits_per_byte_corr\": 1.5, \"logits_per_byte_corr\": -1.5, \"num_chars\": 3, "
      "\"primary_score\": 0.5, \"note\": \"x\"}}";
  char one[512], two[512], all[1200];
  snprintf(one, sizeof one, task, "0.25");
  snprintf(two, sizeof two, task, "NaN");
  file("o/n1/task-000-arc_easy-metrics.json", one);
  snprintf(all, sizeof all, "\n%s\n", two);
  file("o/n2/metrics-all.jsonl", all);
  snprintf(all, sizeof all, "{\"all_primary_scores\": [], \"tasks\": [%s]}", one);
  file("o/n3/metrics.json", all);
  file("o/n3/task-000-arc_easy-metrics.json", one);
  must(metrics(in("o"), &t, err));
  ck_assert_uint_eq(t.N, 3);
  ck_assert_uint_eq(t.D, 4);
  ck_assert(at(&t, "n1", "arc_easy:rc::olmes/acc_raw") == 0.25);
  ck_assert(isnan(at(&t, "n2", "arc_easy:rc::olmes/acc_raw")));
  ck_assert(at(&t, "n3", "arc_easy:rc::olmes/bits_per_byte_corr") == 1.5);
  for (size_t j = 0; j < t.D; j++)
    ck_assert_int_eq(t.better[j],
                     strstr(t.names[j], "bits_per_byte") ? RMX_BETTER_LOW : RMX_BETTER_HIGH);
  ck_assert_msg(!strstr(told, "more than once"), "%s", told);
  rmx_table_release(&t);
  must(metrics(in("o/n2/metrics-all.jsonl"), &t, err));
  ck_assert_uint_eq(t.N, 1);
  rmx_table_release(&t);
  must_fail(metrics(file("x/metrics.json", "{\"loss\": 1}"), &t, err),
            "wanted a result of lm-evaluation-harness, lighteval or OLMES");
  must_fail(metrics(file("x/metrics-all.jsonl", "{\n"), &t, err), "metrics-all.jsonl:");
  end();
}
END_TEST

START_TEST(results_that_are_lost_are_told) {
  begin();
  rmx_table t;
  // Two results for one task, and one that is there twice.
  static const char task[] = "{\"task_name\": \"arc\", \"metrics\": {\"acc_raw\": 0.25}}",
                    other[] = "{\"task_name\": \"arc\", \"metrics\": {\"acc_raw\": 0.75}}";
  char all[400];
  snprintf(all, sizeof all, "{\"tasks\": [%s, %s]}", task, other);
  must_fail(metrics(file("o/metrics.json", all), &t, err), "the task \"arc\" has two results");
  snprintf(all, sizeof all, "{\"tasks\": [%s, %s]}", task, task);
  must(metrics(file("o/metrics.json", all), &t, err));
  rmx_table_release(&t);
  // The mean of the parts of a task is one of them.
  must(metrics(file("l.json",
                    "{\"config_general\": {}, \"results\": {\"helm|mmlu:law|5\": {\"acc\": 0.25}, "
                    "\"helm|mmlu:art|5\": {\"acc\": 0.5}, "
                    "\"helm|mmlu:_average|5\": {\"acc\": 0.375}}}"),
               &t, err));
  heard("groups of other metrics, so a mean over all metrics counts those twice: mmlu:_average");
  rmx_table_release(&t);
  // A byte order mark is no loss.
  must(metrics(file("b.json", "\xEF\xBB\xBF{\"results\": {\"arc\": {\"acc\": 0.5}}}"), &t, err));
  ck_assert(t.D == 1 && t.x[0] == 0.5);
  rmx_table_release(&t);
  // A number in quotes.
  must(metrics(file("h.json",
                    "{\"results\": {\"arc\": {\"alias\": \"arc\", \"acc,none\": \"0.5\", "
                    "\"acc_stderr,none\": \"N/A\", \"acc_norm,none\": 0.5}}}"),
               &t, err));
  heard("1 value is not a number and is not read: results.arc.\"acc,none\"");
  rmx_table_release(&t);
  end();
}
END_TEST

START_TEST(long_tables_with_more_columns) {
  begin();
  rmx_table t;
  must(metrics(file("l.csv",
                    ",checkpoint,task,acc,acc_norm,acc_stderr,shots\n0,n1,arc,0.5,0.25,0.1,5\n"
                    "1,n1,law,0.75,0.5,0.1,5\n2,n2,arc,0.5,1,0.1,5\n3,n2,law,0,1,0.1,5\n"),
               &t, err));
  ck_assert(t.N == 2 && t.D == 4);
  ck_assert(at(&t, "n1", "law/acc_norm") == 0.5 && at(&t, "n2", "arc/acc") == 0.5);
  heard("2 other columns with numbers are not read: acc_stderr, shots");
  rmx_table_release(&t);
  static const char steps[] = "run,tokens,metric,value\nn1,900M,loss,3\nn1,%s,loss,2\n";
  char text[200];
  snprintf(text, sizeof text, steps, "1B");
  must(metrics(file("s.csv", text), &t, err));
  ck_assert(at(&t, "n1", "loss") == 2);
  rmx_table_release(&t);
  snprintf(text, sizeof text, steps, "\"1,000,000,000\"");
  must_fail(metrics(file("s.csv", text), &t, err),
            "s.csv:3: column \"tokens\": \"1,000,000,000\" is not a number");
  end();
}
END_TEST

// A table with the steps of each run is no table of runs of one mixture.
START_TEST(histories) {
  begin();
  rmx_table t;
  must(metrics(file("h.csv",
                    ",run,step,a_loss,b_loss,lr\n0,n1,900,3,,0.1\n1,n2,900,5,2.5,0.1\n"
                    "2,n2,1000,4,,0.2\n3,n1,1000,2,6,0.2\n4,n1,50,9,9,0.3\n"),
               &t, err));
  ck_assert(t.N == 2 && t.D == 3);
  ck_assert(at(&t, "n1", "a_loss") == 2 && at(&t, "n1", "b_loss") == 6);
  ck_assert(at(&t, "n2", "a_loss") == 4 && at(&t, "n2", "b_loss") == 2.5);
  heard("5 rows of 2 runs: the last value of each metric by column \"step\" counts");
  rmx_table_release(&t);
  told[0] = '\0';
  must(metrics(file("h.csv", "run,step,loss\nn1,10,3\nn1,20,2\nn1,20,1\n"), &t, err));
  ck_assert(at(&t, "n1", "loss") == 1);
  heard("1 value is given twice for one run and one step; the later row counts");
  rmx_table_release(&t);
  must(metrics(file("l.csv", "run,step,metric,value\nn1,20,x,2\nn1,20,x,1\n"), &t, err));
  ck_assert(at(&t, "n1", "x") == 1 && strstr(told, "l.csv: 1 value is given twice"));
  rmx_table_release(&t);
  // Where each row is asked to be a run, it is.
  rmx_import_options rows = {.what = RMX_IMPORT_METRICS, .id = "row"};
  const char *h = file("h.csv", "run,step,loss\nn1,10,3\nn1,20,2\n");
  must(rmx_import_table(h, &rows, &listener, &t, err));
  ck_assert(t.N == 2 && at(&t, "2", "loss") == 2);
  rmx_table_release(&t);
  must_fail(metrics(file("h.csv", "run,step,loss,\nn1,10,3,1\nn1,20,2,1\n"), &t, err),
            "has no name");
  // In a table with the mixtures, metrics are known by their names.
  rmx_import_options both = {.what = RMX_IMPORT_METRICS, .mixed = true};
  const char *f = file("b.csv", "run,step,lr,mix.a,mix.b,loss\nn1,1,9,0,1,3\nn1,2,9,0,1,2\n");
  must(rmx_import_table(f, &both, &listener, &t, err));
  ck_assert(t.N == 1 && t.D == 1 && at(&t, "n1", "loss") == 2);
  rmx_table_release(&t);
  // Runs of one mixture have the same step.
  must(metrics(file("s.csv", "run,step,loss\nn1,20,3\nn1,20,2\nn2,20,1\n"), &t, err));
  ck_assert(t.N == 3 && t.D == 2);
  rmx_table_release(&t);
  end();
}
END_TEST

// What another run hides, or what was stopped on the way, is told.
START_TEST(charts_of_runs_of_one_name) {
  begin();
  rmx_table t;
  must_fail(metrics(file("two.csv",
                         "Step,n1 - eval/loss,n2 - eval/loss,n1 - eval/loss\n1,4,4,4\n2,3,3,9\n"),
                    &t, err),
            "two columns \"n1 - eval/loss\", so two runs have the same name");
  must(metrics(
      file("short.csv",
           "Step,n1 - eval/loss,n2 - eval/loss,n3 - eval/loss\n10,4,4,4\n95,3,3,\n100,,2,\n"),
      &t, err));
  ck_assert_uint_eq(t.N, 3);
  heard("1 of 3 runs ended long before the others");
  heard("n3 (step 10 of 100)");
  rmx_table_release(&t);
  end();
}
END_TEST

START_TEST(histories_that_end_early) {
  begin();
  rmx_table t;
  static const char *const names[] = {"step", "epoch", "trainer/global_step", "iter"};
  for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
    char text[256];
    snprintf(text, sizeof text, "run,%s,web_loss\nm1,1,4\nm1,2,3\nm2,1,5\nm3,1,6\nm3,2,2\n",
             names[k]);
    told[0] = '\0';
    must(metrics(file("history.csv", text), &t, err));
    ck_assert_uint_eq(t.N, 3);
    ck_assert(at(&t, "m1", "web_loss") == 3 && at(&t, "m2", "web_loss") == 5);
    heard("m2 (step 1 of 2); leave out runs that were stopped");
    rmx_table_release(&t);
  }
  end();
}
END_TEST

START_TEST(unfinished_runs_of_every_table) {
  begin();
  rmx_table t;
  must(metrics(file("long.csv",
                    "run,metric,value,state\nm1,a_loss,1,finished\nm1,b_loss,2,finished\n"
                    "m2,a_loss,9,crashed\nm2,b_loss,9,crashed\n"),
               &t, err));
  ck_assert_uint_eq(t.N, 1);
  heard("1 of 2 runs did not finish and is left out: m2 (crashed)");
  rmx_table_release(&t);
  told[0] = '\0';
  must(metrics(
      file("olmix.csv", "run_id,name,status,a_loss\n1,m1,done,1\n2,m2,failed,9\n3,m3,done,2\n"), &t,
      err));
  ck_assert_uint_eq(t.N, 2);
  heard("1 of 3 runs did not finish and is left out: 2 (failed)");
  rmx_table_release(&t);
  must_fail(metrics(file("unnamed.csv", "run,metric,value\nm1,a,1\nm2,a,2\n,a,3\n"), &t, err),
            "unnamed.csv:4: column \"run\": the name is missing");
  file("yaml/n1.yaml", "{a: 0.5, b: 0.5}");
  file("yaml/more/n2.yaml", "{a: 0.25, b: 0.75}");
  must(mixtures(in("yaml"), &t, err));
  ck_assert_uint_eq(t.N, 1);
  heard("1 YAML file in folders below it is not read: more/n2.yaml");
  rmx_table_release(&t);
  end();
}
END_TEST

START_TEST(columns_of_errors) {
  begin();
  rmx_table t;
  const char *f = file("e.csv", "run,acc,acc_stderr,loss_mean,loss_std,x_std\n1,1,2,3,4,5\n");
  must(metrics(f, &t, err));
  ck_assert(t.D == 3 && at(&t, "1", "loss_mean") == 3 && at(&t, "1", "x_std") == 5);
  heard(
      "2 columns have the errors of other columns and are not read as metrics: acc_stderr, "
      "loss_std");
  rmx_table_release(&t);
  must(read_with(f, RMX_IMPORT_METRICS, "acc*", &t, err));
  ck_assert_uint_eq(t.D, 2);
  rmx_table_release(&t);
  must(metrics(file("e.csv", "acc,acc_stderr\nn1,2\n"), &t, err));  // the names are no scores
  ck_assert_uint_eq(t.D, 1);
  rmx_table_release(&t);
  must(mixtures(file("m.csv", "run,a,a_std\n1,0.5,0.5\n"), &t, err));
  ck_assert_uint_eq(t.D, 2);
  rmx_table_release(&t);
  end();
}
END_TEST

START_TEST(results_measured_in_another_way) {
  begin();
  rmx_table t;
  static const char harness[] =
      "{\"results\": {\"arc\": {\"acc,none\": 0.5}}, \"n-shot\": {\"arc\": %d}, "
      "\"versions\": {\"arc\": %d}}";
  char one[160], two[160];
  snprintf(one, sizeof one, harness, 0, 1);
  snprintf(two, sizeof two, harness, 5, 2);
  file("h/n1/results.json", one), file("h/n2/results.json", two), file("h/n3/results.json", one);
  must(metrics(in("h"), &t, err));
  heard(
      "h: 2 results were measured in another way than those of the same task before, so they do "
      "not compare: arc of n2 (shots 5, not 0), arc of n2 (version 2, not 1)");
  rmx_table_release(&t);
  static const char light[] =
      "{\"config_general\": {}, \"results\": {\"lighteval|arc|%d|0\": {\"acc\": 0.5}}}";
  snprintf(one, sizeof one, light, 0);
  snprintf(two, sizeof two, light, 25);
  file("e/n1/results.json", one), file("e/n2/results.json", two);
  must(metrics(in("e"), &t, err));
  heard("arc of n2 (shots 25, not 0)");
  rmx_table_release(&t);
  static const char olmes[] =
      "{\"task_name\": \"law\", \"task_config\": {\"num_shots\": %d}, \"metrics\": {\"acc\": 1}}";
  snprintf(one, sizeof one, olmes, 2);
  snprintf(two, sizeof two, olmes, 3);
  file("o/n1/metrics.json", one), file("o/n2/metrics.json", two);
  must(metrics(in("o"), &t, err));
  heard("law of n2 (shots 3, not 2)");
  rmx_table_release(&t);
  end();
}
END_TEST

START_TEST(results_of_several_checkpoints) {
  begin();
  rmx_table t;
  static const char text[] = "{\"results\": {\"arc\": {\"acc,none\": %s}}}";
  char low[100], high[100];
  snprintf(low, sizeof low, text, "0.25");
  snprintf(high, sizeof high, text, "0.5");
  file("k/n1/step2000/results_2024-05-01T12-00-00.1.json", high);
  file("k/n1/step1000/results_2024-05-02T12-00-00.1.json", low);
  file("k/n2/step2000/results_2024-05-01T12-00-00.1.json", high);
  must(metrics(in("k"), &t, err));
  ck_assert(t.N == 2 && at(&t, "n1", "arc") == 0.25);
  heard(
      "1 result of a run is in several of its folders, and the newest counts: arc of n1 "
      "(step1000, not step2000)");
  rmx_table_release(&t);
  end();
}
END_TEST

// ---- no column of names

START_TEST(tables_without_names) {
  begin();
  rmx_table m, l;
  must(mixtures(file("m.csv", "a,b\n0.5,0.5\n0.25,0.75\n"), &m, err));
  ck_assert(m.D == 2 && strcmp(m.id_name, RMX_ROW_NUMBERS) == 0 && at(&m, "2", "a") == 0.25);
  heard("the first one, \"a\", has numbers such as 0.5");
  must(metrics(file("l.csv", "run,x\nr7,1\nr3,2\n"), &l, err));
  must(rmx_import_join(&m, &l, &listener, err));
  ck_assert_str_eq(l.ids[1], "2");
  heard("are joined in their order");
  rmx_table_release(&l);
  must(metrics(file("l.csv", "run,x\nr7,1\n"), &l, err));
  must_fail(rmx_import_join(&m, &l, &listener, err), "has 2 runs and");
  rmx_table_release(&l);
  rmx_table_release(&m);
  must(mixtures(file("m.csv", "a,b\n0,1\n1,0\n"), &m, err));  // whole numbers, but weights
  ck_assert(m.D == 2 && strcmp(m.id_name, RMX_ROW_NUMBERS) == 0);
  rmx_table_release(&m);
  must(mixtures(file("m.csv", "run,a,b\n0,0,1\n1,1,0\n"), &m, err));
  ck_assert(m.D == 2 && strcmp(m.id_name, "run") == 0);
  rmx_table_release(&m);
  end();
}
END_TEST

// ---- refused by name

START_TEST(binary_files) {
  begin();
  rmx_table t;
  must_fail(metrics(file("a.parquet", "PAR1x"), &t, err), "this is a Parquet file");
  must_fail(metrics(file("a.xlsx", "PK\3\4x"), &t, err), "this is a zip archive");
  must_fail(metrics(file("a.pkl", "\x80\4x"), &t, err), "this is a pickle of Python");
  must_fail(metrics(file("a.csv.gz", "\x1F\x8Bx"), &t, err), "this is compressed with gzip");
  end();
}
END_TEST

static void add_tests(TCase *tc) {
  tcase_add_test(tc, checksums);
  tcase_add_test(tc, tensorboard_folder);
  tcase_add_test(tc, wandb_on_disk);
  tcase_add_test(tc, wandb_chart);
  tcase_add_test(tc, mlflow_runs);
  tcase_add_test(tc, long_tables);
  tcase_add_test(tc, megatron_blends);
  tcase_add_test(tc, lighteval_results);
  tcase_add_test(tc, olmes_results);
  tcase_add_test(tc, results_that_are_lost_are_told);
  tcase_add_test(tc, long_tables_with_more_columns);
  tcase_add_test(tc, histories);
  tcase_add_test(tc, charts_of_runs_of_one_name);
  tcase_add_test(tc, histories_that_end_early);
  tcase_add_test(tc, unfinished_runs_of_every_table);
  tcase_add_test(tc, columns_of_errors);
  tcase_add_test(tc, results_measured_in_another_way);
  tcase_add_test(tc, results_of_several_checkpoints);
  tcase_add_test(tc, tables_without_names);
  tcase_add_test(tc, binary_files);
}
