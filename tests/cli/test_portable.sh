#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The kernels compile for a processor that is not ours, and become vector instructions there; and with another compiler.
. "$(dirname "$0")/tap.sh"
cd "$ROOT" || exit 1
# jansson's headers alone: those of the C library here are not those of the other processor.
mkdir "$SCRATCH/include"
for header in /usr/include/jansson.h /usr/include/jansson_config.h /usr/include/*-linux-gnu/jansson_config.h; do
  [ -f "$header" ] && cp "$header" "$SCRATCH/include/"
done
flags="-std=gnu11 -O3 -ffp-contract=fast -Wall -Wextra -Werror -Wno-unused-parameter -Wno-psabi -D_GNU_SOURCE -Iinclude -Isrc -isystem $SCRATCH/include"

cross=aarch64-linux-gnu-gcc
if command -v $cross > /dev/null; then
  for file in src/kernels/*.c; do
    # shellcheck disable=SC2086
    try "$file compiles for aarch64" 0 "" $cross $flags -c "$file" -o "$SCRATCH/$(basename "$file" .c).o"
  done
  # shellcheck disable=SC2086
  $cross $flags -S src/kernels/simd128.c -o "$SCRATCH/simd128.s"
  fused=$(grep -c 'fmla.*v[0-9]*\.4s' "$SCRATCH/simd128.s")
  if [ "$fused" -ge 24 ]; then ok "its tile multiplies and adds four numbers at once"; else not_ok "its tile multiplies and adds four numbers at once" "$fused fmla"; fi
else
  skip "the kernels compile for aarch64" "no $cross here"
fi

if command -v clang > /dev/null; then
  for file in src/kernels/*.c; do
    case $file in
      *avx2.c | *wide.c | *amx_emulated.c) level="-mavx2 -mfma" ;;
      *avx512.c) level="-mavx512f -mavx512vl -mavx512bw -mavx512dq -mavx2 -mfma" ;;
      *avx512bf16.c) level="-mavx512f -mavx512vl -mavx512bw -mavx512dq -mavx2 -mfma -mavx512bf16" ;;
      *amx.c) level="-mavx512f -mavx512vl -mavx512bw -mavx512dq -mavx2 -mfma -mavx512bf16 -mamx-tile -mamx-bf16" ;;
      *) level= ;;
    esac
    # shellcheck disable=SC2086
    [ "$(uname -m)" = x86_64 ] && try "$file compiles with clang" 0 "" clang $flags -Wno-unknown-warning-option $level -c "$file" -o "$SCRATCH/clang.o"
  done
else
  skip "the kernels compile with clang" "no clang here"
fi
done_testing
