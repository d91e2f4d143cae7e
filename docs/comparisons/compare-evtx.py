#!/usr/bin/env python3
"""Compares the event records of `thunderstorm records` with the JSON of the Rust `evtx` parser, field by field.

    pip install evtx
    docs/comparisons/compare-evtx.py [--tool 'thunderstorm records'] [--list N] FILE_OR_DIRECTORY...

The tool is called with one event log at a time and prints one JSON object a line: {"type", "offset", "fields"}; a field
that occurs more than once is a list. The other side's nested JSON is brought into the same flat form here, by rules
written down anew (see evtx.md), so that a slip in the naming of fields shows. Records are paired by their position
in the file; one that only one side has is a disagreement too.
"""
import argparse
import collections
import json
import os
import re
import shlex
import subprocess
import sys

import evtx


def texts(value):
    """A JSON value as the list of texts that a field has."""
    if isinstance(value, list):
        return [text for item in value for text in texts(item)]
    if value is None:
        return [""]
    if isinstance(value, bool):
        return ["true" if value else "false"]
    return [str(value)]


class Pairs(list):
    """A JSON object as its pairs: order and repeated names are kept."""

    def get(self, name):
        return next((value for key, value in self if key == name), None)

    def children(self):
        """Pairs without attributes and text; `Name_1`, `Name_2` behind a `Name` are repetitions of it."""
        names = {key for key, _ in self}
        for key, value in self:
            if key in ("#attributes", "#text"):
                continue
            number = re.fullmatch(r"(.*)_(\d+)", key)
            yield (number.group(1) if number and number.group(1) in names else key), value


def attributes(value):
    found = value.get("#attributes") if isinstance(value, Pairs) else None
    return [(key, item) for key, item in found or [] if not key.startswith("xmlns")]


def has_attributes(value):
    return isinstance(value, Pairs) and bool(value.get("#attributes"))


def is_leaf(value):
    return not isinstance(value, Pairs) or not list(value.children())


class Flat:
    """Ordered fields, each with all its values."""

    def __init__(self):
        self.fields = {}

    def add(self, name, values):
        self.fields.setdefault(name, []).extend(values)

    def system(self, system):
        special = {("TimeCreated", "SystemTime"): "TimeCreated", ("EventID", "Qualifiers"): "Qualifiers"}
        for name, value in system.children():
            for attribute, item in attributes(value):
                if item not in (None, ""):
                    self.add(special.get((name, attribute), f"{name}_{attribute}"), texts(item))
            text = value.get("#text") if isinstance(value, Pairs) else value
            if text not in (None, ""):
                self.add(name, texts(text))

    def data(self, data):
        for attribute, item in attributes(data):
            if item not in (None, ""):
                self.add(f"EventData_{attribute}", texts(item))
        if not isinstance(data, Pairs):
            return
        for name, value in data.children():
            if not isinstance(value, Pairs):
                self.add(name, texts(value))
                continue
            named = [item for attribute, item in attributes(value) if attribute == "Name"]
            name = named[0] if named and named[0] else name
            for attribute, item in attributes(value):
                if attribute != "Name" and item not in (None, ""):
                    self.add(f"{name}_{attribute}", texts(item))
            if is_leaf(value):
                text = value.get("#text")
                if text is not None or not has_attributes(value) or named:
                    self.add(name, texts(text))
            else:
                self.leaves(value, root=True)

    def user(self, user):
        for name, value in user.children() if isinstance(user, Pairs) else []:
            self.leaves(Pairs([(name, value)]), root=True)

    def leaves(self, element, root):
        found = []

        def walk(element, path, depth):
            for name, value in element.children():
                for attribute, item in attributes(value):
                    if item not in (None, ""):
                        found.append((path, f"{name}_{attribute}", texts(item)))
                if is_leaf(value):
                    text = value.get("#text") if isinstance(value, Pairs) else value
                    if text is not None or not has_attributes(value):
                        found.append((path, name, texts(text)))
                else:
                    walk(value, path + [name] if depth else [], depth + 1)

        walk(element, [], 0)
        paths = collections.defaultdict(set)
        for path, name, _ in found:
            paths[name].add(tuple(path))
        for path, name, values in found:
            self.add("_".join(path + [name]) if len(paths[name]) > 1 else name, values)


