#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The rooms keep to their doors: a file in src/<room> includes its own room's headers and those of the rooms that
# the first comment of include/regmix/<room>.h names under "Uses:"; cli/ includes public headers alone.
. "$(dirname "$0")/tap.sh"
cd "$ROOT" || exit 1
for folder in src/*/; do
  room=$(basename "$folder")
  uses=$(awk '/^ \* Uses: / { on = 1 } on { sub(/^ \* (Uses: )?/, ""); printf "%s ", $0 } on && /\.$/ { exit }' "include/regmix/$room.h" | tr -d ,.)
  uses=${uses% }
  [ -n "$uses" ] || { not_ok "$room says what it uses" "no line \"Uses: ...\" in include/regmix/$room.h"; continue; }
  wrong=
  for used in $(find "$folder" "include/regmix/$room.h" -name '*.[ch]' -exec sed -n 's/^#include [<"]\(regmix\|[a-z]*\)\/\([a-z_0-9/]*\)\.h[>"].*/\1 \2/p' {} + |
    awk '{ print $1 == "regmix" ? $2 : $1 }' | sort -u); do
    [ -f "include/regmix/$used.h" ] || continue
    # A room may have more doors than one: the header says so.
    of=$(head -n 4 "include/regmix/$used.h" | tr -s ' *\n' ' ' | sed -n 's/.*door of the room `\([a-z]*\)`.*/\1/p')
    [ -z "$of" ] || used=$of
    case " $room $uses " in *" $used "*) ;; *) wrong="$wrong $used" ;; esac
  done
  if [ -z "$wrong" ]; then ok "$room uses $uses"; else not_ok "$room uses $uses" "and also:$wrong"; fi
  listed=$(sed -n "s/^| \`src\/$room\/\` |.*| \(.*\) |\$/\1/p" ARCHITECTURE.md | tr -d ,)
  if [ "$listed" = "$uses" ]; then ok "ARCHITECTURE.md: $room"; else not_ok "ARCHITECTURE.md: $room" "it lists \"$listed\", the header \"$uses\""; fi
  for used in $uses; do [ "$used" = "$room" ] || [ ! -d "src/$used" ] || echo "$room $used"; done >> "$SCRATCH/uses"
done
if tsort "$SCRATCH/uses" > /dev/null 2> "$SCRATCH/circles"; then ok "no circles between rooms"; else not_ok "no circles between rooms" "$(cat "$SCRATCH/circles")"; fi
# The folders of the corpus are steps: none uses one that comes after it.
wrong=$(grep -rnE '^#include "(corpus/)?(prepare|domains)/' src/corpus/readers; grep -rnE '^#include "(corpus/)?prepare/' src/corpus/domains src/corpus/tokenizer)
if [ -z "$wrong" ]; then ok "readers, domains, prepare: in this order"; else not_ok "readers, domains, prepare: in this order" "$wrong"; fi
# The map is whole: every folder of src/ and every public header is on it, and what it names is there (NAME: a new file).
missing=
for path in $(find src -mindepth 1 -type d | sort) include/regmix/*.h; do
  grep -q "\`$path/*\`" ARCHITECTURE.md || missing="$missing $path"
done
if [ -z "$missing" ]; then ok "ARCHITECTURE.md names every room, folder and header"; else not_ok "ARCHITECTURE.md names every room, folder and header" "not:$missing"; fi
gone=
for path in $(grep -o '`[A-Za-z_]*/[A-Za-z_0-9./-]*`' ARCHITECTURE.md | tr -d '`' | grep -v NAME | sort -u); do
  [ -e "$path" ] || gone="$gone $path"
done
if [ -z "$gone" ]; then ok "all that ARCHITECTURE.md names is there"; else not_ok "all that ARCHITECTURE.md names is there" "not:$gone"; fi
if grep -n '^#include "' cli/*.[ch] | grep -v -E '"(cli|steps|base/json|base/asset)\.h"'; then not_ok "cli/ includes public headers and base/json.h, base/asset.h alone"; else ok "cli/ includes public headers and base/json.h, base/asset.h alone"; fi
if grep -n -E '#include <(jansson|yaml|zlib|zstd|pcre2)|#include "' include/regmix/*.h; then not_ok "a public header includes no other library's"; else ok "a public header includes no other library's"; fi
if find src cli include -name '*.[ch]' | grep -E '/(util|utils|common|misc|helper|helpers)\.[ch]$'; then not_ok "no file is a drawer"; else ok "no file is a drawer"; fi
if find src cli tests -name '*.c' -exec grep -L 'SPDX-License-Identifier: Apache-2.0' {} + | grep .; then not_ok "every source names its licence"; else ok "every source names its licence"; fi
done_testing
