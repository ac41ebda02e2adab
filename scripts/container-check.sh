#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# container-check.sh: builds the image of packaging/Containerfile with buildah and runs the program in it. Its base
# image is a Debian 12 that mmdebstrap makes here, so that no registry of images is needed. Needs root.
#
# REGMIX_MIRROR=URL   where Debian's packages come from, if not from mmdebstrap's usual place
set -eu
cd "$(dirname "$0")/.."
work=$(mktemp -d)
log=$work/log
container=
export STORAGE_DRIVER=vfs BUILDAH_ISOLATION=chroot
images() { buildah --root "$work/images" --runroot "$work/run" "$@"; }
# shellcheck disable=SC2317  # called by trap
end() {
  [ -z "$container" ] || images rm "$container" > /dev/null
  rm -rf --one-file-system "$work"
}
trap end EXIT
trap 'exit 130' INT TERM
quietly() { "$@" > "$log" 2>&1 || { tail -n 20 "$log" >&2; echo "container-check: this failed: $*" >&2; exit 1; }; }

quietly mmdebstrap --variant=minbase bookworm "$work/base.tar" ${REGMIX_MIRROR:+"$REGMIX_MIRROR"}
container=$(images from scratch)
quietly images add "$container" "$work/base.tar" /
quietly images commit "$container" base
images rm "$container" > /dev/null
container=
quietly images build --pull-never --build-arg BASE=localhost/base --build-arg COMMIT="$(git rev-parse HEAD 2> /dev/null)" \
  -f packaging/Containerfile -t regmix .
container=$(images from --pull-never localhost/regmix)
echo "container-check: the image is built; its entry point is $(images inspect --format '{{.OCIv1.Config.Entrypoint}}' "$container")"
images run "$container" -- regmix --version
printf 'run,web,code\n1,0.2,0.8\n2,0.4,0.6\n3,0.5,0.5\n4,0.6,0.4\n5,0.8,0.2\n6,0.9,0.1\n' > "$work/mixtures.csv"
printf 'run,loss\n1,3.16\n2,3.04\n3,3.01\n4,3.00\n5,3.04\n6,3.09\n' > "$work/losses.csv"
quietly images run -v "$work:/data" "$container" -- regmix fit --mixtures /data/mixtures.csv --metrics /data/losses.csv --out /data/fit
[ -s "$work/fit/fit.json" ] || { echo "container-check: the fit left no file in the mounted folder" >&2; exit 1; }
echo "container-check: regmix fit in a mounted folder"