def flatten(text):
    event = json.loads(text, object_pairs_hook=Pairs).get("Event")
    flat = Flat()
    for name, value in event.children():
        if name == "System":
            flat.system(value)
        elif name == "EventData":
            flat.data(value)
        else:
            for attribute, item in attributes(value):
                flat.add(f"{name}_{attribute}", texts(item))
            flat.user(value)
    return flat.fields


def reference(path):
    """Records of the reference in file order as (number, fields), and how often it failed."""
    records, errors = [], 0
    try:
        found = iter(evtx.PyEvtxParser(path).records_json())
    except (RuntimeError, OSError, ValueError):
        return [], 1
    while True:
        try:
            record = next(found)
        except StopIteration:
            return records, errors
        except (RuntimeError, OSError, ValueError):
            errors += 1
            continue
        if isinstance(record, Exception):
            errors += 1
        else:
            records.append((record["event_record_id"], flatten(record["data"])))


def ours(command, path):
    run = subprocess.run(command + [path], capture_output=True, check=False)
    records = []
    with open(path, "rb") as file:
        content = file.read()
    for line in run.stdout.splitlines():
        record = json.loads(line)
        if "fields" not in record:
            continue
        number = int.from_bytes(content[record["offset"] + 8:record["offset"] + 16], "little")
        fields = {key: value if isinstance(value, list) else [value] for key, value in record["fields"].items()}
        records.append((number, fields))
    return records


def same_value(left, right):
    if left == right:
        return True
    try:
        return float(left) == float(right) and "." in left + right
    except ValueError:
        return False


def differences(left, right):
    """Names of fields that differ, with both values."""
    result = []
    if list(left) != list(right) and set(left) == set(right):
        result.append(("(order)", list(left), list(right)))
    for name in left | right:
        mine, theirs = left.get(name), right.get(name)
        if mine is None or theirs is None or len(mine) != len(theirs) or not all(map(same_value, mine, theirs)):
            result.append((name, mine, theirs))
    return result


def pair(mine, theirs):
    """Pairs equal record numbers in order of appearance."""
    left = collections.defaultdict(collections.deque)
    for number, fields in mine:
        left[number].append(fields)
    for number, fields in theirs:
        yield number, (left[number].popleft() if left[number] else None), fields
    for number, rest in left.items():
        for fields in rest:
            yield number, fields, None


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--tool", default="thunderstorm records", help="command that prints records of one file")
    arguments.add_argument("--list", type=int, default=20, help="how many disagreements to print")
    arguments.add_argument("paths", nargs="+")
    options = arguments.parse_args()
    files = []
    for path in options.paths:
        if os.path.isfile(path):
            files.append(path)
        for folder, _, names in sorted(os.walk(path)):
            files += [os.path.join(folder, name) for name in sorted(names)]
    total = equal = missing = extra = shown = values = 0
    for path in files:
        theirs, errors = reference(path)
        mine = ours(shlex.split(options.tool), path)
        for number, left, right in pair(mine, theirs):
            total += 1
            values += sum(map(len, (right or left).values()))
            if left is None:
                missing += 1
                reason = "only the reference has it"
            elif right is None:
                extra += 1
                reason = "only we have it"
            else:
                found = differences(left, right)
                if not found:
                    equal += 1
                    continue
                reason = "; ".join(f"{name}: {str(a)[:200]} / {str(b)[:200]}" for name, a, b in found[:3])
            shown += 1
            if shown <= options.list:
                print(f"{path} record {number}: {reason}")
        if errors or len(mine) != len(theirs):
            print(f"{path}: {len(mine)} records, reference {len(theirs)} and {errors} errors")
    both = total - missing - extra
    print(f"files {len(files)}, records of both {both}, equal {equal} ({100 * equal / max(both, 1):.3f} %), "
          f"only reference {missing}, only ours {extra}, values compared {values}")
    return 0 if equal >= 0.999 * both and missing == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
