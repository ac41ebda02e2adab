#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# dist.sh FOLDER: writes the release tarball of the last commit, regmix-VERSION.tar.gz, into FOLDER and prints its
# path. The same commit gives the same bytes.
set -eu
into=${1:?usage: dist.sh FOLDER}
into=$(cd "$into" && pwd)
cd "$(dirname "$0")/.."
fail() { echo "dist.sh: $1" >&2; exit 1; }
[ -e .git ] || fail "this folder is no git repository; the tarball is made from its last commit"
[ -z "$(git status --porcelain)" ] || echo "dist.sh: warning: there are changes that are not committed; the tarball lacks them" >&2
version=$(git show HEAD:meson.build | sed -n "s/^project('regmix'.* version: '\([^']*\)'.*/\1/p")
[ -n "$version" ] || fail "no version in the first line of meson.build"
tarball=$into/regmix-$version.tar.gz
trap 'rm -f "$tarball.part" "$tarball.tar"' EXIT
git -c tar.umask=0022 archive --format=tar --prefix="regmix-$version/" HEAD > "$tarball.tar"
gzip -9n < "$tarball.tar" > "$tarball.part"
mv "$tarball.part" "$tarball"
echo "$tarball"
