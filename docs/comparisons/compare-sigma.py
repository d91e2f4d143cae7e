#!/usr/bin/env python3
"""Compares Sigma matches of `thunderstorm scan` with those of pySigma's SQLite backend, rule by rule, record by record.

    pip install pysigma pysigma-backend-sqlite
    docs/comparisons/compare-sigma.py [--tool thunderstorm] [--list N] --rules DIRECTORY FILE_OR_DIRECTORY...

Only the meaning of detections is compared: both sides get the same rules with the same logsource (any Windows event;
level and logsource are replaced in the text of each rule, nothing else), and the same records with the same field names:
what `thunderstorm records` prints is loaded into one table, records that are equal in every field once. A column holds
one text: values of a repeated field are joined by newlines. pySigma makes a query of each rule; `REGEXP`, which SQLite
leaves to the program, is Python's `re` here. Disagreements are counted by what both sides are known to take
differently (see sigma.md); one that fits nothing known is printed and makes the script fail.
"""
import argparse
import collections
import json
import os
import re
import sqlite3
import subprocess
import sys
import tempfile

from comparing import files, records as read_file
from sigma.backends.sqlite import sqliteBackend
from sigma.collection import SigmaCollection
from sigma.conditions import ConditionFieldEqualsValueExpression
from sigma.exceptions import SigmaError
from sigma.types import SigmaCompareExpression, SigmaNull, SigmaRegularExpression, SigmaString

CHAIN = "chains:\n  compare: [file-type, evtx, {sigma: {threshold: informational}}]\n"
ALL = "_all"  # column of all values, for keywords


def neutral(text):
    """The rule with any Windows event as its logsource, and with a level that both sides take."""
    text = re.sub(r"^logsource:[^\n]*\n(?:[ \t]+[^\n]*\n|\n|#[^\n]*\n)*", "logsource:\n    product: windows\n", text,
                  count=1, flags=re.M)
    return re.sub(r"^level:[^\n]*$", "level: critical", text, count=1, flags=re.M)


def write_rules(source, target):
    """Rules for both sides: text by id. Files of several documents are left out; there is no such rule to compare."""
    os.makedirs(os.path.join(target, "sigma"))
    with open(os.path.join(target, "chains.yml"), "w", encoding="utf-8") as file:
        file.write(CHAIN)
    texts = {}
    for path in files([source]):
        if not path.endswith(".yml"):
            continue
        with open(path, encoding="utf-8") as file:
            text = file.read().replace("\r\n", "\n")
        found = re.search(r"^id: *([0-9a-f-]{36})", text, flags=re.M)
        if not found or "\ndetection:" not in text or re.search(r"^---", text, flags=re.M):
            continue
        texts[found.group(1)] = neutral(text)
        with open(os.path.join(target, "sigma", found.group(1) + ".yml"), "w", encoding="utf-8") as file:
            file.write(neutral(text))
    return texts


def flat(fields):
    """Fields as lists of texts."""
    return {key: [str(item) for item in value] if isinstance(value, list) else [str(value)]
            for key, value in fields.items()}


def identity(fields):
    return json.dumps(fields)


def read_records(tool, paths):
    """The different records, by identity."""
    records, total = {}, 0
    for path in paths:
        for fields in read_file(tool + " records", path, "eventlog entry")[0]:
            records.setdefault(identity(fields), fields)
            total += 1
    return records, total


