# SPDX-License-Identifier: Apache-2.0
"""bio.py GO.sqlite: the terms of the Gene Ontology with their definitions, NUL after each."""
import sqlite3
import sys

for term, definition in sqlite3.connect(sys.argv[1]).execute(
        "SELECT term, definition FROM go_term WHERE definition IS NOT NULL AND go_id != 'all' ORDER BY go_id"):
    sys.stdout.write(term + "\n\n" + definition + "\0")
