// SPDX-License-Identifier: Apache-2.0
// Text with a line that ends each document (.txt), and files of text that are one document each.
#include <string.h>
#include <strings.h>

#include "format.h"

static bool is_separator(const char *separator, const char *line, size_t size) {
  if (size && line[size - 1] == '\r') size--;
  if (!*separator) return rmx__is_blank(line, size);
  return strlen(separator) == size && memcmp(line, separator, size) == 0;
}

// Counts lines which suggest that the separator is wrong.
static void look_at_line(rmx__reader *r, const char *line, size_t size) {
  static const char *const ends[] = {"<|endoftext|>", "<|end_of_text|>", "</s>", "<eos>",
                                     "<|im_end|>"};
  if (size && line[size - 1] == '\r') size--;
  if (size == 0) return;
  if (line[0] == '%') {
    r->comment_lines += size > 1 && r->o.separator[0] == '%' && !r->o.separator[1];
    return;
  }
  for (size_t i = 0; line[0] == '<' && i < sizeof ends / sizeof *ends; i++)
    if (strlen(ends[i]) == size && memcmp(line, ends[i], size) == 0) r->end_tokens++;
}

static const char *separator_of(const rmx__reader *r) {
  if (r->format->flags & RMX__FORMAT_TEXT) return r->o.separator;
  return r->o.file_separator ? r->o.file_separator : "none";
}

static rmx_status next_text(rmx__reader *r, bool *more, rmx_err *err) {
  const char *separator = separator_of(r);
  const bool whole = strcmp(separator, "none") == 0;
  rmx__line line;
  *more = false;
  for (bool first = true, another;; first = false) {
    RMX_TRY(rmx__input_line(&r->input, r->o.max_document, &line, &another, err));
    r->document = whole;
    if (!another) return RMX_OK;
    *more = true;
    r->line_number++;
    if (!whole && !line.cut && is_separator(separator, line.data, line.size)) {
      r->separators++;
      r->document = *separator && r->line_number > 1;  // blank lines may follow one another
      return RMX_OK;
    }
    if (r->format->flags & RMX__FORMAT_TEXT) look_at_line(r, line.data, line.size);
    if (line.cut || (r->o.max_document && r->text.size + line.size + !first > r->o.max_document))
      return rmx__too_long(r, "a document", err);
    if (!first) rmx_buf_puts(&r->text, "\n");
    rmx_buf_add(&r->text, line.data, line.size);
    if (r->text.failed) return rmx_fail_memory(err, r->text.size, r->path);
  }
}

static const char *const text_endings[] = {".txt", NULL};
const rmx__format rmx__format_text = {
    .endings = text_endings,
    .next = next_text,
    .flags = RMX__FORMAT_TEXT | RMX__FORMAT_GUESS,
};

// Prose with markup, which stays as it is, and source code.
// clang-format off
static const char *const file_endings[] = {
    ".text", ".md", ".markdown", ".rst", ".tex", ".latex", ".html", ".htm", ".xhtml", ".org",
    ".adoc", ".asciidoc", ".textile", ".wiki", ".pod", ".texi",
    ".c", ".h", ".cc", ".cpp", ".cxx", ".c++", ".hh", ".hpp", ".hxx", ".inl", ".ipp", ".cu", ".cuh",
    ".cl", ".cs", ".java", ".kt", ".kts", ".scala", ".groovy", ".gradle", ".clj", ".cljs", ".py",
    ".pyi", ".pyx", ".rb", ".pl", ".pm", ".php", ".js", ".mjs", ".cjs", ".jsx", ".ts", ".mts",
    ".tsx", ".vue", ".svelte", ".css", ".scss", ".sass", ".less", ".go", ".rs", ".swift", ".m",
    ".mm", ".r", ".jl", ".lua", ".sh", ".bash", ".zsh", ".fish", ".ksh", ".ps1", ".bat", ".awk",
    ".sed", ".sql", ".hs", ".lhs", ".ml", ".mli", ".fs", ".fsi", ".fsx", ".erl", ".hrl", ".ex",
    ".exs", ".el", ".lisp", ".lsp", ".scm", ".ss", ".rkt", ".f", ".for", ".f77", ".f90", ".f95",
    ".f03", ".f08", ".pas", ".pp", ".dpr", ".ada", ".adb", ".ads", ".d", ".nim", ".zig", ".cr",
    ".dart", ".v", ".vh", ".sv", ".svh", ".vhd", ".vhdl", ".asm", ".s", ".vb", ".bas", ".cob",
    ".cbl", ".tcl", ".mk", ".cmake", ".proto", ".thrift", ".idl", ".lean", ".agda", ".thy", ".mm0",
    ".sol", ".vy", ".hx", ".coffee", ".elm", ".purs", ".pro", ".prolog", ".st", ".glsl", ".hlsl",
    ".metal", ".wgsl", ".gd", ".tla", ".y", ".yy", ".l", ".g4", ".nix", ".tf", ".raku", ".p6",
    ".forth", ".4th", ".apl", ".bf", ".do", ".ado", ".sas", ".stan", ".bib", NULL};
// clang-format on
const rmx__format rmx__format_file = {
    .endings = file_endings,
    .next = next_text,
    .flags = RMX__FORMAT_FILE | RMX__FORMAT_GUESS,
};

bool rmx__is_markup_name(const char *path) {
  static const char *const markup[] = {".html", ".htm", ".xhtml"};
  const char *ending = path + rmx__stem(path);
  for (size_t i = 0; i < sizeof markup / sizeof *markup; i++)
    if (strncasecmp(ending, markup[i], strlen(markup[i])) == 0) return true;
  return false;
}
