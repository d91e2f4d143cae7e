#!/usr/bin/env python3
"""Compares the records of `thunderstorm records` with what PyPI `minidump` reads from the same minidumps.

    pip install minidump==0.0.24
    docs/comparisons/compare-minidumps.py [--tool 'thunderstorm records'] FILE_OR_DIRECTORY...

Compared are the directory (types and sizes, in order), modules (path, base, size), threads (number, stack address),
memory ranges (address, size, place in the file), handles (value, type, name) and the exception. What the other parser
cannot open is listed as such. Exit code 1 when anything differs.
"""
import argparse
import contextlib
import io
import json
import logging
import os
import shlex
import subprocess
import sys

from minidump.constants import MINIDUMP_STREAM_TYPE
from minidump.minidumpfile import MinidumpFile

# Streams of other types are left out by the other parser, and here.
KNOWN = {kind.value for kind in MINIDUMP_STREAM_TYPE}
logging.disable(logging.CRITICAL)  # it logs each table that a dump does not have


def ours(tool, path):
    done = subprocess.run(shlex.split(tool) + [path], capture_output=True, text=True)
    tables = {}
    for line in done.stdout.splitlines():
        record = json.loads(line)
        tables.setdefault(record["type"], []).append(record["fields"])
    return {
        "streams": [(int(r["type"], 16), int(r["size"])) for r in tables.get("dump stream", [])
                    if int(r["type"], 16) in KNOWN],
        "modules": [(r.get("path", ""), int(r["base"], 16), int(r["size"])) for r in tables.get("loaded module", [])],
        "unloaded": [(r.get("path", ""), int(r["base"], 16), int(r["size"])) for r in tables.get("unloaded module", [])],
        "threads": [(int(r["thread_id"]), int(r["stack"], 16)) for r in tables.get("dumped thread", [])],
        "ranges": [(int(r["address"], 16), int(r["size"]), int(r["offset"])) for r in tables.get("memory range", [])],
        "handles": [(int(r["value"], 16), r.get("type", ""), r.get("name", r.get("mutex", r.get("event", ""))))
                    for r in tables.get("handle", [])],
        "exception": [(int(r["code"], 16), int(r["address"], 16), int(r["thread_id"]))
                      for r in tables.get("exception", [])],
    }


def number(value):
    return getattr(value, "value", value)


def theirs(path):
    with contextlib.redirect_stdout(io.StringIO()):
        dump = MinidumpFile.parse(path)
    segments = []
    if dump.memory_segments:
        segments += dump.memory_segments.memory_segments
    if dump.memory_segments_64:
        segments += dump.memory_segments_64.memory_segments
    modules = dump.modules.modules if dump.modules else []
    old = dump.unloaded_modules.modules if dump.unloaded_modules else []
    threads = dump.threads.threads if dump.threads else []
    handles = dump.handles.handles if dump.handles else []
    exceptions = dump.exception.exception_records if dump.exception else []
    return {
        "streams": [(number(d.StreamType), d.Location.DataSize) for d in dump.directories],
        "modules": [(m.name, m.baseaddress, m.size) for m in modules],
        "unloaded": [(m.name, m.baseaddress, m.size) for m in old],
        "threads": [(t.ThreadId, t.Stack.StartOfMemoryRange) for t in threads],
        "ranges": [(s.start_virtual_address, s.size, s.start_file_address) for s in segments],
        "handles": [(h.Handle, h.TypeName or "", h.ObjectName or "") for h in handles],
        "exception": [(e.ExceptionRecord.ExceptionCode_raw, e.ExceptionRecord.ExceptionAddress, e.ThreadId)
                      for e in exceptions],
    }


def files(paths):
    for path in paths:
        if os.path.isfile(path):
            yield path
        for folder, _, names in sorted(os.walk(path)):
            for name in sorted(names):
                yield os.path.join(folder, name)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="+")
    parser.add_argument("--tool", default="thunderstorm records")
    options = parser.parse_args()
    counts, differing, refused, compared = {}, 0, [], 0
    for path in files(options.paths):
        with open(path, "rb") as file:
            if file.read(4) != b"MDMP":
                refused.append((path, "no minidump"))
                continue
        try:
            expected = theirs(path)
        except Exception as error:  # the other parser raises whatever comes up
            refused.append((path, f"{type(error).__name__}: {error}"))
            continue
        compared += 1
        got = ours(options.tool, path)
        for table, rows in expected.items():
            total, equal = counts.get(table, (0, 0))
            same = rows == got[table]
            counts[table] = (total + len(rows), equal + (len(rows) if same else 0))
            if not same:
                differing += 1
                print(f"{path}: {table}: {len(rows)} there, {len(got[table])} here")
                for left, right in zip(rows, got[table]):
                    if left != right:
                        print(f"    first difference: there {left}, here {right}")
                        break
    for table, (total, equal) in counts.items():
        print(f"{table}: {equal} of {total} in equal tables")
    print(f"{compared} dumps compared, {differing} tables differ")
    for path, reason in refused:
        print(f"not compared: {path}: {reason}")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