def our_matches(tool, rules, paths):
    """Pairs of rule id and record identity, and rejected rules with the reason."""
    check = subprocess.run([tool, "rules", "check", "--json", "--rules", rules, "--chain", "compare"],
                           capture_output=True, check=False)
    rejected = {os.path.basename(problem["file"])[:-4]: problem["message"]
                for problem in json.loads(check.stdout)["problems"] if problem["rejected"]}
    matches = set()
    command = [tool, "scan", "--rules", rules, "--chain", "compare", "--format", "json", "--min-level", "debug"]
    with subprocess.Popen(command + paths, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as run:
        for line in run.stdout:
            finding = json.loads(line)
            if "entry" not in finding.get("subject", {}):
                continue
            record = identity(flat(finding["subject"]["entry"]))
            for reason in finding["reasons"] or []:
                if reason["signature"]["kind"] == "Sigma Rule":
                    matches.add((reason["signature"]["id"], record))
    return matches, rejected


class Rule:
    """A rule as pySigma reads it: its queries, and what it asks for."""

    def __init__(self, text, backend):
        rule = SigmaCollection.from_yaml(text).rules[0]
        self.queries = [query.replace("SELECT *", "SELECT rowid", 1) for query in backend.convert_rule(rule)]
        self.fields, self.values, self.keywords = set(), [], False
        for condition in rule.detection.parsed_condition:
            self.walk(condition.parsed)

    def walk(self, part):
        if isinstance(part, ConditionFieldEqualsValueExpression):
            self.fields.add(part.field)
            self.values.append((part.field, part.value))
            if hasattr(part.value, "field"):
                self.fields.add(part.value.field)
        elif hasattr(part, "value"):
            self.keywords = True
            self.values.append((None, part.value))
        for inner in getattr(part, "args", []):
            self.walk(inner)

    def asks(self, kind):
        return any(isinstance(value, kind) for _, value in self.values)


def regexp(pattern, value, cache={}):
    if value is None:
        return None
    if pattern not in cache:
        cache[pattern] = re.compile(pattern)
    return cache[pattern].search(str(value)) is not None


def make_table(records, columns):
    database = sqlite3.connect(":memory:")
    database.create_function("regexp", 2, regexp, deterministic=True)
    names = ", ".join('"' + name.replace('"', '""') + '" TEXT COLLATE NOCASE' for name in columns + [ALL])
    database.execute(f"CREATE TABLE logs ({names})")
    marks = ", ".join("?" * (len(columns) + 1))
    for fields in records.values():
        values = collections.defaultdict(list)
        for name, items in fields.items():
            values[name.lower()] += items
        row = ["\n".join(values[name.lower()]) if name.lower() in values else None for name in columns]
        everything = "\n".join(item for items in fields.values() for item in items)
        database.execute(f"INSERT INTO logs VALUES ({marks})", row + [everything])
    return database


def known_reason(rule, fields):
    """What both sides take differently in this rule and record; None if nothing is known."""
    named = {name.lower() for name in rule.fields if name}
    mine = collections.defaultdict(list)
    for name, items in fields.items():
        mine[name.lower()] += items
    if any(len(mine[name]) > 1 for name in named if name in mine):
        return "a field with several values"
    if rule.asks(SigmaNull) and any(
            mine.get(field.lower()) == [""] for field, value in rule.values if field and isinstance(value, SigmaNull)):
        return "null and an empty value"
    if rule.asks(SigmaCompareExpression):
        return "numbers in order"
    if rule.keywords and rule.asks(SigmaRegularExpression):
        return "a regular expression as a keyword"
    texts = [str(value) for _, value in rule.values if isinstance(value, SigmaString)]
    if any(ord(character) > 127 for text in texts for character in text):
        return "letters beyond ASCII"
    return None


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--tool", default="thunderstorm", help="the program")
    arguments.add_argument("--rules", required=True, help="folder of Sigma rules")
    arguments.add_argument("--list", type=int, default=20, help="how many disagreements of a kind to print")
    arguments.add_argument("paths", nargs="+", help="event logs")
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory() as work:
        texts = write_rules(options.rules, work)
        paths = list(files(options.paths))
        records, total = read_records(options.tool, paths)
        ours, rejected = our_matches(options.tool, work, paths)
    backend = sqliteBackend(collate_nocase=True, fulltext_field=ALL)
    rules, refused = {}, {}
    for number, text in texts.items():
        try:
            rules[number] = Rule(text, backend)
        except (SigmaError, NotImplementedError) as error:
            refused[number] = str(error)
    columns = {name.lower(): name for rule in rules.values() for name in rule.fields if name}
    database = make_table(records, sorted(columns.values()))
    keys = list(records)
    theirs = set()
    for number, rule in list(rules.items()):
        try:
            for query in rule.queries:
                theirs |= {(number, keys[row[0] - 1]) for row in database.execute(query)}
        except (sqlite3.Error, re.error) as error:
            refused[number] = str(error)
            del rules[number]
    for name, found in (("rules we reject", rejected), ("rules that pySigma or SQLite rejects", refused)):
        print(f"{name}: {len(found)}")
        for number, reason in sorted(found.items()):
            print(f"  {number}: {reason.splitlines()[0][:200]}")
    compared = set(rules) - set(rejected)
    mine = {match for match in ours if match[0] in compared}
    other = {match for match in theirs if match[0] in compared}
    kinds = collections.defaultdict(list)
    for number, record in sorted(mine ^ other):
        kinds[known_reason(rules[number], records[record]) or "unexplained"].append((number, record))
    for kind, found in sorted(kinds.items()):
        only = sum(match in mine for match in found)
        print(f"{kind}: {len(found)} ({only} only ours, {len(found) - only} only theirs)")
        for number, record in found[:options.list]:
            side = "ours" if (number, record) in mine else "theirs"
            named = {name.lower() for name in rules[number].fields if name}
            shown = {name: value for name, value in records[record].items()
                     if name.lower() in named or name in ("Channel", "EventID", "EventRecordID")}
            print(f"  only {side}: {number} {str(shown)[:400]}")
    print(f"records {total}, different {len(records)}, rules of both {len(compared)}, with a match "
          f"{len({match[0] for match in mine | other})}, matches of both {len(mine & other)}, "
          f"only ours {len(mine - other)}, only theirs {len(other - mine)}")
    return 1 if "unexplained" in kinds else 0


if __name__ == "__main__":
    sys.exit(main())
