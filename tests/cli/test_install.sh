#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What is installed: both libraries, what the shared one exports, a program outside the tree compiled against each,
# and that every file goes out again. Usage: test_install.sh REGMIX BUILD
. "$(dirname "$0")/tap.sh"
build=$(cd "${2:?usage: test_install.sh REGMIX BUILD}" && pwd)
cd "$SCRATCH" || exit 1
CC=${CC:-cc}

# ---- the shared library
same() { python3 "$ROOT/tests/exports.py" "$build/libregmix.so" "$@" > names.txt 2>&1; }
if same "$ROOT"/include/regmix/*.h; then
  ok "the shared library exports what the headers declare, and nothing else"
else
  not_ok "the shared library exports what the headers declare, and nothing else" "$(cat names.txt)"
fi
echo 'int rmx_not_there(void);' > more.h
if same "$ROOT"/include/regmix/*.h more.h; then not_ok "a name that is only declared is found"; else ok "a name that is only declared is found"; fi
if same "$ROOT"/include/regmix/base.h; then not_ok "a name that is only exported is found"; else ok "a name that is only exported is found"; fi
if readelf -d "$build/libregmix.so" | grep -q 'soname: \[libregmix\.so\.0\]'; then ok "its soname is libregmix.so.0"; else not_ok "its soname is libregmix.so.0"; fi

# ---- into a folder of a package builder (DESTDIR), under the prefix of the build folder
export DESTDIR="$SCRATCH/root"
meson install -C "$build" --no-rebuild --quiet > install.txt 2>&1 || not_ok "meson install" "$(tail -n 5 install.txt)"
prefix=$(meson introspect "$build" --buildoptions | python3 -c 'import json, sys; print({o["name"]: o["value"] for o in json.load(sys.stdin)}["prefix"])')
there=$DESTDIR$prefix
libdir=$(dirname "$(find "$there" -name libregmix.a)")
for file in bin/regmix include/regmix/base.h share/man/man1/regmix.1 share/man/man1/regmix-fit.1 share/man/man5/regmix.yaml.5 \
  share/bash-completion/completions/regmix share/zsh/site-functions/_regmix share/fish/vendor_completions.d/regmix.fish share/regmix/trainers/pytorch/train.py; do
  if [ -s "$there/$file" ]; then ok "installed: $file"; else not_ok "installed: $file"; fi
done
for file in libregmix.a libregmix.so libregmix.so.0 pkgconfig/regmix.pc; do
  if [ -s "$libdir/$file" ]; then ok "installed: the library's $file"; else not_ok "installed: the library's $file"; fi
done
try "the installed program runs" 0 "regmix " "$there/bin/regmix" --version

# ---- a program outside the tree
cat > outside.c << 'END'
#include <regmix/regress.h>
#include <stdio.h>
int main(void) {
  rmx_err err;
  if (rmx_blas_check(&err) != RMX_OK) return fprintf(stderr, "%s\n", err.message), 1;
  printf("made with regmix %s\n", rmx_version());
  return 0;
}
END
pc() { PKG_CONFIG_SYSROOT_DIR=$DESTDIR PKG_CONFIG_PATH=$libdir/pkgconfig pkg-config "$@" regmix; }
version=$("$REGMIX" --version | sed -n '1s/^regmix //p')
if [ "$(pc --modversion)" = "$version" ]; then ok "pkg-config knows the version"; else not_ok "pkg-config knows the version" "$(pc --modversion 2>&1)"; fi
if [ -n "${3-}" ]; then
  skip "a program is linked to each library" "$3"
else
  # shellcheck disable=SC2046  # flags are words
  try "a program is compiled for the shared library" 0 "" $CC outside.c -o shared $(pc --cflags --libs)
  try "and runs with it" 0 "made with regmix $version" env LD_LIBRARY_PATH="$libdir" ./shared
  if readelf -d shared | grep -q 'NEEDED.*\[libregmix\.so\.0\]'; then ok "it asks for libregmix.so.0"; else not_ok "it asks for libregmix.so.0"; fi
  if readelf -d shared | grep -q 'NEEDED.*openblas'; then
    not_ok "it asks for no library of the library's own"
  else
    ok "it asks for no library of the library's own"
  fi
  # shellcheck disable=SC2046
  try "a program is compiled for the static library" 0 "" \
    $CC outside.c -o static $(pc --cflags) $(pc --static --libs | sed 's/-lregmix/-l:libregmix.a/')
  try "and runs without the shared one" 0 "made with regmix $version" ./static
  if readelf -d static | grep -q 'NEEDED.*regmix'; then not_ok "it asks for no libregmix.so"; else ok "it asks for no libregmix.so"; fi
fi

# ---- and out again
try "make uninstall with another prefix removes nothing" 2 "make uninstall PREFIX=$prefix" \
  make -s -C "$ROOT" BUILD="$build" PREFIX="$SCRATCH/elsewhere" uninstall
meson install -C "$build" --no-rebuild --quiet > install.txt 2>&1  # over what is there
touch "$there/share/man/man1/other.1"
try "make uninstall" 0 "" make -s -C "$ROOT" BUILD="$build" PREFIX="$prefix" uninstall
left=$(find "$DESTDIR" ! -type d)
if [ "$left" = "$there/share/man/man1/other.1" ]; then
  ok "make uninstall removes what make install wrote, and nothing else"
else
  not_ok "make uninstall removes what make install wrote, and nothing else" "$left"
fi
if [ -d "$there/include/regmix" ]; then not_ok "make uninstall leaves no folder of its own"; else ok "make uninstall leaves no folder of its own"; fi
done_testing
