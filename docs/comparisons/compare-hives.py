#!/usr/bin/env python3
"""Compares the keys and values that `thunderstorm records` finds in registry hives with those of libregf and regipy.

    pip install libregf-python regipy
    docs/comparisons/compare-hives.py [--tool 'thunderstorm records'] [--list N] FILE_OR_DIRECTORY...

With libregf every key is compared by path and last write, every value by name, size and text; the text is made here
from libregf's bytes, by rules written down anew. With regipy the number of keys is compared, and of values as the key
headers count them. Each hive is copied to a folder of its own first, so that transaction logs beside it are not
applied: the others do not apply them either. What differs is listed, or counted under its reason (see hives.md).
"""
import collections
import logging
import os
import shutil
import tempfile

import comparing
import pyregf
from regipy.registry import RegistryHive

TEXT_TYPES = (1, 2, 6, 7)
VALUE_LIMIT = 1 << 20


def text_of(kind, data):
    """The bytes of a value as the text that a record shows."""
    data = (data or b"")[:VALUE_LIMIT]
    if kind in TEXT_TYPES:
        units = [data[i:i + 2] for i in range(0, len(data) - 1, 2)]
        while units and units[-1] == b"\0\0":
            units.pop()
        text = b"".join(units).decode("utf-16-le", "surrogatepass")
        text = "".join("\ufffd" if 0xD800 <= ord(c) < 0xE000 else c for c in text)
        return text.replace("\0", "\\0")
    if kind == 4 and len(data) == 4:
        return str(int.from_bytes(data, "little"))
    if kind == 5 and len(data) == 4:
        return str(int.from_bytes(data, "big"))
    if kind == 11 and len(data) == 8:
        return str(int.from_bytes(data, "little"))
    return data.hex().upper()


def read_libregf(path):
    """Keys by path: last write and values, and what libregf could not read. A path that occurs twice is a list."""
    file = pyregf.file()
    file.open(path)
    keys, errors = collections.defaultdict(list), []
    stack = [("", file.get_root_key())]
    while stack:
        key_path, key = stack.pop()
        values = []
        for index in range(key.get_number_of_values()):
            try:
                value = key.get_value(index)
                kind = value.type
                try:
                    data = value.data
                except OSError as error:
                    errors.append((key_path, f"data of {value.name}: {error}"))
                    values.append((value.name or "", None, None, kind))
                    continue
                values.append((value.name or "", len(data or b""), text_of(kind, data), kind))
            except OSError as error:
                errors.append((key_path, f"value {index}: {error}"))
        written = key.last_written_time
        keys[key_path].append((written.strftime("%Y-%m-%dT%H:%M:%SZ"), sorted(values, key=lambda v: v[0])))
        for index in range(key.get_number_of_sub_keys()):
            try:
                subkey = key.get_sub_key(index)
                stack.append((key_path + "\\" + (subkey.name or ""), subkey))
            except OSError as error:
                errors.append((key_path, f"subkey {index}: {error}"))
    return keys, errors


def read_ours(tool, path):
    """The same from the records, and what was said of damage."""
    keys, current = collections.defaultdict(list), None
    found, issues = comparing.records(tool, path, None)
    for record in found:
        fields = {name: values[0] for name, values in record.items()}
        if "value_name" in fields and "size" in fields:
            name = fields["value_name"]
            key_path = fields["key"][:len(fields["key"]) - len(name) - 1]
            # Values of one key follow one another.
            if current != key_path:
                keys[key_path].append((fields["modified"], []))
                current = key_path
            keys[key_path][-1][1].append((name, int(fields["size"]), fields["value"]))
        elif set(fields) == {"key", "modified", "TargetObject"}:
            keys[fields["key"]].append((fields["modified"], []))
            current = None
    for entries in keys.values():
        for _, values in entries:
            values.sort(key=lambda v: v[0])
    return keys, issues


def read_regipy(path):
    """Number of keys, and of values in their headers."""
    logging.disable(logging.CRITICAL)
    keys = values = 0
    stack = [RegistryHive(path).root]
    while stack:
        key = stack.pop()
        keys += 1
        values += key.header.values_count if key.header.values_count < 1_000_000 else 0
        try:
            stack.extend(key.iter_subkeys())
        except Exception:  # pylint: disable=broad-except
            continue
    return keys, values


