#!/usr/bin/env python3
"""Compares what `thunderstorm records` reads from scheduled tasks (XML) with Python's own XML parser.

    docs/comparisons/compare-tasks.py [--tool 'thunderstorm records'] FILE_OR_DIRECTORY...

Commands, COM handlers, user, triggers (their number and kinds), and the settings Enabled and Hidden of every task are
compared; disagreements are listed.
"""
import argparse
import json
import os
import shlex
import subprocess
import sys
import xml.etree.ElementTree as ElementTree


def local(element):
    return element.tag.rsplit("}", 1)[-1]


def child(element, *names):
    for name in names:
        element = next((inner for inner in element if local(inner) == name), None) if element is not None else None
    return element


def text(element, *names):
    found = child(element, *names)
    return (found.text or "").strip() if found is not None else ""


def expected(root):
    """The fields of a task, by the schema of MS-TSCH 2.5."""
    actions = child(root, "Actions")
    commands, handlers = [], []
    for action in actions if actions is not None else []:
        if local(action) == "Exec":
            commands.append(" ".join(part for part in (text(action, "Command"), text(action, "Arguments")) if part))
        elif local(action) == "ComHandler":
            handlers.append(" ".join(part for part in (text(action, "ClassId"), text(action, "Data")) if part))
    principals = child(root, "Principals")
    principals = [] if principals is None else [inner for inner in principals if local(inner) == "Principal"]
    context = actions.get("Context") if actions is not None else None
    principal = next((one for one in principals if one.get("id") == context), principals[0] if principals else None)
    user = (text(principal, "UserId") or text(principal, "GroupId")) if principal is not None else ""
    triggers = child(root, "Triggers")
    return {
        "commands": commands,
        "com_handlers": handlers,
        "user": user,
        "triggers": [local(trigger) for trigger in triggers] if triggers is not None else [],
        "enabled": "false" if text(root, "Settings", "Enabled").lower() == "false" else "true",
        "hidden": text(root, "Settings", "Hidden").lower(),
    }


def ours(fields):
    return {
        "commands": fields.get("commands", []),
        "com_handlers": fields.get("com_handlers", []),
        "user": fields.get("user", ""),
        "triggers": [trigger.split(" ")[0] for trigger in fields.get("triggers", [])],
        "enabled": fields.get("enabled", ""),
        "hidden": fields.get("hidden", ""),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tool", default="thunderstorm records")
    parser.add_argument("paths", nargs="+")
    options = parser.parse_args()
    files = []
    for path in options.paths:
        if os.path.isdir(path):
            files += [os.path.join(folder, name) for folder, _, names in os.walk(path) for name in sorted(names)]
        else:
            files.append(path)
    equal = different = 0
    for path in files:
        output = subprocess.run(
            shlex.split(options.tool) + [path, "--type", "scheduled task"], capture_output=True, text=True)
        records = [json.loads(line)["fields"] for line in output.stdout.splitlines()]
        try:
            wanted = [expected(ElementTree.parse(path).getroot())]
        except (ElementTree.ParseError, UnicodeError) as error:
            print(f"{path}: Python refuses it: {error}; ours has {len(records)} records")
            different += 1
            continue
        found = [ours(fields) for fields in records]
        if found == wanted:
            equal += 1
            continue
        different += 1
        print(f"{path}:")
        for key in wanted[0]:
            value = found[0][key] if found else None
            if value != wanted[0][key]:
                print(f"  {key}: {value!r}, Python has {wanted[0][key]!r}")
    print(f"{equal} files equal, {different} different")
    sys.exit(1 if different else 0)


main()
