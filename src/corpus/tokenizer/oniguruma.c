// SPDX-License-Identifier: Apache-2.0
// The same text is another pattern in Oniguruma and in PCRE2:
//
//   construct          Oniguruma (Ruby)                      PCRE2
//   [a&&b] [a[b]]      intersection, nested classes          the characters & and [
//   \h \v \O           hex digit, vertical tab, any          blanks, line ends, an error
//   ^ $                at every line                         at the ends of the text
//   \s \w \b           other characters                      U+180E is \s; marks are not \w
//   \p{Han} \p{^L}     script; not L                         script extensions; not L
//   [[:alpha:]]        letters, marks of letters             letters
//   (?m) a(?i)b|c      dot matches a line feed; a(?i:b|c)    lines; a(?i:b)|(?i:c)
//   a{2}+ a{2}? a{,2}  (a{2})+ (a{2})? a{0,2}                possessive, lazy, text
//   (?i:ss)            also U+00DF                           not
//
// Each construct is read by its meaning in Oniguruma and written by that in PCRE2. What is not in
// the tables below is refused: a pattern is never read differently in silence.
#include "oniguruma.h"

#include <ctype.h>
#include <string.h>

#include "characters.h"
#include "corpus/newer_characters.h"

enum { MAX_DEPTH = 60 };

#define SPACES \
  "\\t-\\r "   \
  "\\x{85}\\x{A0}\\x{1680}\\x{2000}-\\x{200A}\\x{2028}\\x{2029}\\x{202F}\\x{205F}\\x{3000}"
#define HEX "0-9a-fA-F"

struct group {
  size_t start;   // where its "(" is in the output
  int extra;      // groups that "(?i)" has opened in it
  bool caseless;  // outside
};

struct translating {
  const char *regex, *p, *where;
  rmx_buf *out;
  rmx_err *err;
  struct group groups[MAX_DEPTH];
  int depth;
  bool caseless;
  size_t atom;  // where the last atom starts in the output; SIZE_MAX: there is none
  char letter;  // the last atom is this letter, in a caseless group; or 0
};

static rmx_status refuse(struct translating *t, const char *what) {
  return rmx_fail(t->err, RMX_EINPUT, "%s: pattern \"%.200s\": at byte %zu: %s", t->where, t->regex,
                  (size_t)(t->p - t->regex), what);
}

static void put(struct translating *t, const char *text) {
  rmx_buf_puts(t->out, text);
}

static void put_atom(struct translating *t, const char *text) {
  t->atom = t->out->size;
  t->letter = 0;
  put(t, text);
}

static void put_code(rmx_buf *out, int32_t code) {
  if (code < 128 && isalnum((int)code))
    rmx_buf_printf(out, "%c", (char)code);
  else
    rmx_buf_printf(out, "\\x{%X}", (unsigned)code);
}

// ---- what a backslash means ----------------------------------------------------------------

// A set of characters in PCRE2's brackets. PCRE2 may be older than Unicode 16, which Oniguruma has:
// `newer` says which of the newer characters belong to the set, by the starts of their categories.
// "+A" are those of MORE_ALPHABETIC, and so on.
struct property {
  const char *name, *set, *newer;
};
enum { SET_BYTES = 4096 };
struct set {
  char text[SET_BYTES];  // of the brackets; empty: there is no set
  bool negated;          // it is the other characters
};

#define MORE_ALPHABETIC                                                                          \
  "\\x{363}-\\x{36F}\\x{897}\\x{C04}\\x{CF3}\\x{F82}\\x{F83}\\x{1DD3}-\\x{1DE6}\\x{10D69}"       \
  "\\x{10EFC}\\x{11080}\\x{11081}\\x{11241}\\x{113B8}-\\x{113C0}\\x{113C2}\\x{113C5}"            \
  "\\x{113C7}-\\x{113CA}\\x{113CC}\\x{113CD}\\x{11F00}\\x{11F01}\\x{11F03}\\x{11F34}-\\x{11F3A}" \
  "\\x{11F3E}-\\x{11F40}\\x{1611E}-\\x{1612E}\\x{1E08F}"
