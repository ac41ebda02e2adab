// SPDX-License-Identifier: Apache-2.0
// Where a process runs. Containers may share the name of a host, and a number of a process means
// something only within one boot and one namespace of processes.
#ifndef RMX_BASE_PLACE_H
#define RMX_BASE_PLACE_H

#include <stdbool.h>

struct rmx__place {
  char host[256];                // "": not known
  char boot[40], processes[40];  // ids of the boot and of the namespace; "-": not known
};
void rmx__own_place(struct rmx__place *out);
// Both ids are known, and all of it is the same: process numbers of one mean the same in the other.
bool rmx__same_place(const struct rmx__place *a, const struct rmx__place *b);
// They are surely not the same. Neither of the two holds where too little is known.
bool rmx__other_place(const struct rmx__place *a, const struct rmx__place *b);

// The process of this place has ended, or is a zombie that its parent has not taken notice of yet.
bool rmx__is_gone(long process);
// When the process began, in the system's ticks since its boot; 0: not known. Tells a process from
// a later one with the same number.
unsigned long long rmx__began_at(long process);

#endif