def habit(mine, other):
    """What libregf is known to do differently, if that explains two values that are not equal."""
    kind = other[3]
    if kind in TEXT_TYPES and mine[1] % 2 == 1 and other[1] == mine[1] + 1 and other[2] == mine[2]:
        return "texts of an odd number of bytes: libregf tells one byte more than the hive"
    if kind in TEXT_TYPES and other[1] is not None and other[1] <= mine[1] and other[2] == mine[2].split("\\0")[0]:
        return "texts cut at their first NUL by libregf"
    if kind not in TEXT_TYPES and mine[1] == other[1] and mine[1] in (1, 2, 3):
        return "data of fewer than four bytes inside the value: libregf takes the wrong ones"
    return None


def as_libregf(path):
    """A path with the names that libregf makes of it."""
    parts = []
    for name in path.split("\\"):
        name = name.split("\0")[0]
        parts.append("".join(
            bytes([ord(c)]).decode("cp1252", "replace") if 0x80 <= ord(c) < 0xA0 else c for c in name))
    return "\\".join(parts)


def compare_libregf(path, ours, theirs, errors, issues, tally):
    renamed = collections.defaultdict(list)
    for key_path, entries in ours.items():
        name = as_libregf(key_path)
        if name != key_path and key_path not in theirs:
            tally.reasons["names with a NUL, or with bytes 0x80 to 0x9F: libregf cuts them, and reads Windows-1252"] += 1
            key_path = name
        renamed[key_path] += entries
    for key_path in sorted(set(renamed) | set(theirs)):
        mine, other = sorted(renamed.get(key_path, [])), sorted(theirs.get(key_path, []))
        if len(mine) != len(other):
            where = f"{path}: {key_path or chr(92)}: {len(mine)} keys here, {len(other)} there"
            if len(mine) > len(other) and errors:
                tally.reasons["keys that libregf could not read (it says so)"] += len(mine) - len(other)
            elif len(mine) < len(other) and any("already" in issue for issue in issues):
                tally.reasons["a key that two lists name: shown once here, and said"] += len(other) - len(mine)
            else:
                tally.disagree(where)
            continue
        for (my_time, my_values), (other_time, other_values) in zip(mine, other):
            tally.count["keys compared"] += 1
            if my_time != other_time:
                tally.disagree(f"{path}: {key_path}: written {my_time} here, {other_time} there")
            my_names, other_names = [v[0] for v in my_values], [v[0] for v in other_values]
            if my_names != other_names:
                tally.disagree(f"{path}: {key_path}: values {my_names} here, {other_names} there"[:300])
                continue
            for my_value, other_value in zip(my_values, other_values):
                tally.count["values compared"] += 1
                reason = habit(my_value, other_value)
                if my_value == other_value[:3]:
                    tally.count["values equal"] += 1
                elif reason:
                    tally.reasons[reason] += 1
                else:
                    tally.disagree(
                        f"{path}: {key_path}\\{my_value[0]}: {str(my_value[1:])[:120]} here, "
                        f"{str(other_value[1:])[:120]} there")


def is_hive(path):
    with open(path, "rb") as stream:
        head = stream.read(32)
    return head[:4] == b"regf" and head[28:29] == b"\0"


def main():
    options = comparing.arguments(__doc__)
    tally = comparing.Tally(options.list)
    for path in filter(is_hive, comparing.files(options.paths)):
        tally.count["files"] += 1
        with tempfile.TemporaryDirectory() as folder:
            ours, issues = read_ours(options.tool, shutil.copy(path, folder))
        our_keys = sum(len(entries) for entries in ours.values())
        our_values = sum(len(values) for entries in ours.values() for _, values in entries)
        tally.count["keys here"] += our_keys
        tally.count["values here"] += our_values
        try:
            compare_libregf(path, ours, *read_libregf(path), issues, tally)
        except OSError as error:
            tally.reasons["hives that libregf refuses"] += 1
            print(f"{path}: libregf refused it ({str(error)[:100]}); here {our_keys} keys, {our_values} values")
        try:
            keys, values = read_regipy(path)
        except Exception as error:  # pylint: disable=broad-except
            tally.reasons["hives that regipy refuses"] += 1
            print(f"{path}: regipy refused it ({str(error)[:100]}); here {our_keys} keys, {our_values} values")
            continue
        if (keys, values) == (our_keys, our_values):
            tally.count["files equal to regipy"] += 1
            continue
        sentence = f"{path}: regipy {keys} keys, {values} values; here {our_keys} and {our_values}: {'; '.join(issues[:2])}"
        if issues:
            tally.reasons["damaged hives (we say so) that regipy counts otherwise"] += 1
            print(sentence[:500])
        else:
            tally.disagree(sentence)
    tally.finish()


if __name__ == "__main__":
    main()
