#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""plain.py [FILE...]: habits of writing that make a reader read a sentence twice.

Checks the text of Markdown files, the texts of the commands (docs/commands/) and the strings of C
files (help, notes, warnings, errors) against HABITS. Without FILE it checks the documents in
CHECKED and all C files of src/ and cli/. It also checks that every link between documents leads to
a file, and that CITATION.cff names the newest version of CHANGELOG.md. Exit status 1: something was
found.
"""
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
COLUMNS = 100  # of Markdown prose; tables and code may be wider
CHECKED = """
README.md ARCHITECTURE.md CHANGELOG.md CONTRIBUTING.md SECURITY.md docs/faults.md
docs/glossary.md docs/results/*.md docs/method.md docs/studies.md docs/trainer.md docs/design/*.md
docs/commands/*.txt
""".split()
HABITS = [(re.compile(pattern, re.IGNORECASE), advice) for pattern, advice in [
    (r"\bbehind\b", "after, next to"),
    (r"\bso (many|much) (of|that|as)\b|\b(to|of|for|in|after) so (many|much)\b",
     "that many, as many"),
    (r"\b(is|are|was|were|be|been|and) (told|heard)\b", "printed, reported, warned about"),
    (r"\b(is|are|be) said\b|\bsays? so\b", "printed, reported"),
    (r"\bat (most|least)(?=[.;,:)]|$)", "or less, or more, no more than"),
    (r"\bwhich of them\b", "which one"),
    (r"\bwho(ever)? (gives|wants|has|looks|is at)\b|\bwhoever\b",
     "say what happens: `--x` selects ..."),
    (r"(?<!there )\b(is|are) no (?!longer|more|better|worse|such|difference)\w+", "is not a"),
    (r"\b(of|in|to|for) whom\b|\bwhose own\b", "a sentence of its own"),
    (r"\bgo(es)? by\b(?! (hand|itself))", "depends on, uses"),
    (r"\bstands? (at|in|behind|beside|there|first|to the)\b", "is"),
    (r"\b(as dear|dearest|dearer)\b", "expensive, slow"),
    (r"\bhalf as much again\b", "1.5 times"),
    (r"(?:^|[.!?:] )Of (?!course)[a-z ]+[,]? ", "subject first"),
    (r"\bwithout a word\b", "silently"),
    (r"\bthe least\b", "the lowest, the smallest"),
    (r"\bis after\b|\bare after\b", "aims at"),
    (r"\bby lot\b", "at random"),
    (r"\bcan(not)? be had\b|\bto be had\b", "available"),
    (r"\bdone without\b", "not needed"),
    (r"\banew\b", "again"),
    (r"\bparted by\b", "separated by"),
    (r"\b(is|are) there twice\b", "is given twice"),
]]


def prose(path):
    """(line number, paragraph) of a document, without code and without the examples of a command."""
    fenced, start, words = False, 0, []
    text = path.read_text().split("Examples:\n")[0] if path.suffix == ".txt" else path.read_text()
    for n, line in enumerate(text.splitlines() + [""], 1):
        fence = line.lstrip().startswith("```")
        alone = line.startswith(("|", "#"))
        if fence or fenced or alone or not line.strip() or re.match(r"\s*([-*]|\d+\.) ", line):
            if words:
                yield start, " ".join(words)
            words = []
        if fence:
            fenced = not fenced
        elif not fenced and line.strip():
            if not words:
                start = n
            words.append(line.strip())
            if alone:
                yield n, words.pop()


def strings(path):
    """(line number, string) of a C file; strings that follow each other are one."""
    string, text = r'"(?:[^"\\\n]|\\.)*"', path.read_text()
    other = r"/\*.*?\*/|//[^\n]*|'(?:[^'\\\n]|\\.)+'"
    for m in re.finditer(rf"{other}|({string}(?:\s*{string})*)", text, re.DOTALL):
        if m[1]:
            parts = re.findall(string, m[1])
            yield text.count("\n", 0, m.start()) + 1, "".join(part[1:-1] for part in parts)


def two_colons(text):
    sentences = re.split(r"[.!?;] |\| ", text)
    return any(len(re.findall(r"\w\)?: ", sentence)) > 1 for sentence in sentences)


def look(path):
    markdown, document = path.suffix == ".md", path.suffix in (".md", ".txt")
    for n, text in prose(path) if document else strings(path):
        quoted = r'|"[^"]*"' if document else ""
        text = re.sub(r"`[^`]*`|\]\([^)]*\)|<!--.*?-->" + quoted, "x", text)
        for pattern, advice in HABITS:
            if found := pattern.search(text):
                yield n, f'"{found[0].strip()}" (instead: {advice})'
        if document and two_colons(text):
            yield n, "two colons in one sentence"
    fenced = False
    for n, line in enumerate(path.read_text().splitlines(), 1):
        if line.startswith("```"):
            fenced = not fenced
        if markdown and not fenced and not line.startswith("|") and len(line) > COLUMNS:
            yield n, f"{len(line)} columns"


def broken_links():
    for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/**/*.md")]:
        for link in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", path.read_text()):
            if not (path.parent / link).exists():
                yield f"{path.relative_to(ROOT)}: no file {link}"


def other_version():
    cited = re.search(r"^version: (\S+)", (ROOT / "CITATION.cff").read_text(), re.MULTILINE)[1]
    newest = re.search(r"^## \[(\d[^\]]*)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)[1]
    if cited != newest:
        yield f"CITATION.cff: version {cited}, but the newest of CHANGELOG.md is {newest}"


def main(arguments):
    if arguments[:1] in (["-h"], ["--help"]):
        print(__doc__)
        return 0
    paths = [Path(a) for a in arguments] or [
        *(p for name in CHECKED for p in sorted(ROOT.glob(name))),
        *(p for room in ("src", "cli") for p in sorted((ROOT / room).rglob("*.[ch]")))]
    found = [f"{path}:{n}: {what}" for path in paths for n, what in look(path)]
    if not arguments:
        found += [*broken_links(), *other_version()]
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