#define MORE_LOWERCASE "\\x{10FC}\\x{A7F2}-\\x{A7F4}\\x{AB69}\\x{1E030}-\\x{1E06D}"
#define MORE_EMOJI                                                                               \
  "\\x{1F6DC}\\x{1FA75}-\\x{1FA77}\\x{1FA87}-\\x{1FA89}\\x{1FA8F}\\x{1FAAD}-\\x{1FAAF}"          \
  "\\x{1FABB}-\\x{1FABF}\\x{1FAC6}\\x{1FACE}\\x{1FACF}\\x{1FADA}-\\x{1FADC}\\x{1FADF}\\x{1FAE8}" \
  "\\x{1FAE9}\\x{1FAF7}\\x{1FAF8}"

#define ALPHABETIC "\\p{Alphabetic}", "L +A"
#define WORD "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}", "L M Nd Pc +A"

// Names of \p{...}, in small letters without spaces, "_" and "-", that are neither categories nor
// scripts. A "^" before the set: it is the other characters.
static const struct property properties[] = {{"any", "\\x{0}-\\x{10FFFF}", ""},
                                             {"alpha", ALPHABETIC},
                                             {"alphabetic", ALPHABETIC},
                                             {"upper", "\\p{Uppercase}", "Lu"},
                                             {"uppercase", "\\p{Uppercase}", "Lu"},
                                             {"lower", "\\p{Lowercase}", "Ll +L"},
                                             {"lowercase", "\\p{Lowercase}", "Ll +L"},
                                             {"digit", "\\p{Nd}", "Nd"},
                                             {"space", SPACES, ""},
                                             {"whitespace", SPACES, ""},
                                             {"word", WORD " +W"},
                                             {"punct", "\\p{P}", "P"},
                                             {"alnum", "\\p{Alphabetic}\\p{Nd}", "L Nd +A"},
                                             {"xdigit", HEX, ""},
                                             {"blank", "\\t\\p{Zs}", ""},
                                             {"cntrl", "\\p{Cc}", ""},
                                             {"emoji", "\\p{Emoji}", "+E"},
                                             {"ascii", "\\x{0}-\\x{7F}", ""},
                                             {"letter", "\\p{L}", "L"},
                                             {"uppercaseletter", "\\p{Lu}", "Lu"},
                                             {"lowercaseletter", "\\p{Ll}", "Ll"},
                                             {"titlecaseletter", "\\p{Lt}", ""},
                                             {"modifierletter", "\\p{Lm}", "Lm"},
                                             {"otherletter", "\\p{Lo}", "Lo"},
                                             {"mark", "\\p{M}", "M"},
                                             {"nonspacingmark", "\\p{Mn}", "Mn"},
                                             {"spacingmark", "\\p{Mc}", "Mc"},
                                             {"enclosingmark", "\\p{Me}", ""},
                                             {"number", "\\p{N}", "N"},
                                             {"decimalnumber", "\\p{Nd}", "Nd"},
                                             {"letternumber", "\\p{Nl}", ""},
                                             {"othernumber", "\\p{No}", "No"},
                                             {"punctuation", "\\p{P}", "P"},
                                             {"symbol", "\\p{S}", "S"},
                                             {"separator", "\\p{Z}", ""},
                                             {"spaceseparator", "\\p{Zs}", ""},
                                             {"control", "\\p{Cc}", ""},
                                             {"format", "\\p{Cf}", "Cf"},
                                             {"c", "^\\P{C}", "L M N P S"},
                                             {"other", "^\\P{C}", "L M N P S"},
                                             {"cn", "^\\P{Cn}", "L M N P S Cf"},
                                             {"unassigned", "^\\P{Cn}", "L M N P S Cf"},
                                             {"assigned", "\\P{Cn}", "L M N P S Cf"}};
static const char *const categories[] = {"cc", "cf", "co", "l",  "ll", "lm", "lo", "lt", "lu",
                                         "m",  "mc", "me", "mn", "n",  "nd", "nl", "no", "p",
                                         "pc", "pd", "pe", "pf", "pi", "po", "ps", "s",  "sc",
                                         "sk", "sm", "so", "z",  "zl", "zp", "zs"};
