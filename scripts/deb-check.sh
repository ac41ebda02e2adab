#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# deb-check.sh FOLDER: installs the Debian packages in FOLDER (as deb.sh leaves them) in a bare Debian 12, runs the
# program there, compiles a program against the library, and removes the packages again. Needs root and a network.
#
# REGMIX_MIRROR=URL   where Debian's packages come from, if not from mmdebstrap's usual place
set -eu
from=$(cd "${1:?usage: deb-check.sh FOLDER}" && pwd)
[ "$(id -u)" -eq 0 ] || { echo "deb-check.sh: needs root, for chroot" >&2; exit 1; }
root=$(mktemp -d)
mounted=
# shellcheck disable=SC2317  # called by trap
end() {
  [ -z "$mounted" ] || umount "$root/proc"
  rm -rf --one-file-system "$root"
}
trap end EXIT
trap 'exit 130' INT TERM
say() { echo "deb-check: $1"; }
log=$from/check.log
: > "$log"
fail() { tail -n 20 "$log" >&2; echo "deb-check: $1; all of it is in $log" >&2; exit 1; }
inside() { chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C DEBIAN_FRONTEND=noninteractive "$@"; }
quietly() { "$@" >> "$log" 2>&1 || fail "this failed: $*"; }

quietly mmdebstrap --variant=minbase --skip=cleanup/apt/lists bookworm "$root" ${REGMIX_MIRROR:+"$REGMIX_MIRROR"}
say "a bare Debian $(cat "$root/etc/debian_version") of $(inside dpkg-query -f '.\n' -W | wc -l) packages"
cp -L /etc/resolv.conf "$root/etc/resolv.conf"
if mount -t proc proc "$root/proc" 2>> "$log"; then mounted=yes; else say "/proc cannot be mounted here; going on without it"; fi
mkdir "$root/packages"
cp "$from"/regmix_*.deb "$from"/libregmix0_*.deb "$from"/libregmix-dev_*.deb "$root/packages"

# Only what the packages ask for, by apt; the packages themselves by dpkg.
for package in "$root"/packages/*.deb; do
  dpkg-deb -f "$package" Depends | tr ',' '\n' | grep -v libregmix | sed 's/^ *//' > "$root/depends"
  while read -r wanted; do
    quietly inside apt-get satisfy -q -y --no-install-recommends "$wanted"
  done < "$root/depends"
done
quietly inside sh -c 'dpkg -i /packages/*.deb'
say "dpkg -i: $(inside dpkg-query -f '${Package} ${Version} ${db:Status-Status}, ' -W regmix libregmix0 libregmix-dev | sed 's/, $//')"

inside regmix --version
mkdir "$root/data"
awk 'BEGIN {
  print "run,web,code" > "'"$root"'/data/mixtures.csv"; print "run,loss" > "'"$root"'/data/losses.csv"
  for (i = 1; i <= 24; i++) {
    a = i / 25
    printf "r%02d,%.2f,%.2f\n", i, a, 1 - a > "'"$root"'/data/mixtures.csv"
    printf "r%02d,%.6f\n", i, 3 + (a - 0.6) ^ 2 > "'"$root"'/data/losses.csv"
  }
}'
quietly inside sh -c 'cd /data && regmix fit --mixtures mixtures.csv --metrics losses.csv && regmix optimize --fit fit --target loss && regmix report'
weight=$(inside sh -c 'cd /data && regmix optimize --fit fit --target loss' 2>> "$log" | sed -n 's/^ *web *\([0-9.]*\)%.*/\1/p' | head -n 1)
say "a fit of 24 runs whose best share of web is 60 %: found ${weight:-nothing} %"
case $weight in 5[5-9].* | 6[0-4].*) ;; *) fail "the fit found another optimum" ;; esac
[ -s "$root/usr/share/man/man1/regmix.1.gz" ] || fail "no man page"

quietly inside apt-get install -q -y --no-install-recommends gcc libc6-dev pkg-config
cat > "$root/data/outside.c" << 'END'
#include <regmix/base.h>
#include <stdio.h>
int main(void) {
  printf("deb-check: a program linked to regmix %s\n", rmx_version());
  return 0;
}
END
# shellcheck disable=SC2016  # for the shell inside
quietly inside sh -c 'cd /data && gcc outside.c -o shared $(pkg-config --cflags --libs regmix) &&
  gcc outside.c -o static $(pkg-config --cflags regmix) $(pkg-config --static --libs regmix | sed s/-lregmix/-l:libregmix.a/)'
inside /data/shared
quietly inside dpkg -r regmix libregmix-dev libregmix0
inside /data/static
left=$(find "$root/usr" "$root/etc" "$root/var/cache" -name '*regmix*')
[ -z "$left" ] || fail "dpkg -r leaves $left"
say "dpkg -r leaves no file"
