"""What the comparison scripts share: records of `thunderstorm records`, files of folders, and the tally of fields."""
import argparse
import collections
import json
import os
import shlex
import subprocess
import sys


def arguments(description):
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument("--tool", default="thunderstorm records", help="command that prints records of one file")
    parser.add_argument("--list", type=int, default=20, help="how many unexplained disagreements to print")
    parser.add_argument("paths", nargs="+", metavar="FILE_OR_DIRECTORY")
    return parser.parse_args()


def files(paths):
    for path in paths:
        if os.path.isfile(path):
            yield path
        for folder, _, names in sorted(os.walk(path)):
            for name in sorted(names):
                yield os.path.join(folder, name)


def records(tool, path, kind):
    """Records of a type (None: any) as dictionaries of lists of texts, and what was said of damage."""
    run = subprocess.run(shlex.split(tool) + [path], capture_output=True, check=False)
    found = []
    for line in run.stdout.decode("utf-8", "replace").split("\n"):
        if line.startswith("{"):
            record = json.loads(line)
            if kind in (None, record["type"]):
                found.append({
                    name: value if isinstance(value, list) else [value] for name, value in record["fields"].items()})
    issues = [line.strip() for line in run.stderr.decode("utf-8", "replace").split("\n")[1:] if line.strip()]
    return found, issues


class Tally:
    """Counts equal and different fields; a difference is explained or listed."""

    def __init__(self, limit):
        self.limit = limit
        self.count = collections.Counter()
        self.reasons = collections.Counter()

    def compare(self, path, names, mine, theirs, same=lambda name, a, b: a == b, explain=lambda name, a, b: None):
        """`mine` and `theirs`: fields as lists of texts; one that is missing is an empty list."""
        equal = True
        for name in names:
            left, right = mine.get(name, []), theirs.get(name, [])
            if not left and not right:
                continue
            self.count["fields compared"] += 1
            if same(name, left, right):
                self.count["fields equal"] += 1
                continue
            equal = False
            reason = explain(name, left, right)
            if reason:
                self.reasons[reason] += 1
            else:
                self.disagree(f"{path}: {name}: here {str(left)[:200]}, there {str(right)[:200]}")
        self.count["records compared"] += 1
        self.count["records equal"] += equal

    def disagree(self, sentence):
        self.count["unexplained"] += 1
        if self.count["unexplained"] <= self.limit:
            print(sentence)

    def finish(self):
        for reason, number in self.reasons.most_common():
            print(f"explained {number}: {reason}")
        print(", ".join(f"{name} {number}" for name, number in self.count.items()))
        sys.exit(1 if self.count["unexplained"] else 0)
