#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# fuzz.sh BUILD: builds each target of tests/fuzz with clang's libFuzzer and the sanitizers, and
# runs it for $FUZZ_SECONDS (60). $FUZZ_TARGETS names some of them ("csv fit"). Seeds and
# dictionaries are in tests/fuzz. A finding ends the script and leaves its input in BUILD.
set -u
build=${1:?usage: fuzz.sh BUILD_FOLDER}
seconds=${FUZZ_SECONDS:-60}
cd "$(dirname "$0")/.." || exit 1
command -v clang > /dev/null || {
  echo "fuzz.sh: there is no clang (Debian: apt install clang libclang-rt-dev)" >&2
  exit 1
}
if [ ! -f "$build/build.ninja" ]; then
  CC=clang meson setup "$build" -Dtests=false -Db_sanitize=address,undefined -Db_lundef=false \
    --buildtype=debugoptimized -Dc_args=-fsanitize=fuzzer-no-link > /dev/null || exit 1
fi
ninja -C "$build" --quiet libregmix.a || exit 1
libraries=$(pkg-config --libs jansson yaml-0.1 zlib libzstd libpcre2-8 libutf8proc openblas)
libraries="$libraries $(pkg-config --silence-errors --libs libpsl)"
for name in lzma bz2 lz4 uchardet; do  # optional
  if grep -q "lib$name\.so" "$build/build.ninja"; then libraries="$libraries -l$name"; fi
done
only=${FUZZ_TARGETS:-}
for source in tests/fuzz/fuzz_*.c; do
  name=$(basename "$source" .c)
  target=${name#fuzz_}
  case " $only " in "  " | *" $target "*) ;; *) continue ;; esac
  mkdir -p "$build/corpus-$name"
  # shellcheck disable=SC2086
  clang -std=gnu11 -D_GNU_SOURCE -g -O1 -fsanitize=fuzzer,address,undefined \
    -fno-sanitize-recover=undefined -Iinclude -Isrc "$source" "$build/libregmix.a" \
    $libraries -llapacke -llbfgs -lnlopt -lm -lpthread -o "$build/$name" || exit 1
  words=$(sed -n "s/^ *'$target': \['\([a-z.]*\)'.*/\1/p" tests/fuzz/meson.build)
  echo "$name, $seconds s"
  # A new input goes into the first folder; the seeds stay as they are.
  "$build/$name" -max_total_time="$seconds" -print_final_stats=1 -verbosity=0 -close_fd_mask=1 \
    -artifact_prefix="$build/" ${words:+-dict="tests/fuzz/$words"} \
    "$build/corpus-$name" "tests/fuzz/seeds/$target" > "$build/$name.log" 2>&1 || {
    tail -30 "$build/$name.log"
    echo "fuzz.sh: $name found something; its input is in $build" >&2
    exit 1
  }
  for folder in /dev/shm/regmix-fuzz-* /tmp/regmix-fuzz-*; do  # not those of a run that goes on
    [ ! -d "$folder" ] || [ -d "/proc/${folder##*-}" ] || rm -rf "$folder"
  done
  grep -E 'number_of_executed_units|new_units_added' "$build/$name.log" | sed 's/^stat::/  /'
done
