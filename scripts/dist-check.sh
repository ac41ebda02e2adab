#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# dist-check.sh [argument of `meson test`...]: makes the release tarball twice and compares the bytes, unpacks it in
# an empty folder, and there, without git, builds it, installs it, removes it again and runs its tests.
set -eu
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
say() { echo "dist-check: $1"; }

mkdir "$work/once" "$work/again" "$work/bin"
tarball=$(sh scripts/dist.sh "$work/once")
again=$(sh scripts/dist.sh "$work/again")
cmp "$tarball" "$again"
say "$(basename "$tarball"): $(wc -c < "$tarball") bytes, the same twice"

printf '#!/bin/sh\nexit 127\n' > "$work/bin/git"
chmod +x "$work/bin/git"
export PATH="$work/bin:$PATH"
mkdir "$work/empty"
tar -xzf "$tarball" -C "$work/empty"
cd "$work/empty"/regmix-*
make --no-print-directory BUILD=build
version=$(basename "$PWD")
./build/regmix --version
[ "regmix-$(./build/regmix --version | sed -n '1s/^regmix //p')" = "$version" ] || { say "the program is of another version"; exit 1; }

make --no-print-directory BUILD=build install PREFIX="$work/there"
files=$(find "$work/there" ! -type d | wc -l)
"$work/there/bin/regmix" --version > /dev/null
make --no-print-directory BUILD=build uninstall PREFIX="$work/there"
left=$(find "$work" -path "$work/there/*" ! -type d)
[ -z "$left" ] || { say "make uninstall leaves: $left"; exit 1; }
say "make install writes $files files, make uninstall removes them"

meson setup build-test > setup.log 2>&1 || { tail -n 20 setup.log; exit 1; }
ninja -C build-test --quiet
python3 scripts/test.py build-test "$@"
