#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# packages.sh [build|test|mpi|lint|python|demo|deb|deb-check|container-check]: installs the Debian
# packages that are missing for building (the default), for the tests, for the program with MPI, for
# the checks of the style, for the Python package, for the demo, for making Debian packages, for
# trying them, or for trying the image of a container. It lists them. Silent when none is missing.
#
# REGMIX_NO_INSTALL=1   only say what is missing
# REGMIX_BROWSER=1, CI=true   `test` also wants a browser, for the tests of the report page
set -u

# purpose | packages, any one of which will do | what it is for
packages() {
  sed 's/ *| */|/g' << 'END'
build | gcc | C compiler
build | libc6-dev | headers of the C library
build | meson | build system
build | ninja-build | what meson drives
build | pkg-config pkgconf | finds the libraries
build | libyaml-dev | YAML: the config
build | libjansson-dev | JSON
build | zlib1g-dev | .gz text
build | libzstd-dev | .zst text
build | liblzma-dev | .xz text (optional)
build | libbz2-dev | .bz2 text (optional)
build | liblz4-dev | .lz4 text (optional)
build | libuchardet-dev | guesses the character set of text (optional)
build | libpsl-dev | public suffixes of web hosts
build | libpcre2-dev | regular expressions of the tokenizer
build | libutf8proc-dev | Unicode: classes, cases, normal forms
build | libxxhash-dev | hashes of files and tokens
build | libopenblas-pthread-dev libopenblas-serial-dev libopenblas-openmp-dev | linear algebra
build | liblapacke-dev | the same: LAPACK from C
build | liblbfgs-dev | smooth optimisation of the fits
build | libnlopt-dev | constrained search for the optimum
build | libjs-vega | charts of the report, embedded in it
build | perl-base | scripts
test | check | C test programs
test | libsubunit-dev | what check is linked to
test | python3-yaml | reads the YAML that is written, as most trainers do
test | jq | reads the JSON that is written
test | shellcheck | checks the shell scripts
test | zsh | runs its completion script
test | fish | runs its completion script
mpi | libopenmpi-dev | several processes, also on many machines
mpi | openmpi-bin | starts them (mpirun)
lint | clang-format | checks the format of the C sources
lint | clang | a second compiler, for its warnings
browser | chromium | opens the report page
browser | nodejs | runs the functions of the report page without a browser
python | python3-numpy | arrays
python | python3-pandas | data frames
python | python3-sklearn | what MixtureRegressor is an estimator of
python | python3-mesonpy | builds the wheel
python | python3-wheel | the same
python | python3-pip | the same
python | python3-venv | the environment that it is installed into
python | python3-nbclient | runs the notebooks
python | python3-ipykernel | the same
deb | dpkg-dev | makes the Debian packages
deb | debhelper | makes the Debian packages
deb | lintian | checks them
deb-check | mmdebstrap | makes a bare Debian to install them in
container-check | buildah | builds the image
container-check | crun | runs what is in it
container-check | mmdebstrap | makes the image that it is built on
demo | apt | fetches the demo's text
demo | xz-utils | unpacks glibc's source text
END
}

purpose=${1-build}
case $purpose in
  build) wanted="build" ;;
  demo) wanted="build demo" ;;
  deb) wanted="build deb" ;;
  deb-check) wanted="build deb deb-check" ;;
  lint) wanted="build lint" ;;
  mpi) wanted="build test mpi" ;;
  python) wanted="build test python" ;;
  container-check) wanted="container-check" ;;
  test)
    wanted="build test"
    if [ "${CI-}" = true ] || [ "${REGMIX_BROWSER-}" = 1 ]; then wanted="$wanted browser"; fi
    ;;
  --help | -h)
    sed -n '4,10s/^# \{0,1\}//p' "$0"
    exit 0
    ;;
  *)
    echo "packages.sh: \"$purpose\" is not one of build, test, mpi, lint, python, demo, deb," \
      "deb-check, container-check" >&2
    exit 2
    ;;
esac

if ! command -v dpkg-query > /dev/null; then
  {
    echo "packages.sh: there is no dpkg, so this system is not Debian's kin."
    echo "Please install these yourself:"
    packages | while IFS='|' read -r group names what; do
      case " $wanted " in *" $group "*) printf '  %-26s %s\n' "${names%% *}" "$what" ;; esac
    done
    echo "If they are there, run meson directly: meson setup build && ninja -C build"
  } >&2
  exit 1
fi

# Every package dpkg knows to be installed, in one call, with what it provides.
installed=" $(dpkg-query -W -f '${db:Status-Abbrev}|${Package}|${Provides}\n' 2> /dev/null \
  | sed -n 's/^[ihu]i *|//p' | sed 's/([^)]*)//g; s/[|,]/ /g' | tr '\n' ' ') "

missing=
report=
nl='
'
while IFS='|' read -r group names what; do
  case " $wanted " in *" $group "*) ;; *) continue ;; esac
  for name in $names; do
    case $installed in *" $name "*) continue 2 ;; esac
  done
  missing="$missing ${names%% *}"
  report="$report$(printf '  %-26s %s' "${names%% *}" "$what")$nl"
done << END
$(packages)
END
[ -n "$missing" ] || exit 0

by_hand() {
  {
    printf 'packages.sh: %s. As root:\n' "$1"
    printf '  apt-get install --no-install-recommends%s\n' "$missing"
  } >&2
  exit 1
}

printf 'packages.sh: missing for %s:\n%s' "$purpose" "$report" >&2
[ "${REGMIX_NO_INSTALL-}" != 1 ] || by_hand "nothing installed, as REGMIX_NO_INSTALL=1 asks"
command -v apt-get > /dev/null || by_hand "there is no apt-get here to install them"
if [ "$(id -u)" -eq 0 ]; then
  root() { "$@"; }
elif command -v sudo > /dev/null; then
  root() { sudo "$@"; }
else
  by_hand "installing needs root, and there is no sudo"
fi

# shellcheck disable=SC2086  # names have no spaces
has_candidates() { # does apt know every one of them?
  for name in $missing; do
    apt-cache policy "$name" 2> /dev/null | grep -q 'Candidate: [^(]' || return 1
  done
}
# apt's own words are shown only where it fails.
log=$(mktemp)
trap 'rm -f "$log"' EXIT
quietly() { "$@" > "$log" 2>&1 || { tail -n 20 "$log" >&2; return 1; }; }
# shellcheck disable=SC2086
install() {
  echo "packages.sh: installing them" >&2
  quietly root env DEBIAN_FRONTEND=noninteractive \
    apt-get install -q -y --no-install-recommends $missing
}
update() {
  echo "packages.sh: fetching the lists of packages" >&2
  quietly root apt-get update -q
}

if has_candidates; then
  install || { update && install; } || by_hand "apt-get could not install them"
else
  { update && install; } || by_hand "apt-get could not install them"
fi