// [[:name:]] that is not \p{name}: symbols count, and \w has some more numbers.
static const struct property brackets[] = {{"punct", "\\p{P}\\p{S}", "P S"}, {"word", WORD}};
static const char *const bracket_names[] = {"alpha", "upper", "lower",  "digit", "space", "word",
                                            "punct", "alnum", "xdigit", "blank", "cntrl", "ascii"};
// What scripts have in Unicode 16 and not in 14.
static const char *const scripts[][2] = {
    // clang-format off
    {"arabic", "\\x{897}\\x{10EC2}-\\x{10EC4}\\x{10EFC}-\\x{10EFF}"},
    {"balinese", "\\x{1B4E}-\\x{1B4F}\\x{1B7F}"},
    {"common",
     "\\x{2427}-\\x{2429}\\x{2FFC}-\\x{2FFF}\\x{31E4}-\\x{31E5}\\x{31EF}\\x{1CC00}-\\x{1CCF9}"
     "\\x{1CD00}-\\x{1CEB3}\\x{1D2C0}-\\x{1D2D3}\\x{1F6DC}\\x{1F774}-\\x{1F776}\\x{1F77B}-"
     "\\x{1F77F}\\x{1F7D9}\\x{1F8B2}-\\x{1F8BB}\\x{1F8C0}-\\x{1F8C1}\\x{1FA75}-\\x{1FA77}"
     "\\x{1FA87}-\\x{1FA89}\\x{1FA8F}\\x{1FAAD}-\\x{1FAAF}\\x{1FABB}-\\x{1FABF}\\x{1FAC6}"
     "\\x{1FACE}-\\x{1FACF}\\x{1FADA}-\\x{1FADC}\\x{1FADF}\\x{1FAE8}-\\x{1FAE9}\\x{1FAF7}-"
     "\\x{1FAF8}\\x{1FBCB}-\\x{1FBEF}"},
    {"cyrillic", "\\x{1C89}-\\x{1C8A}\\x{1E030}-\\x{1E06D}\\x{1E08F}"},
    {"devanagari", "\\x{11B00}-\\x{11B09}"},
    {"egyptianhieroglyphs", "\\x{1342F}\\x{13439}-\\x{13455}\\x{13460}-\\x{143FA}"},
    {"han", "\\x{2B739}\\x{2EBF0}-\\x{2EE5D}\\x{31350}-\\x{323AF}"},
    {"hiragana", "\\x{1B132}"},
    {"kannada", "\\x{CF3}"},
    {"katakana", "\\x{1B155}"},
    {"khitansmallscript", "\\x{18CFF}"},
    {"khojki", "\\x{1123F}-\\x{11241}"},
    {"lao", "\\x{ECE}"},
    {"latin", "\\x{A7CB}-\\x{A7CD}\\x{A7DA}-\\x{A7DC}\\x{1DF25}-\\x{1DF2A}"},
    {"myanmar", "\\x{116D0}-\\x{116E3}"},
    // clang-format on
};

static bool is_one_of(const char *name, const char *const *list, size_t n) {
  for (size_t i = 0; i < n; i++)
    if (strcmp(name, list[i]) == 0) return true;
  return false;
}

static const struct property *property_named(const struct property *list, size_t n,
                                             const char *name) {
  for (size_t i = 0; i < n; i++)
    if (strcmp(name, list[i].name) == 0) return &list[i];
  return NULL;
}

// Appends the newer characters of a category, or other characters by a name.
static size_t put_newer(const char *name, size_t size, char *out, size_t room) {
  static const char *const more[][2] = {{"+A", MORE_ALPHABETIC},
                                        {"+L", MORE_LOWERCASE},
                                        {"+E", MORE_EMOJI},
                                        {"+W", "\\x{B2}\\x{B3}\\x{B9}\\x{BC}-\\x{BE}"}};
  for (size_t i = 0; i < sizeof more / sizeof *more; i++)
    if (strncmp(name, more[i][0], 2) == 0) return (size_t)snprintf(out, room, "%s", more[i][1]);
  size_t n = 0;
  for (size_t i = 0; i < rmx__newer_ranges_n && n < room; i++) {
    const rmx__newer_range *r = &rmx__newer_ranges[i];
    if (strncmp(r->category, name, size) != 0) continue;
    n += (size_t)snprintf(out + n, room - n, r->first == r->last ? "\\x{%X}" : "\\x{%X}-\\x{%X}",
                          (unsigned)r->first, (unsigned)r->last);
  }
  return n;
}

