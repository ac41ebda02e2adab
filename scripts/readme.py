#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""readme.py [--check] [PROGRAM]: the README's picture, numbers and sample output, from one run.

Without --check it runs the quickstart with PROGRAM (default build/regmix). What is done already is
not done again. It then writes

  docs/images/quickstart.txt   what the run printed
  docs/images/report.png       the top of the run's page, drawn by Chromium; it names the text above
  README.md                    the blocks between <!-- quickstart NAME --> and <!-- end -->

With --check it changes nothing and fails if the README or the picture is not of the run in
docs/images/quickstart.txt, or if docs/results/quickstart.md lacks one of its numbers.
"""
import hashlib
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import textwrap
import zlib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TEXT = ROOT / "docs/images/quickstart.txt"
PICTURE = ROOT / "docs/images/report.png"
README = ROOT / "README.md"
RESULTS = ROOT / "docs/results/quickstart.md"
WIDTH, HEIGHT = 1200, 1290  # down to the chart of the shares
BLOCK = re.compile(r"(<!-- quickstart (\w+):.*?-->\n).*?(<!-- end -->)", re.DOTALL)
NUMBER = r"(-?\d+\.\d+)"
KEY = b"quickstart"


def rows(text):
    """name -> numbers of the comparison: loss, se, and for rivals difference, from, to."""
    return {m[1]: [float(x) for x in re.findall(NUMBER, m[2])]
            for m in re.finditer(rf"^  (\w+)(?: \([^)]*\))? +((?:{NUMBER} *)+)", text, re.MULTILINE)
            if len(re.findall(NUMBER, m[2])) in (2, 5)}


def headline(text):
    table = rows(text)
    seeds = re.search(r"paired over (\d+) seeds", text)[1]
    gain, low, high = table["prior"][2:]
    optimum, prior = table["optimum"][0], table["prior"][0]
    said = (f"On the text of the [quickstart](docs/results/quickstart.md), a larger model trained "
            f"on the mixture found has a loss of **{optimum:.2f} nats per token, against {prior:.2f}** "
            f"for the prior. That is a gain of {gain:.2f}, with a 95\0% interval of {low:.2f} to "
            f"{high:.2f} over {seeds} paired seeds.")
    return textwrap.fill(said, 100, break_on_hyphens=False).replace("\0", " ") + "\n"


def blocks(text):
    return {"headline": headline(text), "output": f"```\n{text.strip()}\n```\n"}


def with_blocks(readme, text):
    made = blocks(text)
    return BLOCK.sub(lambda m: m[1] + made[m[2]] + m[3], readme)


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest().encode()


def chunks(png):
    at = 8
    while at < len(png):
        size, kind = struct.unpack(">I4s", png[at:at + 8])
        yield kind, png[at + 8:at + 8 + size]
        at += size + 12


def named(png, text):
    """The PNG with a text chunk that names the run."""
    data = KEY + b"\0" + digest(text)
    crc = struct.pack(">I", zlib.crc32(b"tEXt" + data))
    chunk = struct.pack(">I", len(data)) + b"tEXt" + data + crc
    return png[:33] + chunk + png[33:]  # after the header


def draw(page, text):
    names = ["chromium", "chromium-browser", "google-chrome"]
    browser = next(filter(None, map(shutil.which, names)), None)
    if not browser:
        sys.exit("readme.py: no Chromium here to draw the picture (Debian: apt install chromium)")
    with tempfile.TemporaryDirectory() as work:
        shot = Path(work) / "shot.png"
        subprocess.run([browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
                        f"--user-data-dir={work}/profile", f"--window-size={WIDTH},{HEIGHT}",
                        "--virtual-time-budget=20000", f"--screenshot={shot}", f"file://{page}"],
                       check=True, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                       timeout=300)
        PICTURE.write_bytes(named(shot.read_bytes(), text))


def make(program):
    experiment = ROOT / "examples/quickstart"
    ran = subprocess.run([program, "run", "examples/quickstart/regmix.yaml"], cwd=ROOT,
                         stdout=subprocess.PIPE, text=True, check=False)
    if ran.returncode != 0:
        return ran.returncode
    text = ran.stdout.strip() + "\n"
    TEXT.write_text(text)
    draw(experiment / "report.html", text)
    README.write_text(with_blocks(README.read_text(), text))
    return check()


def check():
    wrong = []
    text, readme = TEXT.read_text(), README.read_text()
    if set(m[2] for m in BLOCK.finditer(readme)) != set(blocks(text)):
        wrong.append("README.md lacks a block of the quickstart: " + ", ".join(blocks(text)))
    if with_blocks(readme, text) != readme:
        wrong.append("README.md has other numbers than docs/images/quickstart.txt")
    if (b"tEXt", KEY + b"\0" + digest(text)) not in chunks(PICTURE.read_bytes()):
        wrong.append("docs/images/report.png was not drawn from the run in docs/images/"
                     "quickstart.txt")
    results = RESULTS.read_text()
    for name, (loss, se, *difference) in rows(text).items():
        wanted = [f"{loss:.4f} ± {se:.4f}"] + [f"{x:.4f}" for x in difference[:1]]
        wrong += [f"docs/results/quickstart.md lacks {x}, of {name}" for x in wanted
                  if x not in results]
    for line in wrong:
        print(f"readme.py: {line}; `make readme` makes all of them from one run", file=sys.stderr)
    return 1 if wrong else 0


def main(arguments):
    if arguments[:1] in (["-h"], ["--help"]):
        print(__doc__)
        return 0
    if arguments == ["--check"]:
        return check()
    if len(arguments) > 1 or arguments[:1] == ["--check"]:
        print("usage: readme.py [--check] [PROGRAM]", file=sys.stderr)
        return 2
    return make(str(Path(arguments[0] if arguments else ROOT / "build/regmix").resolve()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
