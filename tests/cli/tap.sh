# shellcheck shell=sh
# SPDX-License-Identifier: Apache-2.0
# What the shell tests share: TAP, the root of the project (the test is in tests/FOLDER), a scratch
# folder that goes away, and the program under test.
# Usage: . tap.sh; $1 of the test is the regmix to test.
set -u
# absolute FILE: its absolute path
absolute() { echo "$(cd "$(dirname "$1")" && pwd)/$(basename "$1")"; }
# shellcheck disable=SC2034 # the tests use it
ROOT=$(cd "$(dirname "$0")/../.." && pwd)
REGMIX=${1:?usage: test_x.sh path/to/regmix}
case $REGMIX in */*) REGMIX=$(absolute "$REGMIX") ;; esac
SCRATCH=$(mktemp -d)
trap 'rm -rf "$SCRATCH"' EXIT
trap 'exit 130' INT TERM
tests=0
ok() { tests=$((tests + 1)); echo "ok $tests - $1"; }
not_ok() {
  tests=$((tests + 1))
  echo "not ok $tests - $1"
  [ -z "${2-}" ] || printf '%s\n' "$2" | sed 's/^/# /'
}
skip() { tests=$((tests + 1)); echo "ok $tests - $1 # SKIP $2"; }
done_testing() { echo "1..$tests"; }

# try NAME CODE TEXT COMMAND...: the command ends with CODE, and stdout or stderr has TEXT in it.
try() {
  name=$1 wanted=$2 text=$3
  shift 3
  "$@" > "$SCRATCH/stdout" 2> "$SCRATCH/stderr" < /dev/null
  code=$?
  if [ $code -ne "$wanted" ]; then
    not_ok "$name" "exit $code, wanted $wanted
$(tail -n 5 "$SCRATCH/stderr")"
  elif [ -n "$text" ] && ! grep -qF -- "$text" "$SCRATCH/stdout" "$SCRATCH/stderr"; then
    not_ok "$name" "no \"$text\" in what it printed:
$(tail -n 5 "$SCRATCH/stdout")
$(tail -n 5 "$SCRATCH/stderr")"
  else
    ok "$name"
  fi
}

# printed NAME TEXT: the last command of `try` printed it. not_printed NAME TEXT: it did not.
printed() {
  if grep -qF -- "$2" "$SCRATCH/stdout" "$SCRATCH/stderr"; then
    ok "$1"
  else
    not_ok "$1" "no \"$2\" in: $(cat "$SCRATCH/stdout" "$SCRATCH/stderr")"
  fi
}
not_printed() {
  if grep -qF -- "$2" "$SCRATCH/stdout" "$SCRATCH/stderr"; then
    not_ok "$1" "$(cat "$SCRATCH/stdout" "$SCRATCH/stderr")"
  else
    ok "$1"
  fi
}

# same NAME WANTED GOT: two texts are the same; a difference shows its first lines.
same() {
  if [ "$2" = "$3" ]; then
    ok "$1"
  else
    printf '%s\n' "$2" > "$SCRATCH/wanted"
    printf '%s\n' "$3" > "$SCRATCH/got"
    not_ok "$1" "$(diff "$SCRATCH/wanted" "$SCRATCH/got" | head -5)"
  fi
}
# value FILE PYTHON: what an expression says of the JSON file `o`.
value() {
  python3 -c 'import json, sys
o = json.load(open(sys.argv[1]))
print(eval(sys.argv[2]))' "$1" "$2"
}

# preload LIBRARY [NAME=VALUE]... COMMAND...: runs it with the functions of the library in place of
# those of the C library, under a sanitizer too.
preload() {
  library=$1
  shift
  env LD_PRELOAD="$library" ASAN_OPTIONS="${ASAN_OPTIONS:-}:verify_asan_link_order=0" "$@"
}

# took COMMAND...: prints how many microseconds it takes, to have a kill fall into it.
took() {
  began=$(date +%s%N)
  "$@" > /dev/null 2>&1
  echo $((($(date +%s%N) - began) / 1000))
}
# wait_part MICROSECONDS N: waits for N hundredths of that, less than a second.
wait_part() { sleep "$(printf '0.%06d' $(($1 * $2 / 100 % 1000000)))"; }
