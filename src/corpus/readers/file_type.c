// SPDX-License-Identifier: Apache-2.0
// Tables of the files that lie next to the text in folders of corpora.
#include "file_type.h"

#include <fnmatch.h>
#include <string.h>
#include <strings.h>

#include "reader.h"

// ---- by the first bytes -------------------------------------------------------------------

static const struct {
  const char *bytes;
  size_t size;
  const char *what;
} beginnings[] = {
#define BEGINS(bytes, what) \
  { bytes, sizeof bytes - 1, what }
    BEGINS("version https://git-lfs.github.com/spec/",
           "a Git LFS pointer, not the file itself; `git lfs pull` fetches it"),
    BEGINS("\x1F\x8B", "a gzip file; end its name in .gz"),
    BEGINS("\x28\xB5\x2F\xFD", "a Zstandard file; end its name in .zst"),
    BEGINS("\xFD"
           "7zXZ",
           "an xz file; end its name in .xz"),
    BEGINS("\x04\x22\x4D\x18", "an lz4 file; end its name in .lz4"),
    BEGINS("\x02\x21\x4C\x18", "a file of lz4 -l; compress it without -l"),
    BEGINS("BZh91AY&SY", "a bzip2 file; end its name in .bz2"),
    BEGINS("PK\x03\x04", "a zip archive; unpack it"),
    BEGINS("PAR1", "a Parquet file; end its name in .parquet"),
    BEGINS("ARROW1", "an Arrow file; end its name in .arrow"),
    BEGINS("%PDF-", "a PDF file; extract its text"),
    BEGINS("SQLite format 3", "a database; export its text as JSON lines"),
    BEGINS("\x7F"
           "ELF",
           "a program"),
#undef BEGINS
};

static bool is_html(const char *data, size_t size) {
  while (size && strchr(" \t\r\n", *data) && *data) data++, size--;
  return (size >= 14 && strncasecmp(data, "<!doctype html", 14) == 0) ||
         (size >= 5 && strncasecmp(data, "<html", 5) == 0);
}

// The code of an error, such as AccessDenied: what is between <Code> and the next tag.
static size_t error_code(const char *data, size_t size, const char **code) {
  static const char tag[] = "<Code>";
  enum { LONGEST = 60 };
  *code = memmem(data, size, tag, sizeof tag - 1);
  if (!*code) return 0;
  *code += sizeof tag - 1;
  size_t n = 0;
  const size_t left = size - (size_t)(*code - data);
  while (n < left && n < LONGEST && (*code)[n] > ' ' && (*code)[n] < 127 && (*code)[n] != '<') n++;
  return n;
}

const char *rmx__page_of_bytes(const char *data, size_t size, char what[160]) {
  static const char *const pages[] = {"<head", "<title", "<body", "<h1", "<center"};
  while (size && strchr(" \t\r\n", *data) && *data) data++, size--;
  bool page = is_html(data, size);
  for (size_t i = 0; i < sizeof pages / sizeof *pages; i++)
    page = page || (size > strlen(pages[i]) && strncasecmp(data, pages[i], strlen(pages[i])) == 0);
  if (page) return "a web page; the download failed, fetch it again";
  const bool xml = size > 5 && memcmp(data, "<?xml", 5) == 0;
  const bool error = size > 7 && memcmp(data, "<Error>", 7) == 0;
  if (!xml && !error) return NULL;
  const char *code;
  const size_t n = error_code(data, size, &code);
  snprintf(what, 160, "%s%.*s%s", n ? "the error " : "XML", (int)n, n ? code : "",
           n ? " of a server; the download failed, fetch it again" : "");
  return what;
}

const char *rmx__type_of_bytes(const char *data, size_t size) {
  for (size_t i = 0; i < sizeof beginnings / sizeof *beginnings; i++)
    if (size >= beginnings[i].size && memcmp(data, beginnings[i].bytes, beginnings[i].size) == 0)
      return beginnings[i].what;
  // In UTF-16 every other byte of English is zero; in UTF-8 text none is.
  size_t zeros = 0;
  for (size_t i = 0; i < size; i++) zeros += data[i] == '\0';
  if (zeros > size / 10)
    return "not text, because many of its bytes are zero: a binary file, or UTF-16 that begins "
           "with "
           "few ASCII characters; for UTF-16 set corpus.encoding: UTF-16LE (or UTF-16BE)";
  return NULL;
}

