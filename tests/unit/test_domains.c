// SPDX-License-Identifier: Apache-2.0
// The domain of each document: by fields, by web host, and the names that values become.
#include "corpus/domains/fasttext.h"
#include "corpus/domains/fasttext_train.h"
#include "corpus/domains/host.h"
#include "corpus/domains/route.h"
#include "corpus/domains/select.h"
#include "corpus/domains/top_hosts.h"
#include "corpus/domains/value_name.h"
#include "corpus/readers/own_files.h"
#include "corpus_folder.h"

// ---- values that domains select

// The domain that selects a name, when the domains have these values; "-": none.
static const char *selects(const char *const (*values)[2], size_t n, size_t parts, const char *name,
                           rmx_strings *unused) {
  rmx_domain_source *sources = rmx_calloc(n, sizeof *sources);
  size_t at = 0;
  for (size_t i = 0; i < n; i++) {
    if (i && strcmp(values[i][0], values[i - 1][0]) != 0) at++;
    sources[at].name = (char *)values[i][0];
    ck_assert(rmx_strings_add(&sources[at].values, values[i][1]));
  }
  rmx__selection *s;
  rmx_err err;
  rmx_buf scratch = {0};
  ck_assert_int_eq(rmx__selection_open(sources, at + 1, parts, &s, &err), RMX_OK);
  const char *found = rmx__selection_find(s, name, &scratch);
  if (unused) ck_assert_int_eq(rmx__selection_unused(s, unused, &err), RMX_OK);
  rmx__selection_free(s);
  rmx_buf_release(&scratch);
  for (size_t i = 0; i <= at; i++) rmx_strings_release(&sources[i].values);
  free(sources);
  return found ? found : "-";
}