static void put_set(const struct property *p, struct set *out) {
  out->negated = p->set[0] == '^';
  size_t n = (size_t)snprintf(out->text, SET_BYTES, "%s", p->set + out->negated);
  for (const char *name = p->newer; *name && n < SET_BYTES;) {
    const size_t size = strcspn(name, " ");
    n += put_newer(name, size, out->text + n, SET_BYTES - n);
    name += size + (name[size] == ' ');
  }
}

static void put_script(const char *name, struct set *out) {
  const char *more = "";
  for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++)
    if (strcmp(name, scripts[i][0]) == 0) more = scripts[i][1];
  snprintf(out->text, SET_BYTES, "\\p{sc:%s}%s", name, more);  // PCRE2 refuses other names
}

// The set of \p{NAME}, whose name is at t->p.
static rmx_status read_property(struct translating *t, struct set *out) {
  char name[40], set[8];
  size_t n = 0;
  if (*t->p != '{') return refuse(t, "\\p without { is not supported");
  t->p++;
  const bool negated = *t->p == '^';
  if (negated) t->p++;
  for (; isalnum((unsigned char)*t->p) || (*t->p && strchr(" _-", *t->p)); t->p++)
    if (isalnum((unsigned char)*t->p) && n + 1 < sizeof name)
      name[n++] = (char)tolower((unsigned char)*t->p);
  name[n] = '\0';
  if (*t->p != '}' || !n) return refuse(t, "a name and } were expected");
  t->p++;
  const struct property *known =
      property_named(properties, sizeof properties / sizeof *properties, name);
  const bool category = is_one_of(name, categories, sizeof categories / sizeof *categories);
  if (t->caseless && (strchr("lu", name[0]) || (known && name[0] != 'c')) && strcmp(name, "l") != 0)
    return refuse(t, "a property of letters in a group that ignores case is not supported");
  out->negated = false;
  if (known) {
    put_set(known, out);
  } else if (category) {
    name[0] = (char)toupper((unsigned char)name[0]);
    snprintf(set, sizeof set, "\\p{%.2s}", name);
    put_set(&(struct property){name, set, name}, out);
  } else {
    put_script(name, out);
  }
  out->negated = out->negated != negated;
  return RMX_OK;
}

static rmx_status read_hex(struct translating *t, int most, int32_t *code) {
  int n = 0;
  *code = 0;
  for (; n < most && isxdigit((unsigned char)*t->p); n++, t->p++) {
    int digit = isdigit((unsigned char)*t->p) ? *t->p - '0' : (*t->p | 32) - 'a' + 10;
    *code = 16 * *code + digit;
  }
  return n ? RMX_OK : refuse(t, "hexadecimal digits were expected");
}

// A character that is written with a backslash; t->p is behind it. *code is -1 if it is none.
static rmx_status read_escaped(struct translating *t, bool in_class, int32_t *code) {
  static const char names[] = "tnrfvae", values[] = "\t\n\r\f\v\a\x1B";
  const char *at = *t->p ? strchr(names, *t->p) : NULL;
  *code = -1;
  if (at || (in_class && *t->p == 'b')) {
    *code = at ? values[at - names] : '\b';
    t->p++;
  } else if (*t->p == 'u') {
    t->p++;
    return read_hex(t, 4, code);
  } else if (*t->p == 'x' && t->p[1] == '{') {
    t->p += 2;
    RMX_TRY(read_hex(t, 6, code));
    if (*t->p != '}') return refuse(t, "} was expected");
    t->p++;
  } else if (*t->p == 'x') {
    t->p++;
    RMX_TRY(read_hex(t, 2, code));
    if (*code > 127) return refuse(t, "\\x of a part of a character is not supported");
  } else if (*t->p && !isalnum((unsigned char)*t->p)) {
    t->p += rmx__character(t->p, t->p + strlen(t->p), code);
  }
  if (*code > 0x10FFFF || (*code >= 0xD800 && *code <= 0xDFFF))
    return refuse(t, "this is not a character");
  return RMX_OK;
}

