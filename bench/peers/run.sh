#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# run.sh [BUILD]: regmix beside its peers (BUILD: a meson build folder with the benches, default build-test). Some ten minutes.
#
#   losses   the same losses as PyTorch, from the same weights and batches, for 100 steps
#   matmul   bare matrix products of a training step: OpenBLAS, oneDNN
#   speed    whole training steps: PyTorch in fp32 and bf16, 1 and 2 threads, two models
#
# PEER_STEPS="losses matmul speed"   which of them; LOCK="flock FILE" in front of each measurement
#
# Debian: python3-torch (losses, speed), libdnnl-dev (matmul). What is missing is named and left out.
set -u
here=$(cd "$(dirname "$0")" && pwd)
build=${1:-$here/../../build-test}
steps=${PEER_STEPS-losses matmul speed}
case ${1-} in -*) sed -n '4,13s/^# \{0,1\}//p' "$0"; exit 2 ;; esac
python=${PYTHON-/usr/bin/python3}  # Debian's, which python3-torch is for

have_torch=yes
"$python" -c 'import torch, numpy' 2> /dev/null || have_torch=
[ -n "$have_torch" ] || echo "run.sh: PyTorch is missing ($python cannot import torch; Debian: python3-torch): no losses, no speed"
ninja -C "$build" regmix bench/peers/peer_ours bench/peers/peer_matmul > /dev/null || exit 1
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

# Old builds of OpenBLAS take a new processor for an old one, and PyTorch multiplies with it: the peer is to be at its best.
if grep -q avx512bw /proc/cpuinfo && [ -z "${OPENBLAS_CORETYPE-}" ]; then
  export OPENBLAS_CORETYPE=SkylakeX
  echo "run.sh: OPENBLAS_CORETYPE=SkylakeX, since the processor has AVX-512"
fi
# fp32 beside fp32: the best level whose products are fp32. bf16 beside the best level there is.
fp32=$(grep -q avx512bw /proc/cpuinfo && echo avx512 || echo avx2)
status=0
for step in $steps; do
  echo "== $step"
  case $step in
    losses) [ -z "$have_torch" ] || "$python" "$here/losses.py" "$build/bench/peers/peer_ours" "$out/losses" "$fp32" || status=1 ;;
    matmul) for level in "$fp32" auto; do OMP_NUM_THREADS=1 ${LOCK-} "$build/bench/peers/peer_matmul" $level || status=1; done ;;
    speed)
      [ -n "$have_torch" ] || continue
      for case in narrow wide; do
        for threads in 1 2; do
          ${LOCK-} "$python" "$here/speed.py" "$build/regmix" --case $case --threads $threads --precision fp32 --isa "$fp32" || status=1
          ${LOCK-} "$python" "$here/speed.py" "$build/regmix" --case $case --threads $threads --precision bf16 || status=1
        done
      done
      ;;
    *) echo "run.sh: no step \"$step\"; there are losses, matmul, speed" >&2; exit 2 ;;
  esac
done
exit $status
