#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_offered.py REGMIX: help, completion and the parser know the same commands, options, choices and bounds.

All of them are read from `help --json`, so nothing here names them. Speaks TAP.
"""
import json
import sys

from small_experiment import Experiment, ok, tests


def offered(e, *words):
    """{word: its explanation} that completion offers."""
    return dict(line.partition("\t")[::2] for line in e.call("complete", "--", *words)[1].splitlines())


def all_tests(regmix, folder):
    e = Experiment(regmix, folder)
    commands = {c["name"]: c for c in e.json("help")["commands"]}
    summaries = {name: c["summary"] for name, c in commands.items()}
    for words in (("",), ("help", ""), ("man", "")):
        found = offered(e, *words)
        missing = {n for n, s in summaries.items() if found.get(n) != s}
        ok(not missing, f"completion after {words[:-1]} offers every command with its summary", missing)
    extra = set(offered(e, "")) - set(commands)
    ok(extra == {"--help", "--version"}, "and no other word but --help and --version", extra)
    text = e.call("--help")[1]
    ok(all(n in text and s.split(":")[0][:30] in " ".join(text.split()) for n, s in summaries.items()), "regmix --help lists every command", text)
    for name, c in commands.items():
        found, page, man = offered(e, name, "--"), e.call(name, "--help")[1], e.call("man", name)[1]
        options = {o["name"]: o for o in c["options"]}
        one_line = " ".join(page.split())
        missing = [o for o in options if o not in found]
        ok(not missing, f"{name}: completion offers its options", missing)
        missing = [n for n, o in options.items() if f"  {n}" not in page or o["help"][:40] not in one_line]
        ok(not missing, f"{name} --help has its options and their help", missing)
        missing = [o for o in options if o.replace("-", "\\-") not in man and o not in man]
        ok(not missing, f"the man page of {name} has its options", missing)
        ok(page.startswith(f"regmix {name}") or f"regmix {name}" in page.split("\n\n")[0], f"{name} --help begins with its form", page[:200])
        for o in options.values():
            test_option(e, name, o)


# Values that no option of a type takes, and what is said of them.
REFUSED = {"integer": [("2.5", "is not a whole number"), ("many", "is not a whole number")], "number": [("many", "is not a number")],
           "duration": [("2 weeks", "is not a duration")], "choice": [("zebra", "is none of")], "flag": [("zebra", "")], "text": [], "list": []}


def test_option(e, command, o):
    """The parser refuses what the help rules out, before the command does anything."""
    name, wrong = o["name"], []
    values = list(REFUSED[o["type"]])
    for bound, step in (("min", -1), ("max", 1)):
        if bound in o:
            value = o[bound] + step * max(1, abs(o[bound]))
            values.append((f"{value:.0f}" if o["type"] == "integer" else f"{value:.17g}", "is out of bounds; it goes from"))
    for value, text in values:
        code, _, said = e.call(command, f"{name}={value}")
        if code != 2 or text not in said:
            wrong.append(f"{name}={value}: exit {code}, {said}")
    ok(not wrong, f"{command} {name}: a {o['type']}, and nothing else is taken", "\n".join(wrong))
    if o["type"] == "choice":
        choices = o["choices"].split("|")
        got = list(offered(e, command, name, "")), list(offered(e, command, f"{name}="))
        ok(got == (choices, [f"{name}={x}" for x in choices]), f"{command} {name}: completion offers its choices", got)


if __name__ == "__main__":
    sys.exit(tests(all_tests))