// A set of characters that is written with a backslash, such as \s; t->p is behind it. Its text is
// empty if it is none.
static rmx_status read_set(struct translating *t, struct set *out) {
  static const struct property sets[] = {
      {"s", SPACES, ""}, {"d", "\\p{Nd}", "Nd"}, {"w", WORD " +W"}, {"h", HEX, ""}};
  out->text[0] = '\0';
  const char c = *t->p;
  if (c == 'p' || c == 'P') {
    t->p++;
    RMX_TRY(read_property(t, out));
    out->negated = out->negated != (c == 'P');
    return RMX_OK;
  }
  for (size_t i = 0; c && i < sizeof sets / sizeof *sets; i++) {
    if (tolower((unsigned char)c) != sets[i].name[0]) continue;
    put_set(&sets[i], out);
    out->negated = isupper((unsigned char)c);
    t->p++;
    break;
  }
  return RMX_OK;
}

// ---- classes -------------------------------------------------------------------------------

// A class is a union of simple items, which PCRE2 can have in brackets, and of others, which are
// patterns of one character. An intersection looks ahead at all its parts but the last.
struct class {
  rmx_buf simple, others;
};

static void add_other(struct class *c, const char *pattern) {
  rmx_buf_printf(&c->others, "%s%s", c->others.size ? "|" : "", pattern);
}

static void add_set(struct class *c, const struct set *set) {
  if (set->negated)
    rmx_buf_printf(&c->others, "%s[^%s]", c->others.size ? "|" : "", set->text);
  else
    rmx_buf_puts(&c->simple, set->text);
}

static void class_release(struct class *c) {
  rmx_buf_release(&c->simple);
  rmx_buf_release(&c->others);
}

// Appends a pattern of one character for a class.
static void put_class(const struct class *c, rmx_buf *out) {
  if (!c->others.size) {
    rmx_buf_printf(out, "[%s]", c->simple.size ? c->simple.data : "");
  } else {
    rmx_buf_puts(out, "(?:");
    if (c->simple.size) rmx_buf_printf(out, "[%s]|", c->simple.data);
    rmx_buf_printf(out, "%s)", c->others.data);
  }
  out->failed = out->failed || c->simple.failed || c->others.failed;
}

static rmx_status read_class(struct translating *t, int depth, rmx_buf *out);

static rmx_status read_bracket(struct translating *t, struct class *c) {
  char name[16];
  size_t n = 0;
  t->p += 2;
  bool negated = *t->p == '^';
  if (negated) t->p++;
  for (; isalpha((unsigned char)*t->p) && n + 1 < sizeof name; t->p++) name[n++] = *t->p;
  name[n] = '\0';
  const struct property *p = property_named(brackets, sizeof brackets / sizeof *brackets, name);
  if (!p) p = property_named(properties, sizeof properties / sizeof *properties, name);
  if (strncmp(t->p, ":]", 2) != 0 || !p ||
      !is_one_of(name, bracket_names, sizeof bracket_names / sizeof *bracket_names))
    return refuse(t, "this POSIX bracket is not supported");
  if (t->caseless)
    return refuse(t, "a POSIX bracket in a group that ignores case is not supported");
  t->p += 2;
  struct set set;
  put_set(p, &set);
  set.negated = negated;
  add_set(c, &set);
  return RMX_OK;
}

// One character of a class. *code is -1: it was a set, which is in the class already.
static rmx_status read_class_character(struct translating *t, struct class *c, int32_t *code) {
  *code = -1;
  if (*t->p != '\\') {
    t->p += rmx__character(t->p, t->p + strlen(t->p), code);
  } else {
    struct set set;
    t->p++;
    RMX_TRY(read_set(t, &set));
    if (set.text[0]) {
      add_set(c, &set);
      return RMX_OK;
    }
    RMX_TRY(read_escaped(t, true, code));
    if (*code < 0) return refuse(t, "this escape in a class is not supported");
  }
  if (t->caseless && *code > 127)
    return refuse(t, "a letter that is not ASCII in a group that ignores case is not supported");
  return RMX_OK;
}

