// SPDX-License-Identifier: Apache-2.0
// top_hosts.h: the most frequent of many names, found in bounded memory. The algorithm is
// "space-saving": Metwally, Agrawal, El Abbadi, "Efficient computation of frequent and top-k
// elements in data streams", ICDT 2005. A name without a counter takes over the counter with the
// lowest count. So a counter is never below the true count, and it is above it by no more than
// 1/counters of all names. With no more different names than counters, all counts are exact.
#ifndef RMX_CORPUS_DOMAINS_TOP_HOSTS_H
#define RMX_CORPUS_DOMAINS_TOP_HOSTS_H

#include <regmix/base.h>

typedef struct rmx__top_hosts rmx__top_hosts;
rmx__top_hosts *rmx__top_hosts_new(size_t counters);  // NULL if memory is short
void rmx__top_hosts_free(rmx__top_hosts *t);
// Adds `count` to a name. Ties are broken by the names, so the result depends only on the order of
// the calls. False: memory is short. Cost: O(log counters).
bool rmx__top_hosts_add(rmx__top_hosts *t, const char *name, uint64_t count);
// Adds the counters of `from`, the largest first.
bool rmx__top_hosts_merge(rmx__top_hosts *into, const rmx__top_hosts *from);
// The n names with the largest counts, or all that there are, the largest first. counts (NULL: not
// wanted) gets as many numbers. False: memory is short.
bool rmx__top_hosts_largest(const rmx__top_hosts *t, size_t n, rmx_strings *names,
                            uint64_t *counts);

#endif
