// SPDX-License-Identifier: Apache-2.0
// charset.h: text in other character sets, which becomes UTF-8 while it is read.
#ifndef RMX_CORPUS_READERS_CHARSET_H
#define RMX_CORPUS_READERS_CHARSET_H

#include <regmix/base.h>

typedef struct rmx__charset rmx__charset;

// Starts a conversion from a character set by its name, as iconv knows it. NULL and err->status
// RMX_EINPUT: the system does not know it.
rmx__charset *rmx__charset_open(const char *path, const char *name, rmx_err *err);
void rmx__charset_close(rmx__charset *c);

// Converts from *from (n bytes) to `to` (room bytes, at least 16); returns the bytes written. Both
// *from and *n move. A character that is cut off at the end is left, unless `last`. What cannot be
// converted becomes U+FFFD and is counted in *wrong.
size_t rmx__charset_convert(rmx__charset *c, const char **from, size_t *n, bool last, char *to,
                            size_t room, uint64_t *wrong);

// Whether the set has one byte for each character, beyond ASCII too. False if it is not known.
bool rmx__charset_has_one_byte(const char *name);
// UTF-16 or UTF-32 by the byte order mark of a file; NULL: there is none. *mark: its bytes.
const char *rmx__charset_of_mark(const char *data, size_t size, size_t *mark);
// The same by the first bytes of a file: by the mark, or by what they are as characters.
const char *rmx__charset_of_bytes(const char *data, size_t size, size_t *mark);
// A guess for text that is not UTF-8, from its bytes beyond ASCII; into name. False: there are too
// few of them, some are UTF-8, or this build cannot guess.
bool rmx__charset_guess(const char *data, size_t size, char name[64]);

#endif