static rmx_status read_class_item(struct translating *t, int depth, struct class *c) {
  if (*t->p == '[' && t->p[1] == ':') return read_bracket(t, c);
  if (*t->p == '[') {
    rmx_buf inner = {0};
    rmx_status status = read_class(t, depth + 1, &inner);
    if (status == RMX_OK && !inner.failed) add_other(c, inner.data);
    c->simple.failed = c->simple.failed || inner.failed;
    rmx_buf_release(&inner);
    return status;
  }
  int32_t from, to;
  RMX_TRY(read_class_character(t, c, &from));
  bool range = *t->p == '-' && t->p[1] && t->p[1] != ']';
  if (from < 0 && range) return refuse(t, "a set cannot be the start of a range");
  if (from < 0) return RMX_OK;
  put_code(&c->simple, from);
  if (!range) return RMX_OK;
  t->p++;
  if (*t->p == '[' || (*t->p == '&' && t->p[1] == '&'))
    return refuse(t, "this end of a range is not supported");
  RMX_TRY(read_class_character(t, c, &to));
  if (to < from) return refuse(t, "the end of a range is before its start, or a set");
  rmx_buf_puts(&c->simple, "-");
  put_code(&c->simple, to);
  return RMX_OK;
}

// The items up to "]" or "&&".
static rmx_status read_union(struct translating *t, int depth, bool first, struct class *c) {
  if (first && *t->p == ']') {
    put_code(&c->simple, ']');
    t->p++;
  }
  while (*t->p != ']' && !(*t->p == '&' && t->p[1] == '&')) {
    if (!*t->p) return refuse(t, "] is missing");
    RMX_TRY(read_class_item(t, depth, c));
  }
  if (!c->simple.size && !c->others.size) return refuse(t, "an empty class is not supported");
  return RMX_OK;
}

// Reads a class and appends a pattern of one character.
static rmx_status read_class(struct translating *t, int depth, rmx_buf *out) {
  if (depth > 8) return refuse(t, "classes are nested more than 8 times");
  bool negated = t->p[1] == '^', first = true, more = true;
  rmx_buf all = {0};
  rmx_status status = RMX_OK;
  size_t parts = 0;
  struct class last = {0};
  t->p += 1 + negated;
  for (; more && status == RMX_OK; first = false) {
    class_release(&last);
    status = read_union(t, depth, first, &last);
    more = status == RMX_OK && *t->p == '&';
    if (more) {
      rmx_buf_puts(&all, "(?=");
      put_class(&last, &all);
      rmx_buf_puts(&all, ")");
      parts++;
      t->p += 2;
    }
  }
  if (status == RMX_OK) {
    t->p++;
    if (!parts && !last.others.size) {
      rmx_buf_printf(out, "[%s%s]", negated ? "^" : "", last.simple.data);
    } else {
      rmx_buf_printf(out, "(?:%s%s", negated ? "(?!" : "", all.size ? all.data : "");
      put_class(&last, out);
      rmx_buf_puts(out, negated ? ")(?s:.))" : ")");
    }
    out->failed = out->failed || all.failed || last.simple.failed || last.others.failed;
  }
  class_release(&last);
  rmx_buf_release(&all);
  return status;
}

// ---- atoms ------------------------------------------------------------------------------------

// Letters that are together one character in another case: U+00DF, ligatures.
static bool folds_together(char a, char b) {
  static const char *const pairs[] = {"ss", "ff", "fi", "fl", "st"};
  for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
    if (a == pairs[i][0] && b == pairs[i][1]) return true;
  return false;
}

static rmx_status put_character(struct translating *t, int32_t code) {
  char before = t->atom != SIZE_MAX ? t->letter : 0;
  char letter = code < 128 && isalpha((int)code) ? (char)tolower((int)code) : 0;
  if (t->caseless && code > 127)
    return refuse(t, "a letter that is not ASCII in a group that ignores case is not supported");
  if (t->caseless && before && folds_together(before, letter))
    return refuse(t,
                  "ss, ff, fi, fl and st in a group that ignores case match more characters in "
                  "Oniguruma; this is not supported");
  t->atom = t->out->size;
  put_code(t->out, code);
  t->letter = letter;
  return RMX_OK;
}