START_TEST(values_select_names) {
  static const char *const values[][2] = {
      {"one", "plain"},      {"one", "github/python"}, {"one", "a:b:c"}, {"two", "a%2Cb"},
      {"two", "[CLS] text"}, {"two", "50%"},           {"three", "x:*"}};
  static const struct {
    size_t parts;
    const char *name, *domain;
  } cases[] = {
      {1, "plain", "one"},
      {1, "github%2Fpython", "one"},  // the value of the documents is github/python
      {1, "a%2Cb", "two"},            // given as the name is printed
      {1, "a%252Cb", "two"},          // given as the documents have it
      {1, "a:b:c", "one"},
      {1, "a%3Ab:c", "-"},  // no name of one part is like this
      {3, "a:b:c", "one"},
      {2, "a%3Ab:c", "one"},  // the values "a:b" and "c"
      {2, "a:b%3Ac", "one"},  // the values "a" and "b:c"
      {2, "a:b", "-"},
      {1, "[CLS] text", "two"},
      {1, "50%", "two"},
      {2, "x:anything", "three"},
      {2, "X:anything", "-"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    ck_assert_msg(
        strcmp(selects(values, 7, cases[i].parts, cases[i].name, NULL), cases[i].domain) == 0,
        "%s in %zu parts", cases[i].name, cases[i].parts);
  // A domain without any document is reported elsewhere.
  rmx_strings unused = {0};
  selects(values, 7, 1, "plain", &unused);
  ck_assert_uint_eq(unused.n, 2);
  ck_assert_str_eq(unused.items[0], "one: \"github/python\"");
  ck_assert_str_eq(unused.items[1], "one: \"a:b:c\"");
  rmx_strings_release(&unused);
}
END_TEST

// ---- hosts

static const char *host_of(const char *url) {
  static rmx_buf b;
  return rmx__host_of(url, strlen(url), &b) ? b.data : "-";
}

START_TEST(hosts_of_addresses) {
  static const char *const cases[][2] = {
      {"https://en.wikipedia.org/wiki/A", "en.wikipedia.org"},
      {"http://EN.Wikipedia.ORG", "en.wikipedia.org"},
      {"https://user:pass@example.com:8080/a@b", "example.com"},
      {"//cdn.example.com/x", "cdn.example.com"},
      {"example.com/path?x=http://other.org/", "example.com"},
      {"https://example.com?q=1", "example.com"},
      {"https://example.com#part", "example.com"},
      {"  https://example.com./ ", "example.com"},
      {"http://192.168.0.1:80/", "192.168.0.1"},
      {"http://[2001:db8::1]:80/", "[2001:db8::1]"},
      {"https://b\xc3\xbc"
       "cher.example/",
       "b\xc3\xbc"
       "cher.example"},
      {"http://a_b.example.com/", "a_b.example.com"},
      {"http://AZaz09-.example.com/", "azaz09-.example.com"},  // the ends of each range of letters
      {"http://ZA.example.com:0/", "za.example.com"},
      {"http://example.com:65535/", "example.com"},
      {"http://example.com:/", "example.com"},
      {"http://exa[mple.com/", "-"},
      {"http://exa`mple.com/", "-"},
      {"http://exa{mple.com/", "-"},
      {"http://exa@mple.com/", "mple.com"},
      {"mailto:somebody@example.com", "example.com"},
      {"urn:isbn:123", "-"},
      {"localhost", "-"},
      {"https:///path", "-"},
      {"http://.example.com/", "-"},
      {"http://exam..ple.com/", "-"},
      {"http://[junk]/", "-"},
      {"http://[::1", "-"},
      {"not an address", "-"},
      {"", "-"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    ck_assert_str_eq(host_of(cases[i][0]), cases[i][1]);
}
END_TEST

START_TEST(registered_domains) {
  static const char *const cases[][2] = {
      {"en.wikipedia.org", "wikipedia.org"},
      {"wikipedia.org", "wikipedia.org"},
      {"www.bbc.co.uk", "bbc.co.uk"},
      {"bbc.co.uk", "bbc.co.uk"},
      {"co.uk", "co.uk"},
      {"a.b.c.example.com", "example.com"},
      {"192.168.0.1", "192.168.0.1"},
      {"[2001:db8::1]", "[2001:db8::1]"},
      {"www.abc.net.au", "abc.net.au"},
      {"a.unknown-tld-x", "a.unknown-tld-x"},
      // the suffixes of companies are not suffixes here
      {"somebody.blogspot.com", "blogspot.com"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    ck_assert_str_eq(rmx__registered_domain(cases[i][0]), cases[i][1]);
#ifdef REGMIX_LIBPSL
  ck_assert_str_eq(rmx__registered_domain("www.city.kawasaki.jp"), "city.kawasaki.jp");
  ck_assert_str_eq(rmx__registered_domain("a.b.k12.ca.us"), "b.k12.ca.us");
#endif
  ck_assert(rmx__host_below("en.wikipedia.org", "wikipedia.org"));
  ck_assert(!rmx__host_below("notwikipedia.org", "wikipedia.org"));
}
END_TEST

START_TEST(frequent_names_in_bounded_memory) {
  // 40 frequent names among 20,000 rare ones, with 1,000 counters.
  rmx__top_hosts *t = rmx__top_hosts_new(1000), *other = rmx__top_hosts_new(1000);
  char name[32];
  uint32_t x = 1;
  uint64_t counts[40];
  for (int i = 0; i < 200000; i++) {
    x = x * 1664525 + 1013904223;
    if ((x >> 28) < 8)
      snprintf(name, sizeof name, "big%02u", (x >> 8) % 40);
    else
      snprintf(name, sizeof name, "small%u", (x >> 8) % 20000);
    ck_assert(rmx__top_hosts_add(i % 2 ? t : other, name, 1));
  }
  ck_assert(rmx__top_hosts_merge(t, other));
  rmx_strings top = {0};
  ck_assert(rmx__top_hosts_largest(t, 40, &top, counts));
  ck_assert_uint_eq(top.n, 40);
  for (size_t i = 0; i < top.n; i++) {
    ck_assert_msg(strncmp(top.items[i], "big", 3) == 0, "%s", top.items[i]);
    ck_assert(counts[i] >= 2200 && counts[i] <= 2900);
    if (i) ck_assert(counts[i - 1] >= counts[i]);
  }
  rmx_strings_release(&top);
  rmx__top_hosts_free(t);
  rmx__top_hosts_free(other);
}
END_TEST

// ---- names

static const char *named(const char *value, bool part) {
  static rmx_buf b;
  b.size = 0;
  return rmx__value_name(value, strlen(value), true, part, &b) ? b.data : "-";
}

START_TEST(values_become_names) {
  ck_assert_str_eq(named("Wikipedia (en)", false), "Wikipedia (en)");
  ck_assert_str_eq(named("Pile-CC", false), "Pile-CC");
  ck_assert_str_eq(named("github/python", false), "github%2Fpython");
  ck_assert_str_eq(named("a,b\"c=d\n", false), "a%2Cb%22c%3Dd%0A");
  ck_assert_str_eq(named(".hidden", false), "%2Ehidden");
  ck_assert_str_eq(named("-x-", false), "%2Dx-");
  ck_assert_str_eq(named(" en ", false), "%20en%20");
  ck_assert_str_eq(named("web:math", false), "web:math");
  ck_assert_str_eq(named("web:math", true), "web%3Amath");
  ck_assert_str_eq(named("100%", false), "100%");
  ck_assert_str_eq(named("github%2Fpython", false), "github%252Fpython");  // not github/python
  ck_assert_str_eq(named("日本語", false), "日本語");
  ck_assert_str_eq(named(" \t", false), "-");
  ck_assert_str_eq(named("", false), "-");
}
END_TEST

// ---- the router

enum { MOST_FIELDS = 4 };

// Routes a document with these values; NULL: it lacks the field. "! why" if it has no domain.
static const char *route(const rmx__router *r, const char *const values[MOST_FIELDS]) {
  static rmx_buf buffers[MOST_FIELDS], scratch, out;
  bool has[MOST_FIELDS];
  for (size_t i = 0; i < rmx__router_fields(r)->n; i++) {
    has[i] = values[i] != NULL;
    buffers[i].size = 0;
    rmx_buf_puts(&buffers[i], has[i] ? values[i] : "left over");
  }
  const rmx__routed d = {"text", 4, buffers, has};
  const char *name;
  must(rmx__route(r, &d, &scratch, &name, err));
  out.size = 0;
  rmx_buf_printf(&out, "%s%s", name ? "" : "! ", name ? name : scratch.data);
  return out.data;
}

#define ROUTE(r, ...) route(r, (const char *const[MOST_FIELDS]){__VA_ARGS__})

static rmx__router *open_router(const rmx_corpus_options *o, const rmx_domain_source *s, size_t n) {
  rmx__router *r = NULL;
  must(rmx__router_open(o, s, n, ".", &r, err));
  return r;
}

START_TEST(by_a_field) {
  const rmx_corpus_options o = {.domain_field = "meta.pile_set_name"};
  rmx__router *r = open_router(&o, NULL, 0);
  ck_assert_uint_eq(rmx__router_fields(r)->n, 1);
  ck_assert_str_eq(rmx__router_fields(r)->items[0], "meta.pile_set_name");
  ck_assert(!rmx__router_is_closed(r) && !rmx__router_counts(r));
  ck_assert_str_eq(ROUTE(r, "ArXiv"), "ArXiv");
  ck_assert_str_eq(ROUTE(r, "a/b"), "a%2Fb");
  ck_assert_str_eq(ROUTE(r, "corpus.json"), "%63orpus.json");
  ck_assert_str_eq(ROUTE(r, "%63orpus.json"), "%2563orpus.json");
  ck_assert_str_eq(ROUTE(r, NULL), "! field \"meta.pile_set_name\" is missing or is not one value");
  ck_assert_str_eq(ROUTE(r, ""), "! field \"meta.pile_set_name\" is empty");
  char longest[201];
  memset(longest, 'x', 200);
  longest[199] = '\0';
  ck_assert_str_eq(ROUTE(r, longest), longest);
  memset(longest, 'x', 200);
  longest[200] = '\0';
  ck_assert_str_eq(ROUTE(r, longest), "! the value has more than 199 bytes");
  rmx__router_free(r);
}
END_TEST

START_TEST(hierarchies) {
  const rmx_corpus_options o = {.domain_field = "source: topic :meta.quality"};
  rmx__router *r = open_router(&o, NULL, 0);
  ck_assert_uint_eq(rmx__router_fields(r)->n, 3);
  ck_assert_str_eq(ROUTE(r, "cc", "math", "3"), "cc:math:3");
  // Parts with colons cannot be confused.
  ck_assert_str_eq(ROUTE(r, "a:b", "c", "d"), "a%3Ab:c:d");
  ck_assert_str_eq(ROUTE(r, "a", "b:c", "d"), "a:b%3Ac:d");
  ck_assert_str_eq(ROUTE(r, "a", NULL, "d"), "! field \"topic\" is missing or is not one value");
  ck_assert_str_eq(ROUTE(r, "a", " ", "d"), "! field \"topic\" is empty");
  rmx__router_free(r);
}
END_TEST

START_TEST(given_hosts) {
  rmx_corpus_options o = {.domain_field = "host(url)"};
  ck_assert(rmx_strings_add(&o.hosts, "wikipedia.org"));
  ck_assert(rmx_strings_add(&o.hosts, "https://EN.wikipedia.org/"));
  rmx__router *r = open_router(&o, NULL, 0);
  ck_assert(!rmx__router_counts(r));
  ck_assert_str_eq(ROUTE(r, "https://en.wikipedia.org/wiki/A"), "en.wikipedia.org");
  ck_assert_str_eq(ROUTE(r, "https://m.en.wikipedia.org/wiki/A"), "en.wikipedia.org");
  ck_assert_str_eq(ROUTE(r, "https://de.wikipedia.org/wiki/A"), "wikipedia.org");
  ck_assert_str_eq(ROUTE(r, "https://notwikipedia.org/"), "other");
  ck_assert_str_eq(ROUTE(r, "no address"), "! field \"url\" has no web address");
  rmx__router_free(r);
  rmx_strings_release(&o.hosts);
}
END_TEST

static void count_host(rmx__router *r, rmx__top_hosts *counts, const char *url) {
  rmx_buf value = {0}, scratch = {0};
  const bool has = true;
  rmx_buf_puts(&value, url);
  const rmx__routed d = {"", 0, &value, &has};
  must(rmx__router_count(r, &d, &scratch, counts, err));
  rmx_buf_release(&value);
  rmx_buf_release(&scratch);
}

START_TEST(largest_hosts) {
  const rmx_corpus_options o = {.domain_field = "host(url)", .max_hosts = 2};
  rmx__router *r = open_router(&o, NULL, 0);
  ck_assert(rmx__router_counts(r));
  rmx__top_hosts *counts = rmx__router_counters();
  ck_assert_ptr_nonnull(counts);
  for (int i = 0; i < 6; i++) count_host(r, counts, i % 2 ? "http://a.b.co.uk/" : "http://b.co.uk");
  for (int i = 0; i < 5; i++) count_host(r, counts, "http://www.example.com/");
  for (int i = 0; i < 4; i++) count_host(r, counts, "http://third.example.org/");
  count_host(r, counts, "nothing");
  must(rmx__router_counted(r, counts, err));
  rmx__top_hosts_free(counts);
  ck_assert(!rmx__router_counts(r));
  ck_assert_str_eq(ROUTE(r, "https://x.b.co.uk/"), "b.co.uk");
  ck_assert_str_eq(ROUTE(r, "https://example.com/"), "example.com");
  ck_assert_str_eq(ROUTE(r, "https://third.example.org/"), "other");
  rmx__router_free(r);
}
END_TEST

START_TEST(selected_values) {
  const rmx_corpus_options o = {.domain_field = "source"};
  rmx_domain_source s[] = {{.name = "code"}, {.name = "math"}, {.name = "exam"}};
  ck_assert(rmx_strings_add(&s[0].values, "github/python"));
  ck_assert(rmx_strings_add(&s[0].values, "stack*"));
  ck_assert(rmx_strings_add(&s[1].values, "stack-math"));
  ck_assert(rmx_strings_add(&s[2].files, "exam.txt"));
  rmx__router *r = open_router(&o, s, 3);
  ck_assert(rmx__router_is_closed(r));
  ck_assert_str_eq(ROUTE(r, "github/python"), "code");
  ck_assert_str_eq(ROUTE(r, "stackoverflow"), "code");
  ck_assert_str_eq(ROUTE(r, "stack-math"), "math");  // an exact value goes before a pattern
  ck_assert_str_eq(ROUTE(r, "books"), "! \"books\" is not in corpus.domains");
  ck_assert_str_eq(ROUTE(r, "exam"), "! \"exam\" is not in corpus.domains");
  rmx__router_free(r);
  ck_assert(rmx_strings_add(&s[1].values, "github/python"));
  must_fail(rmx__router_open(&o, s, 3, ".", &r, err), "both have the value \"github%2Fpython\"");
  for (size_t i = 0; i < 3; i++) {
    rmx_strings_release(&s[i].values);
    rmx_strings_release(&s[i].files);
  }
}
END_TEST

// A field that no document has: the error lists those that could be meant, in files of columns too.
START_TEST(columns_are_suggested) {
  static const char *const seeds[] = {"parquet/snappy.parquet", "arrow/view.arrow"};
  static const char *const names[] = {"a.parquet", "a.arrow", "a.csv"};
  folder_make();
  rmx_buf csv = {0};
  rmx_buf_puts(&csv, "id,flag,text\n");
  for (int i = 0; i < 40; i++) rmx_buf_printf(&csv, "%d,%s,text %d\n", i, i % 3 ? "a" : "b", i);
  for (size_t i = 0; i < 3; i++) {
    char path[512], *data = csv.data;
    size_t size = csv.size;
    if (i < 2) {
      snprintf(path, sizeof path, "%s/%s", SEEDS, seeds[i]);
      must(rmx_read_file(path, &data, &size, err));
    }
    put(names[i], data, size);
    if (i < 2) free(data);
    rmx_domain_source s = source_of("all", names[i]);
    s.divided = true;
    rmx_corpus_options o = {.text_field = "text", .domain_field = "flags", .max_domains = 100};
    rmx_values_look look;
    must_fail(rmx_corpus_values(&o, &s, 1, test_folder, &look, err),
              "fields that could divide them: flag (2 values)");
    source_release(&s);
  }
  rmx_buf_release(&csv);
  folder_remove();
}
END_TEST

// The suggestion follows from the first documents of a file alone.
START_TEST(fields_of_the_first_documents) {
  enum { LOOKED_AT = 32 };
  for (int more = 0; more < 2; more++) {
    folder_make();
    rmx_buf text = {0};
    for (int i = 0; i < 3 * LOOKED_AT; i++)
      rmx_buf_printf(&text, "{\"text\": \"text %d\", \"lang\": \"%s\"}\n", i,
                     i == LOOKED_AT - more ? "new"
                     : i % 2               ? "a"
                                           : "b");
    put("a.jsonl", text.data, text.size);
    rmx_domain_source s = source_of("all", "a.jsonl");
    s.divided = true;
    rmx_corpus_options o = {.text_field = "text", .domain_field = "flags", .max_domains = 100};
    rmx_values_look look;
    must_fail(rmx_corpus_values(&o, &s, 1, test_folder, &look, err),
              more ? "lang (3 values)" : "lang (2 values)");
    source_release(&s);
    rmx_buf_release(&text);
    folder_remove();
  }
}
END_TEST

START_TEST(as_many_domains_as_are_allowed) {
  enum { VALUES = 7 };
  folder_make();
  rmx_buf text = {0};
  for (int i = 0; i < 40; i++)
    rmx_buf_printf(&text, "{\"text\": \"text %d\", \"lang\": \"l%d\"}\n", i, i % VALUES);
  put("a.jsonl", text.data, text.size);
  rmx_domain_source s = source_of("all", "a.jsonl");
  s.divided = true;
  rmx_corpus_options o = {.text_field = "text", .domain_field = "lang", .max_domains = VALUES};
  rmx_values_look look;
  must(rmx_corpus_values(&o, &s, 1, test_folder, &look, err));
  ck_assert_uint_eq(look.names.n, VALUES);
  ck_assert_uint_eq(look.n, 40);
  ck_assert(look.all);
  rmx_values_look_release(&look);
  o.max_domains = VALUES - 1;
  must_fail(rmx_corpus_values(&o, &s, 1, test_folder, &look, err), "corpus.max_domains");
  source_release(&s);
  rmx_buf_release(&text);
  folder_remove();
}
END_TEST

START_TEST(fields_that_cannot_be_understood) {
  rmx__router *r = NULL;
  static char *const wrong[][2] = {{"a::b", "an empty part"},
                                   {"host()", "an empty part"},
                                   {" ", "an empty part"},
                                   {"lang(text)", "an unknown function"},
                                   {"host(a):host(b)", "more than one host()"}};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    const rmx_corpus_options o = {.domain_field = wrong[i][0]};
    must_fail(rmx__router_open(&o, NULL, 0, ".", &r, err), wrong[i][1]);
  }
  rmx_corpus_options o = {.domain_field = "source"};
  ck_assert(rmx_strings_add(&o.hosts, "example.com"));
  must_fail(rmx__router_open(&o, NULL, 0, ".", &r, err), "corpus.hosts needs a field");
  o.domain_field = "host(url)";
  ck_assert(rmx_strings_add(&o.hosts, "not a host"));
  must_fail(rmx__router_open(&o, NULL, 0, ".", &r, err), "is not a host");
  rmx_strings_release(&o.hosts);
}
END_TEST

// ---- classifiers

static const char *const topics[][4] = {{"proof", "lemma", "theorem", "integral"},
                                        {"return", "struct", "include", "pointer"},
                                        {"once", "upon", "princess", "forest"}};

// A text with words of a topic and of none.
static void write_text(rmx_buf *b, uint32_t *x, size_t topic) {
  b->size = 0;
  for (int i = 0; i < 30; i++) {
    *x = *x * 1664525 + 1013904223;
    if (i % 5 == 0)
      rmx_buf_printf(b, "%s ", topics[topic][*x >> 30]);
    else
      rmx_buf_printf(b, "word%u ", (*x >> 20) % 100);
  }
}

static const char *make_classifier(void) {
  static const char *const labels[] = {"math", "code and more", "tales"};
  const char *path = in_folder("topics.bin");
  rmx__labelled l = {0};
  rmx_buf b = {0};
  uint32_t x = 5;
  for (size_t i = 0; i < 300; i++) {
    write_text(&b, &x, i % 3);
    must(rmx__labelled_add(&l, b.data, b.size, (uint32_t)(i % 3), err));
  }
  must(rmx__fasttext_train(&l, labels, 3, 1, path, NULL, err));
  rmx_buf_release(&b);
  rmx__labelled_release(&l);
  return path;
}

START_TEST(a_classifier_is_trained_and_read) {
  folder_make();
  rmx__fasttext *m;
  must(rmx__fasttext_open(make_classifier(), &m, err));
  ck_assert_uint_eq(rmx__fasttext_labels(m), 3);
  ck_assert_str_eq(rmx__fasttext_label(m, 0), "math");
  ck_assert_str_eq(rmx__fasttext_label(m, 1), "code_and_more");
  rmx_buf b = {0}, scratch = {0};
  uint32_t x = 77;
  size_t right = 0, label;
  double p;
  for (size_t i = 0; i < 300; i++) {
    write_text(&b, &x, i % 3);
    must(rmx__fasttext_predict(m, b.data, b.size, &scratch, &label, &p, err));
    right += label == i % 3;
    ck_assert(p > 0.3 && p <= 1);
  }
  ck_assert_uint_ge(right, 297);
  must(rmx__fasttext_predict(m, "", 0, &scratch, &label, &p, err));
  rmx__fasttext_free(m);
  rmx_buf_release(&b);
  rmx_buf_release(&scratch);
  folder_remove();
}
END_TEST

START_TEST(the_same_classifier_twice) {
  folder_make();
  char *first, *second;
  size_t n, n2;
  must(rmx_read_file(make_classifier(), &first, &n, err));
  must(rmx_read_file(make_classifier(), &second, &n2, err));
  ck_assert(n == n2 && memcmp(first, second, n) == 0);
  free(first);
  free(second);
  folder_remove();
}
END_TEST

START_TEST(by_a_classifier) {
  folder_make();
  make_classifier();
  rmx_corpus_options o = {.domain_field = "lang"};
  ck_assert(rmx_strings_add(&o.classifier, "topics.bin"));
  rmx__router *r = NULL;
  must(rmx__router_open(&o, NULL, 0, test_folder, &r, err));
  rmx_buf value = {0}, scratch = {0};
  const bool has = true;
  const char *name, text[] = "lemma\ntheorem\nproof integral";
  rmx_buf_puts(&value, "en");
  const rmx__routed d = {text, sizeof text - 1, &value, &has};
  must(rmx__route(r, &d, &scratch, &name, err));
  ck_assert_str_eq(name, "en:math");
  rmx__router_free(r);
  o.min_probability = 0.9999999;
  must(rmx__router_open(&o, NULL, 0, test_folder, &r, err));
  must(rmx__route(r, &d, &scratch, &name, err));
  ck_assert_str_eq(name, "en:other");
  rmx__router_free(r);
  rmx_strings_release(&o.classifier);
  ck_assert(rmx_strings_add(&o.classifier, "missing.bin"));
  must_fail(rmx__router_open(&o, NULL, 0, test_folder, &r, err), "missing.bin");
  rmx_strings_release(&o.classifier);
  rmx_buf_release(&value);
  rmx_buf_release(&scratch);
  folder_remove();
}
END_TEST

START_TEST(damaged_classifiers) {
  folder_make();
  char *data;
  size_t n;
  rmx__fasttext *m;
  must(rmx_read_file(make_classifier(), &data, &n, err));
  put("cut.bin", data, n - 1);
  must_fail(rmx__fasttext_open(in_folder("cut.bin"), &m, err), "ends too early");
  for (size_t size = 0; size < 4000; size += 37) {
    put("cut.bin", data, size);
    must_fail(rmx__fasttext_open(in_folder("cut.bin"), &m, err), "cut.bin");
  }
  put("text.bin", "not a model at all", 18);
  must_fail(rmx__fasttext_open(in_folder("text.bin"), &m, err), "not a classifier");
  data[36] = 2;  // a model of words
  put("words.bin", data, n);
  must_fail(rmx__fasttext_open(in_folder("words.bin"), &m, err), "a model of word vectors");
  free(data);
  folder_remove();
}
END_TEST

// ---- the files of an experiment

static void check_foreign(const char *wanted) {
  char *found;
  must(rmx__foreign_file(in_folder("exp/corpus"), &found, err));
  if (wanted)
    ck_assert_str_eq(found, in_folder(wanted));
  else
    ck_assert_msg(!found, "%s", found);
  free(found);
}

START_TEST(files_of_the_user_in_the_corpus) {
  static const char *const written[] = {"corpus.json",    "files.json",      "a/train.bin",
                                        "a/valid.bin",    "b/train.bin.tmp", "corpus.json.tmp",
                                        "tokenizer.json", "files.json.tmp",  "valid.bin",
                                        ".hidden",        "a/.hidden"};
  static const char *const foreign[] = {"notes.txt", "a/notes.txt", "atrain.bin", "a/my.valid.bin",
                                        "a/b/train.bin"};
  char name[64];
  folder_make();
  check_foreign(NULL);  // there is no folder
  for (size_t i = 0; i < sizeof written / sizeof *written; i++) {
    snprintf(name, sizeof name, "exp/corpus/%s", written[i]);
    put_text(name, "");
    check_foreign(NULL);
  }
  for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++) {
    snprintf(name, sizeof name, "exp/corpus/%s", foreign[i]);
    put_text(name, "");
    check_foreign(strcmp(foreign[i], "a/b/train.bin") ? name : "exp/corpus/a/b");
    ck_assert_int_eq(unlink(in_folder(name)), 0);
  }
  folder_remove();
}
END_TEST

START_TEST(files_that_an_experiment_writes) {
  static const struct {
    const char *name, *proof;  // NULL: it needs none
  } own[] = {{"corpus", "corpus/corpus.json"},
             {"runs", "mixtures.csv"},
             {"large", "mixtures.csv"},
             {"compare", "mixtures.csv"},
             {"fit", "fit/fit.json"},
             {"regmix.yaml", NULL},
             {"resolved.yaml", NULL},
             {"tokenizer.json", NULL},
             {"metrics.csv", NULL},
             {"metrics-half.csv", NULL},
             {"evaluations.csv", NULL},
             {"optimum.yaml", NULL},
             {"next.csv", NULL},
             {"report.html", NULL}};
  char path[64];
  folder_make();
  must(rmx_mkdirs(in_folder("exp"), err));
  ck_assert(!rmx__is_experiment(in_folder("exp")));
  for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
    const rmx__own before = own[i].proof ? RMX__OWN_NAMED : RMX__OWN_IS;
    ck_assert_int_eq(rmx__own_file(in_folder("exp"), own[i].name), before);
    if (!own[i].proof) continue;
    snprintf(path, sizeof path, "exp/%s", own[i].proof);
    put_text(path, "{}");
    ck_assert_int_eq(rmx__own_file(in_folder("exp"), own[i].name), RMX__OWN_IS);
    ck_assert_int_eq(unlink(in_folder(path)), 0);
  }
  ck_assert_int_eq(rmx__own_file(in_folder("exp"), "text"), RMX__OWN_NOT);
  ck_assert_int_eq(rmx__own_file(in_folder("exp"), "corpus.txt"), RMX__OWN_NOT);
  put_text("exp/corpus/corpus.json", "{}");
  ck_assert(rmx__is_experiment(in_folder("exp")));
  put_text("yaml/regmix.yaml", "");
  ck_assert(rmx__is_experiment(in_folder("yaml")));
  folder_remove();
}
END_TEST

static void add_tests(TCase *tc) {
  tcase_add_test(tc, files_of_the_user_in_the_corpus);
  tcase_add_test(tc, files_that_an_experiment_writes);
  tcase_add_test(tc, a_classifier_is_trained_and_read);
  tcase_add_test(tc, the_same_classifier_twice);
  tcase_add_test(tc, by_a_classifier);
  tcase_add_test(tc, damaged_classifiers);
  tcase_add_test(tc, values_select_names);
  tcase_add_test(tc, hosts_of_addresses);
  tcase_add_test(tc, registered_domains);
  tcase_add_test(tc, frequent_names_in_bounded_memory);
  tcase_add_test(tc, values_become_names);
  tcase_add_test(tc, by_a_field);
  tcase_add_test(tc, hierarchies);
  tcase_add_test(tc, given_hosts);
  tcase_add_test(tc, largest_hosts);
  tcase_add_test(tc, selected_values);
  tcase_add_test(tc, columns_are_suggested);
  tcase_add_test(tc, fields_of_the_first_documents);
  tcase_add_test(tc, as_many_domains_as_are_allowed);
  tcase_add_test(tc, fields_that_cannot_be_understood);
}
