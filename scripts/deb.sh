#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# deb.sh FOLDER: makes the Debian packages of the last commit in FOLDER, with dpkg-buildpackage from the release
# tarball and packaging/debian, and checks them with lintian. DEB_BUILD_OPTIONS=nocheck skips the tests.
set -eu
into=${1:?usage: deb.sh FOLDER}
root=$(cd "$(dirname "$0")/.." && pwd)
rm -rf "$into"
mkdir -p "$into"
cd "$into"
tarball=$(sh "$root/scripts/dist.sh" .)
folder=$(basename "$tarball" .tar.gz)
version=${folder#regmix-}
mv "$tarball" "regmix_$version.orig.tar.gz"
tar -xzf "regmix_$version.orig.tar.gz"
cp -R "$folder/packaging/debian" "$folder/debian"
if ! (cd "$folder" && dpkg-buildpackage -us -uc) > build.log 2>&1; then
  tail -n 40 build.log >&2
  echo "deb.sh: dpkg-buildpackage failed; all it printed is in $PWD/build.log" >&2
  exit 1
fi
lintian --fail-on error --tag-display-limit 0 "regmix_${version}"-*.changes > lintian.log 2>&1 || { cat lintian.log >&2; exit 1; }
cat lintian.log
ls "$PWD"/*.deb