// \b: a character of a word on one side only; \B: on both sides, or on none.
static void put_word_end(struct translating *t, bool end) {
  struct set w;
  put_set(&(struct property){"w", WORD " +W"}, &w);
  put_atom(t, "(?:");
  rmx_buf_printf(t->out, "(?<=[%s])(?%c[%s])|(?<![%s])(?%c[%s]))", w.text, end ? '!' : '=', w.text,
                 w.text, end ? '=' : '!', w.text);
}

static rmx_status read_backslash(struct translating *t) {
  static const char *const others[][2] = {{"A", "\\A"}, {"z", "\\z"}, {"Z", "\\Z"},
                                          {"R", "\\R"}, {"N", "\\N"}, {"O", "(?s:.)"}};
  struct set set;
  int32_t code;
  t->p++;
  for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
    if (*t->p != others[i][0][0]) continue;
    put_atom(t, others[i][1]);
    t->p++;
    return RMX_OK;
  }
  if (*t->p == 'b' || *t->p == 'B') {
    put_word_end(t, *t->p == 'b');
    t->p++;
    return RMX_OK;
  }
  RMX_TRY(read_set(t, &set));
  if (set.text[0]) {
    put_atom(t, "[");
    rmx_buf_printf(t->out, "%s%s]", set.negated ? "^" : "", set.text);
    return RMX_OK;
  }
  RMX_TRY(read_escaped(t, false, &code));
  if (code < 0) return refuse(t, "this escape is not supported");
  return put_character(t, code);
}

// ---- groups ----------------------------------------------------------------------------------

// "(?im-i:" or "(?i)"; t->p is behind "(?".
static rmx_status read_options(struct translating *t) {
  bool on = true, caseless = t->caseless;
  char options[8] = "";
  for (; *t->p == 'i' || *t->p == 'm' || *t->p == '-'; t->p++) {
    if (strlen(options) + 2 > sizeof options) return refuse(t, "too many options");
    if (*t->p == 'i') caseless = on;
    if (*t->p == '-') on = false;
    options[strlen(options)] = *t->p == 'm' ? 's' : *t->p;
  }
  if (*t->p != ':' && *t->p != ')') return refuse(t, "this kind of group is not supported");
  if (*t->p == ':') {
    t->groups[t->depth++] = (struct group){t->out->size, 0, t->caseless};
  } else if (t->depth) {
    t->groups[t->depth - 1].extra++;  // "a(?i)b|c" is "a(?i:b|c)"
  }
  rmx_buf_printf(t->out, "(?%s:", options);
  t->caseless = caseless;
  t->p++;
  return RMX_OK;
}

static rmx_status read_group(struct translating *t) {
  static const char *const kinds[] = {"(?:", "(?=", "(?!", "(?<=", "(?<!", "(?>"};
  t->atom = SIZE_MAX;
  if (t->depth == MAX_DEPTH) return refuse(t, "groups are nested more than 60 times");
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
    size_t n = strlen(kinds[i]);
    if (strncmp(t->p, kinds[i], n) != 0) continue;
    t->groups[t->depth++] = (struct group){t->out->size, 0, t->caseless};
    put(t, kinds[i]);
    t->p += n;
    return RMX_OK;
  }
  if (t->p[1] == '*') return refuse(t, "this kind of group is not supported");
  if (t->p[1] != '?') {
    t->groups[t->depth++] = (struct group){t->out->size, 0, t->caseless};
    put(t, "(?:");
    t->p++;
    return RMX_OK;
  }
  if (t->p[2] == '#') {
    const char *end = strchr(t->p, ')');
    if (!end) return refuse(t, ") is missing");
    t->p = end + 1;
    return RMX_OK;
  }
  if (t->p[2] == '<') {  // a name has no use without references, which are refused
    const char *end = strchr(t->p, '>');
    if (!end || !isalpha((unsigned char)t->p[3])) return refuse(t, "a name and > were expected");
    t->groups[t->depth++] = (struct group){t->out->size, 0, t->caseless};
    put(t, "(?:");
    t->p = end + 1;
    return RMX_OK;
  }
  t->p += 2;
  return read_options(t);
}

static rmx_status end_group(struct translating *t) {
  if (!t->depth) return refuse(t, "( is missing");
  struct group *g = &t->groups[--t->depth];
  for (int i = 0; i <= g->extra; i++) put(t, ")");
  t->caseless = g->caseless;
  t->atom = g->start;
  t->letter = 0;
  t->p++;
  return RMX_OK;
}