// ---- by the name --------------------------------------------------------------------------

static const struct {
  const char *pattern;  // of fnmatch, in lower case
  rmx__file_use use;
  const char *why;
} names[] = {
    {".*", RMX__FILE_NOT_DATA, "hidden files are not read"},
    {"*~", RMX__FILE_NOT_DATA, "backup copies are not read"},
    {"#*#", RMX__FILE_NOT_DATA, "backup copies are not read"},
    {"*.bak", RMX__FILE_NOT_DATA, "backup copies are not read"},
    {"*.orig", RMX__FILE_NOT_DATA, "backup copies are not read"},
    {"*.sw[op]", RMX__FILE_NOT_DATA, "backup copies are not read"},
    {"*.part", RMX__FILE_DATA, "an unfinished download is not read; fetch it again"},
    {"*.partial", RMX__FILE_DATA, "an unfinished download is not read; fetch it again"},
    {"*.crdownload", RMX__FILE_DATA, "an unfinished download is not read; fetch it again"},
    {"*.incomplete", RMX__FILE_DATA, "an unfinished download is not read; fetch it again"},
    {"*.aria2", RMX__FILE_NOT_DATA, "the state of a download is not read"},
    {"*.tmp", RMX__FILE_NOT_DATA, "temporary files are not read"},
    {"*.lock", RMX__FILE_NOT_DATA, "lock files are not read"},
    {"_success", RMX__FILE_NOT_DATA, "marks of a finished job are not read"},
    {"_committed_*", RMX__FILE_NOT_DATA, "marks of a finished job are not read"},
    {"_started_*", RMX__FILE_NOT_DATA, "marks of a finished job are not read"},
    {"_metadata", RMX__FILE_NOT_DATA, "metadata are not read"},
    {"readme", RMX__FILE_NOT_DATA, "a readme is not read as text of the corpus"},
    {"readme.md", RMX__FILE_NOT_DATA, "a readme is not read as text of the corpus"},
    {"readme.txt", RMX__FILE_NOT_DATA, "a readme is not read as text of the corpus"},
    {"readme.rst", RMX__FILE_NOT_DATA, "a readme is not read as text of the corpus"},
    {"licen[cs]e", RMX__FILE_NOT_DATA, "a licence is not read as text of the corpus"},
    {"licen[cs]e.txt", RMX__FILE_NOT_DATA, "a licence is not read as text of the corpus"},
    {"licen[cs]e.md", RMX__FILE_NOT_DATA, "a licence is not read as text of the corpus"},
    {"copying", RMX__FILE_NOT_DATA, "a licence is not read as text of the corpus"},
    {"copying.txt", RMX__FILE_NOT_DATA, "a licence is not read as text of the corpus"},
    {"notice", RMX__FILE_NOT_DATA, "a licence is not read as text of the corpus"},
    {"notice.txt", RMX__FILE_NOT_DATA, "a licence is not read as text of the corpus"},
    {"changelog", RMX__FILE_NOT_DATA, "a list of changes is not read as text of the corpus"},
    {"changelog.txt", RMX__FILE_NOT_DATA, "a list of changes is not read as text of the corpus"},
    {"citation.cff", RMX__FILE_NOT_DATA, "a citation is not read as text of the corpus"},
    {"dataset_info*.json", RMX__FILE_NOT_DATA, "metadata are not read"},
    {"dataset_dict.json", RMX__FILE_NOT_DATA, "metadata are not read"},
    {"state.json", RMX__FILE_NOT_DATA, "metadata are not read"},
    {"index.json", RMX__FILE_NOT_DATA, "metadata are not read"},
    {"config.json", RMX__FILE_NOT_DATA, "metadata are not read"},
    {"metadata.json", RMX__FILE_NOT_DATA, "metadata are not read"},
    {"manifest.json", RMX__FILE_NOT_DATA, "metadata are not read"},
    {"stats.json", RMX__FILE_NOT_DATA, "metadata are not read"},
    {"package.json", RMX__FILE_NOT_DATA, "metadata are not read"},
    {"tokenizer.json", RMX__FILE_NOT_DATA, "a tokenizer is not text"},
    {"tokenizer_config.json", RMX__FILE_NOT_DATA, "a tokenizer is not text"},
    {"vocab.json", RMX__FILE_NOT_DATA, "a tokenizer is not text"},
    {"special_tokens_map.json", RMX__FILE_NOT_DATA, "a tokenizer is not text"},
    {"merges.txt", RMX__FILE_NOT_DATA, "a tokenizer is not text"},
    {"manifest", RMX__FILE_NOT_DATA, "metadata are not read"},
    {"sha*sums", RMX__FILE_NOT_DATA, "checksums are not read"},
    {"sha*sums.txt", RMX__FILE_NOT_DATA, "checksums are not read"},
    {"md5sums", RMX__FILE_NOT_DATA, "checksums are not read"},
    {"md5sums.txt", RMX__FILE_NOT_DATA, "checksums are not read"},
    {"*.crc", RMX__FILE_NOT_DATA, "checksums are not read"},
    {"*.md5", RMX__FILE_NOT_DATA, "checksums are not read"},
    {"*.sha1", RMX__FILE_NOT_DATA, "checksums are not read"},
    {"*.sha256", RMX__FILE_NOT_DATA, "checksums are not read"},
    {"thumbs.db", RMX__FILE_NOT_DATA, "hidden files are not read"},
    {"desktop.ini", RMX__FILE_NOT_DATA, "hidden files are not read"},
    {"*.avro", RMX__FILE_DATA, "Avro is not read; convert it to JSON lines"},
    {"*.orc", RMX__FILE_DATA, "ORC is not read; convert it to JSON lines"},
    {"*.wat*", RMX__FILE_DATA, "WAT is not read; extract its text to JSON lines"},
    {"*.tar", RMX__FILE_DATA, "archives are not read; unpack them"},
    {"*.tar.*", RMX__FILE_DATA, "archives are not read; unpack them"},
    {"*.tgz", RMX__FILE_DATA, "archives are not read; unpack them"},
    {"*.zip", RMX__FILE_DATA, "archives are not read; unpack them"},
    {"*.7z", RMX__FILE_DATA, "archives are not read; unpack them"},
    {"*.rar", RMX__FILE_DATA, "archives are not read; unpack them"},
    {"*.br", RMX__FILE_DATA, "brotli is not read; compress the file as .gz or .zst"},
    {"*.lzma", RMX__FILE_DATA, "lzma is not read; compress the file as .gz or .zst"},
    {"*.z", RMX__FILE_DATA, "compress is not read; compress the file as .gz or .zst"},
    {"*.idx", RMX__FILE_NOT_DATA, "the index of a .bin file is read with it"},
    {"*.npz*", RMX__FILE_DATA, "arrays are not read; give the text they were made of"},
    {"*.tfrecord*", RMX__FILE_DATA, "TFRecord is not read; convert it to JSON lines"},
    {"*.h5", RMX__FILE_DATA, "HDF5 is not read; convert it to JSON lines"},
    {"*.hdf5", RMX__FILE_DATA, "HDF5 is not read; convert it to JSON lines"},
    {"*.msgpack*", RMX__FILE_DATA, "MessagePack is not read; convert it to JSON lines"},
    {"*.pkl*", RMX__FILE_DATA, "pickles are not read; convert them to JSON lines"},
    {"*.db", RMX__FILE_DATA, "databases are not read; export their text as JSON lines"},
    {"*.sqlite*", RMX__FILE_DATA, "databases are not read; export their text as JSON lines"},
    {"*.pdf", RMX__FILE_DATA, "PDF is not read; extract its text"},
    {"*.epub", RMX__FILE_DATA, "EPUB is not read; extract its text"},
    {"*.docx", RMX__FILE_DATA, "DOCX is not read; extract its text"},
    {"*.xml*", RMX__FILE_DATA, "XML is not read; extract its text"},
};

const char *rmx__type_of_name(const char *name, rmx__file_use *use) {
  char lower[256];
  size_t n = 0;
  for (; name[n] && n + 1 < sizeof lower; n++)
    lower[n] = (char)(name[n] >= 'A' && name[n] <= 'Z' ? name[n] - 'A' + 'a' : name[n]);
  lower[n] = '\0';
  const bool read = rmx__format_of(name) != NULL;
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    // A pattern of data does not count if the ending is one that is read: `dump.warc.jsonl` is JSON
    // lines.
    if ((read && names[i].use == RMX__FILE_DATA) || fnmatch(names[i].pattern, lower, 0) != 0)
      continue;
    *use = names[i].use;
    return names[i].why;
  }
  *use = RMX__FILE_UNKNOWN;
  return read ? NULL : "its ending is unknown; if it is plain text, end its name in .txt";
}
