#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test_study.sh: the study's page in Chromium: the committed one, and one with rows for every part.
# No error, every figure there, what did not replicate on the first screen, nothing wider than a
# telephone. Speaks TAP.
# tap.sh wants a program to test; there is none here
set -- true
. "$(dirname "$0")/../cli/tap.sh"
browser=
for name in chromium chromium-browser google-chrome; do
  if command -v "$name" > /dev/null; then browser=$name; break; fi
done
if [ -z "$browser" ]; then
  echo "1..0 # SKIP no Chromium here (Debian: apt install chromium)"
  exit 0
fi
python3 "$ROOT/tests/browser/study_tables.py" "$SCRATCH/full" &&
  python3 -B "$ROOT/scripts/study/make.py" --page --study "$SCRATCH/full" > "$SCRATCH/made" ||
  { echo "Bail out! no page of made-up tables"; exit 1; }
mkdir "$SCRATCH/committed" && cp "$ROOT/docs/study/index.html" "$SCRATCH/committed/"

# What a page says of itself goes into its title. Its own policy forbids scripts; the copy allows
# this one.
measure='<script>addEventListener("load", () => {
  const seen = (e) => { const b = e.getBoundingClientRect(); return b.width > 0 && b.height > 20; };
  const drawn = [...document.querySelectorAll("svg")].filter(seen);
  const out = drawn.filter((s) => [...s.querySelectorAll("text")].some((t) => {
    const a = t.getBoundingClientRect(), b = s.getBoundingClientRect();
    return a.left < b.left - 2 || a.right > b.right + 2 || a.bottom > b.bottom + 2; }));
  const no = document.querySelector("#summary .state.no"), first = no.nextElementSibling;
  document.title = ["figures", new Set(drawn.map((s) => s.dataset.figure)).size, drawn.length,
    "cut", out.map((s) => s.dataset.figure).join(" "),
    "tables", document.querySelectorAll("[data-table] tbody").length,
    "first", no.getBoundingClientRect().bottom < innerHeight,
    "claims", first.childElementCount, first.lastElementChild.getBoundingClientRect().bottom < innerHeight,
    "wide", document.documentElement.scrollWidth <= innerWidth].join(",");
});</script>'
policy="s/style-src 'unsafe-inline'/style-src 'unsafe-inline'; script-src 'unsafe-inline'/"
said() { # said NAME WIDTH HEIGHT
  sed "$policy" "$SCRATCH/$1/index.html" > "$SCRATCH/$1/copy.html"
  printf '%s' "$measure" >> "$SCRATCH/$1/copy.html"
  timeout 120 "$browser" --headless --no-sandbox --disable-gpu --no-first-run \
    --disable-background-networking --user-data-dir="$SCRATCH/profile" --window-size="$2,$3" \
    --enable-logging=stderr --virtual-time-budget=5000 --dump-dom \
    "file://$SCRATCH/$1/copy.html" 2> "$SCRATCH/log" | sed -n 's/.*<title>\(figures[^<]*\).*/\1/p'
}
errors() { grep -c 'CONSOLE' "$SCRATCH/log"; }

for width in 1200 400; do
  same "every part has rows, width $width: nine figures, none cut, on the first screen, not wide" \
    "figures,9,9,cut,,tables,9,first,true,claims,7,true,wide,true" "$(said full $width 950)"
  same "every part has rows, width $width: no error" 0 "$(errors)"
  got=$(said committed $width 950)
  figures=$(grep -c '<figure' "$SCRATCH/committed/index.html")
  same "the committed page, width $width: its figures, on the first screen, not wide" \
    "figures,$figures,$figures,cut,,tables,$figures,first,true,claims,*,true,wide,true" "$(printf %s "$got" | sed "s/claims,[0-9]*/claims,*/")"
  same "the committed page, width $width: no error" 0 "$(errors)"
done
case $(cat "$SCRATCH/full/index.html") in
  *http://* | *https://* | *"<script"*) not_ok "nothing is loaded from elsewhere" ;;
  *) ok "nothing is loaded from elsewhere" ;;
esac
done_testing