// ---- quantifiers ------------------------------------------------------------------------------

// Puts the last atom into a group.
static void wrap(struct translating *t) {
  rmx_buf atom = {0};
  rmx_buf_add(&atom, t->out->data + t->atom, t->out->size - t->atom);
  t->out->size = t->atom;
  rmx_buf_printf(t->out, "(?:%s)", atom.failed ? "" : atom.data);
  t->out->failed = t->out->failed || atom.failed;
  rmx_buf_release(&atom);
}

// "{2}", "{2,}", "{2,3}", "{,3}" at t->p. False: it is the character "{".
static bool read_interval(struct translating *t, char text[32], const char **end) {
  const char *p = t->p + 1;
  int from = 0, to = 0;
  bool has_from = isdigit((unsigned char)*p), comma, has_to;
  for (; isdigit((unsigned char)*p) && from < 100000; p++) from = 10 * from + (*p - '0');
  comma = *p == ',';
  if (comma) p++;
  has_to = comma && isdigit((unsigned char)*p);
  for (; has_to && isdigit((unsigned char)*p) && to < 100000; p++) to = 10 * to + (*p - '0');
  if (*p != '}' || (!has_from && !has_to)) return false;
  if (!comma)
    snprintf(text, 32, "{%d}", from);
  else if (has_to)
    snprintf(text, 32, "{%d,%d}", from, to);
  else
    snprintf(text, 32, "{%d,}", from);
  *end = p + 1;
  return true;
}

static rmx_status read_quantifier(struct translating *t) {
  char text[32] = {*t->p};
  const char *end = t->p + 1;
  bool interval = *t->p == '{';
  if (interval && !read_interval(t, text, &end)) return t->p++, put_character(t, '{');
  if (t->atom == SIZE_MAX) return refuse(t, "there is nothing to repeat");
  put(t, text);
  t->p = end;
  t->letter = 0;
  if (*t->p != '?' && *t->p != '+') return RMX_OK;
  // After an interval, "+" repeats again, and so does "?" after "{2}".
  bool again = interval && (*t->p == '+' || !strchr(text, ','));
  if (again) wrap(t);
  char next[2] = {*t->p++};
  put(t, next);
  return RMX_OK;
}

// ---- all of it ----------------------------------------------------------------------

static rmx_status read_one(struct translating *t) {
  switch (*t->p) {
    case '\\':
      return read_backslash(t);
    case '[':
      t->atom = t->out->size;
      t->letter = 0;
      return read_class(t, 0, t->out);
    case '(':
      return read_group(t);
    case ')':
      return end_group(t);
    case '*':
    case '+':
    case '?':
    case '{':
      return read_quantifier(t);
    case '|':
      put(t, "|");
      t->atom = SIZE_MAX;
      return t->p++, RMX_OK;
    case '.':
      put_atom(t, ".");
      return t->p++, RMX_OK;
    case '^':
      put_atom(t, "(?m:^)");
      return t->p++, RMX_OK;
    case '$':
      put_atom(t, "(?m:$)");
      return t->p++, RMX_OK;
    default: {
      int32_t code;
      t->p += rmx__character(t->p, t->p + strlen(t->p), &code);
      return put_character(t, code);
    }
  }
}

rmx_status rmx__oniguruma_translate(const char *regex, const char *where, rmx_buf *out,
                                    rmx_err *err) {
  struct translating t = {
      .regex = regex, .p = regex, .where = where, .out = out, .err = err, .atom = SIZE_MAX};
  // The whole pattern is a group, which "(?i)" can have opened groups in.
  t.groups[t.depth++] = (struct group){0, 0, false};
  rmx_buf_puts(out, "");
  while (*t.p) {
    if (*t.p == ')' && t.depth == 1) return refuse(&t, "( is missing");
    RMX_TRY(read_one(&t));
  }
  if (t.depth > 1) return refuse(&t, ") is missing");
  for (int i = 0; i < t.groups[0].extra; i++) put(&t, ")");
  return out->failed ? rmx_fail_memory(err, out->size, "a pattern") : RMX_OK;
}
