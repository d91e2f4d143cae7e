#!/usr/bin/env python3
"""Compares the members that Thunderstorm takes out of archives with those of bsdtar and, where it is installed, 7z.

    THUNDERSTORM_LISTING=/tmp/members.jsonl swift test --filter ArchiveCorpusTests
    docs/comparisons/compare-archives.py /tmp/members.jsonl CORPUS

CORPUS is the folder that the paths of the listing are relative to. For each archive the contents of all files are
compared as multisets of SHA-256: names are compared by the test itself. Prints one line for each archive that differs,
and the counts.
"""
import collections
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

STREAMS = {"GZIP", "XZ", "LZMA", "ZLIB", "BZIP2", "ZSTD", "LZ4", "LZIP", "COMPRESS"}


def digests(folder):
    found = collections.Counter()
    for base, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(base, name)
            if os.path.islink(path) or not os.path.isfile(path):
                continue
            found[hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()] += 1
    return found


def extract(command, archive):
    folder = tempfile.mkdtemp()
    try:
        # A session of its own: nothing may ask for a password at the terminal.
        try:
            status = subprocess.run(
                [part.format(archive=archive, folder=folder) for part in command],
                stdin=subprocess.DEVNULL, capture_output=True, timeout=60, start_new_session=True).returncode
        except subprocess.TimeoutExpired:
            status = -1
        subprocess.run(["chmod", "-R", "u+rwX", folder], check=False)
        return digests(folder), status
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main():
    listing, corpus = sys.argv[1], pathlib.Path(sys.argv[2])
    ours = collections.defaultdict(collections.Counter)
    methods = {}
    for line in open(listing, encoding="utf-8"):
        member = json.loads(line)
        ours[member["archive"]][member["sha256"]] += 1
        methods[member["archive"]] = member["method"]
    peers = {"bsdtar": ["bsdtar", "--passphrase", "infected", "-xf", "{archive}", "-C", "{folder}"]}
    if shutil.which("7z"):
        peers["7z"] = ["7z", "x", "-y", "-pinfected", "-o{folder}", "{archive}"]
    for peer, command in peers.items():
        equal, more, different, failed = 0, 0, [], 0
        for archive in sorted(ours):
            if "bombs/" in archive:
                continue  # the limits cut them
            if peer == "7z" and (methods[archive].startswith("TAR") and methods[archive] != "TAR" or methods[archive] == "RPM"):
                continue  # 7z takes off one layer at a time
            theirs, status = extract(command, corpus / archive)
            # Links that bsdtar makes are other names of files: the same content twice is counted once on both sides.
            left, right = set(ours[archive]), set(theirs)
            if left == right:
                equal += 1
            elif right < left:
                more += 1
            elif status != 0 and not right:
                failed += 1
            else:
                different.append((archive, methods[archive], len(left), len(right), len(right - left), status))
        print(f"{peer}: {equal} equal, {more} where Thunderstorm has more, {failed} that {peer} refuses, "
              f"{len(different)} different")
        for archive, method, left, right, lacking, status in different:
            print(f"  {archive} {method}: {left} contents here, {right} there, {lacking} of them not here (status {status})")


main()
