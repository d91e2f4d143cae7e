#!/usr/bin/env python3
"""Compares the prefetch records of `thunderstorm records` with what libscca reads, field by field.

    pip install libscca-python
    docs/comparisons/compare-prefetch.py [--tool 'thunderstorm records'] [--list N] FILE_OR_DIRECTORY...

All times, all files and all volumes are compared, in order; see prefetch.md.
"""
import datetime

import comparing
import pyscca

NAMES = ["version", "executable", "hash", "execution_count", "execution_times", "volume", "accessed_files"]


def time(ticks):
    """100 ns steps since 1601 as a record shows them."""
    seconds, rest = divmod(ticks, 10_000_000)
    days, seconds = divmod(seconds, 86_400)
    day = datetime.date(1601, 1, 1) + datetime.timedelta(days=days)
    return f"{day}T{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{rest // 10:06}Z"


def text(value):
    return "".join("\ufffd" if 0xD800 <= ord(c) < 0xE000 else c for c in value or "")


def reference(path):
    file = pyscca.file()
    file.open(path)
    times = []
    for index in range(8 if file.format_version >= 26 else 1):
        ticks = file.get_last_run_time_as_integer(index)
        if ticks:
            times.append(time(ticks))
    volumes = []
    for index in range(file.number_of_volumes):
        volume = file.get_volume_information(index)
        created = time(volume.get_creation_time_as_integer())[:19] + "Z"
        volumes.append(f"{text(volume.device_path)} {volume.serial_number:08X} {created}")
    return {
        "version": [str(file.format_version)], "executable": [text(file.executable_filename)],
        "hash": [f"{file.prefetch_hash:08X}"], "execution_count": [str(file.run_count)], "execution_times": times,
        "volume": volumes, "accessed_files": [text(file.get_filename(i)) for i in range(file.number_of_filenames)],
    }


def explain(name, left, right):
    """A volume without a time of creation has 1601 in libscca, none here."""
    if name == "volume" and left == [volume.replace(" 1601-01-01T00:00:00Z", "") for volume in right]:
        return "a volume without a time of creation: libscca shows 1601, we show none"
    return None


def main():
    options = comparing.arguments(__doc__)
    tally = comparing.Tally(options.list)
    for path in comparing.files(options.paths):
        mine, issues = comparing.records(options.tool, path, "prefetch info")
        try:
            theirs = reference(path)
        except OSError as error:
            tally.count["refused by libscca"] += 1
            tally.disagree(f"{path}: libscca refused it ({str(error)[:120]}); here {len(mine)} records, {issues}")
            continue
        if len(mine) != 1:
            tally.disagree(f"{path}: {len(mine)} records here: {issues}")
            continue
        tally.count["files with something said of damage"] += bool(issues)
        tally.compare(path, NAMES, mine[0], theirs, explain=explain)
    tally.finish()


if __name__ == "__main__":
    main()
