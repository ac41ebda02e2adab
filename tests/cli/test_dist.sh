#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Packages: what they say twice, and the release tarball: the same bytes twice, and configured in an empty folder without git. `make dist-check` builds
# it there too and runs all its tests. Usage: test_dist.sh REGMIX
. "$(dirname "$0")/tap.sh"
cd "$SCRATCH" || exit 1

# ---- what packaging/ says twice
version=$("$REGMIX" --version | sed -n '1s/^regmix //p')
debian=$ROOT/packaging/debian
if [ "$(sed -n '1s/^regmix (\(.*\)-[0-9]*) .*/\1/p' "$debian/changelog")" = "$version" ]; then
  ok "the Debian packages are of this version"
else
  not_ok "the Debian packages are of this version" "$(head -n 1 "$debian/changelog")"
fi
# gcc and libc6-dev are in build-essential, ninja comes with meson, perl-base is always there.
lacking=$(sed -n 's/^build | \([^ ]*\).*/\1/p' "$ROOT/scripts/packages.sh" | grep -vxE 'gcc|libc6-dev|ninja-build|perl-base' |
  while read -r package; do sed -n '/^Build-Depends/,/^[^ B]/p' "$debian/control" | grep -qw -- "$package" || echo "$package"; done)
if [ -z "$lacking" ]; then ok "Build-Depends has every package of the build"; else not_ok "Build-Depends has every package of the build" "$lacking"; fi

# ---- the tarball
if ! [ -e "$ROOT/.git" ] || ! command -v git > /dev/null; then
  skip "the release tarball" "the sources are in no git repository"
  done_testing
  exit 0
fi
mkdir once again empty bin
tarball=$(sh "$ROOT/scripts/dist.sh" once 2> err.txt) || not_ok "make dist" "$(cat err.txt)"
same=$(sh "$ROOT/scripts/dist.sh" again 2> err.txt) || not_ok "make dist again" "$(cat err.txt)"
if cmp "$tarball" "$same" > err.txt 2>&1; then ok "the same commit gives the same bytes"; else not_ok "the same commit gives the same bytes" "$(cat err.txt)"; fi
tar -xzf "$tarball" -C empty
commit=$(git -C "$ROOT" rev-parse HEAD)
if [ "$(cat empty/*/cli/commit.txt)" = "$commit" ]; then ok "it says which commit it is of"; else not_ok "it says which commit it is of" "$(cat empty/*/cli/commit.txt)"; fi
if [ -n "$(find empty -name .git -o -name 'build*' -type d)" ]; then not_ok "it holds the sources alone"; else ok "it holds the sources alone"; fi

printf '#!/bin/sh\nexit 127\n' > bin/git
chmod +x bin/git
PATH=$SCRATCH/bin:$PATH
cd empty/* || exit 1
if meson setup build > setup.txt 2>&1 && ninja -C build cli/commit.c > commit.txt 2>&1; then
  ok "it is configured without git"
else
  not_ok "it is configured without git" "$(tail -n 5 setup.txt)"
fi
if grep -qF "\"$(echo "$commit" | cut -c 1-12)\"" build/cli/commit.c; then ok "the program knows the commit"; else not_ok "the program knows the commit" "$(cat build/cli/commit.c)"; fi
done_testing
