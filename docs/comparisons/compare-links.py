#!/usr/bin/env python3
"""Compares the records of shell links and jump lists with what LnkParse3 reads, field by field.

    pip install LnkParse3 olefile
    docs/comparisons/compare-links.py [--tool 'thunderstorm records'] [--list N] FILE_OR_DIRECTORY...

A jump list is taken apart here: an automatic one by olefile, its list of destinations by the layout that J. Metz
describes, written down anew; a custom one at the header of each link. Every link inside goes through LnkParse3. See
links.md for what is compared and for the reasons of what differs.
"""
import datetime
import io
import struct
import warnings

import comparing
import LnkParse3
import olefile

LINK_MARK = bytes.fromhex("4c0000000114020000000000c000000000000046")
SHOW = ["SW_HIDE", "SW_SHOWNORMAL", "SW_SHOWMINIMIZED", "SW_SHOWMAXIMIZED", "SW_SHOWNOACTIVATE", "SW_SHOW",
        "SW_MINIMIZE", "SW_SHOWMINNOACTIVE", "SW_SHOWNA", "SW_RESTORE", "SW_SHOWDEFAULT"]
DRIVES = {"DRIVE_NO_ROOT_DIR": "no root directory", "DRIVE_REMOVABLE": "removable", "DRIVE_FIXED": "fixed",
          "DRIVE_REMOTE": "remote", "DRIVE_CDROM": "optical", "DRIVE_RAMDISK": "memory"}
BLOCKS = {
    "ENVIRONMENTAL_VARIABLES_LOCATION_BLOCK": "environment", "CONSOLE_PROPERTIES_BLOCK": "console",
    "DISTRIBUTED_LINK_TRACKER_BLOCK": "tracker", "SPECIAL_FOLDER_LOCATION_BLOCK": "special folder",
    "DARWIN_BLOCK": "darwin", "ICON_LOCATION_BLOCK": "icon environment", "METADATA_PROPERTIES_BLOCK": "property store",
    "KNOWN_FOLDER_LOCATION_BLOCK": "known folder", "SHELL_ITEM_IDENTIFIER_BLOCK": "item list",
    "SHIM_LAYER_BLOCK": "shim", "CODEPAGE": "code page",
}
TIMES = ("created", "modified", "accessed")
NAMES = [
    *TIMES, "file_size", "show_command", "hot_key", "arguments", "description", "relative_path", "working_directory",
    "icon_location", "local_path", "network_path", "network_device", "drive_type", "volume_serial", "volume_label",
    "machine_id", "droid_volume", "droid_file", "birth_droid_volume", "birth_droid_file", "environment_target",
    "environment_icon", "special_folder", "darwin", "console_font", "property", "extra_blocks",
]
LIST_NAMES = ["path", "pinned", "last_access", "access_count", "netbios_name", "object_id", "volume_id",
              "birth_object_id", "birth_volume_id", "entry_id", "checksum"]


def link_fields(content):
    """One link as LnkParse3 reads it, by our names."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        link = LnkParse3.lnk_file(io.BytesIO(content)).get_json()
    header, data, extra = link["header"], link.get("data", {}), link.get("extra", {})
    info = link.get("link_info", {})
    place = info.get("location_info", {})
    tracker = extra.get("DISTRIBUTED_LINK_TRACKER_BLOCK", {})
    fields = {
        "created": header["creation_time"], "modified": header["modified_time"], "accessed": header["accessed_time"],
        "file_size": header["file_size"],
        "show_command": SHOW.index(header["windowstyle"]) if header["windowstyle"] in SHOW else header["windowstyle"],
        "hot_key": hex(header["r_hotkey"]) if header["r_hotkey"] else None,
        "arguments": data.get("command_line_arguments"), "local_path": info.get("local_base_path"),
        "network_path": place.get("net_name"), "network_device": place.get("device_name"),
        "drive_type": DRIVES.get(place.get("drive_type")),
        "volume_serial": f"{int(place['drive_serial_number'], 16):08X}" if "drive_serial_number" in place else None,
        "volume_label": place.get("volume_label") or None, "machine_id": tracker.get("machine_identifier"),
        "environment_target": extra.get("ENVIRONMENTAL_VARIABLES_LOCATION_BLOCK", {}).get("target_unicode"),
        "environment_icon": extra.get("ICON_LOCATION_BLOCK", {}).get("target_unicode"),
        "special_folder": extra.get("SPECIAL_FOLDER_LOCATION_BLOCK", {}).get("special_folder_id"),
        "darwin": extra.get("DARWIN_BLOCK", {}).get("darwin_data_unicode"),
        "console_font": extra.get("CONSOLE_PROPERTIES_BLOCK", {}).get("face_name") or None,
    }
    for name in ("description", "relative_path", "working_directory", "icon_location"):
        fields[name] = data.get(name)
    for name in ("droid_volume", "droid_file", "birth_droid_volume", "birth_droid_file"):
        fields[name] = tracker.get(name + "_identifier")
    result = {name: [value if name in TIMES else str(value)] for name, value in fields.items() if value is not None}
    result["property"] = [
        f"{store['format_id']}/{value['id']} = {property_text(value)}"
        for store in extra.get("METADATA_PROPERTIES_BLOCK", {}).get("property_store", [])
        for value in store.get("serialized_property_values", [])]
    # The end of the list is no block.
    result["extra_blocks"] = sorted(BLOCKS.get(name, name) for name in extra if name != "TERMINAL_BLOCK")
    return result


def property_text(value):
    content = value["value"]
    return str(content).lower() if isinstance(content, bool) else str(content)


def same(name, left, right):
    if name in TIMES:
        # LnkParse3 goes by way of a floating-point number: a microsecond more or less is the same.
        if len(left) != len(right):
            return False
        mine = datetime.datetime.fromisoformat(left[0].replace("Z", "+00:00"))
        theirs = right[0] if isinstance(right[0], datetime.datetime) else datetime.datetime.fromisoformat(right[0])
        return abs(mine - theirs) <= datetime.timedelta(microseconds=1)
    if name in ("property", "extra_blocks"):
        return sorted(left) == sorted(right)
    return left == right


def explain(name, left, right):
    """Why LnkParse3 is another's opinion here; None when it is not known."""
    if name == "property":
        hidden = {line[:-len("None")] for line in right if line.endswith(" = None")}
        shown = [line for line in left if not any(line.startswith(start) for start in hidden)]
        if hidden and sorted(shown) == sorted(line for line in right if not line.endswith(" = None")):
            return "properties of types that LnkParse3 does not show (numbers, GUIDs, binary)"
        if not right:
            return "LnkParse3 does not find the property store behind the console's block"
        if any("\r" in line or "\n" in line for line in left + right):
            return "line ends inside a property"
    if name == "extra_blocks" and set(left) - set(right) == {"property store"} and "console" in right:
        return "LnkParse3 does not find the property store behind the console's block"
    if name == "network_path" and not right:
        return "a link with a local and a network path: LnkParse3 shows the local one only"
    if name == "network_device" and not left:
        return "no device name (its flag is not set): LnkParse3 reads other bytes"
    return None


def destinations(content):
    """The stream DestList as our fields."""
    if not content:
        return []
    version, count = struct.unpack_from("<II", content)
    found, offset = [], 32
    for _ in range(count):
        checksum, = struct.unpack_from("<Q", content, offset)
        guids = [guid(content[offset + at:offset + at + 16]) for at in (8, 24, 40, 56)]
        machine = content[offset + 72:offset + 88].split(b"\0")[0].decode("utf-8", "replace")
        number, = struct.unpack_from("<I", content, offset + 88)
        faded, = struct.unpack_from("<f", content, offset + 96)
        ticks, pin = struct.unpack_from("<QI", content, offset + 100)
        uses = int(faded) if version == 1 else struct.unpack_from("<I", content, offset + 116)[0]
        head = 112 if version == 1 else 128
        units, = struct.unpack_from("<H", content, offset + head)
        path = content[offset + head + 2:offset + head + 2 + 2 * units].decode("utf-16-le", "replace")
        offset += head + 2 + 2 * units + (0 if version == 1 else 4)
        moment = datetime.datetime(1601, 1, 1) + datetime.timedelta(microseconds=ticks // 10)
        found.append({
            "path": [path], "pinned": ["false" if pin == 0xFFFFFFFF else "true"],
            "last_access": [moment.isoformat(timespec="microseconds") + "Z"] if ticks else [],
            "access_count": [str(uses)], "netbios_name": [machine], "volume_id": [guids[0]], "object_id": [guids[1]],
            "birth_volume_id": [guids[2]], "birth_object_id": [guids[3]], "entry_id": [str(number)],
            "checksum": [f"{checksum:016x}"]})
    return found


def guid(raw):
    one, two, three = struct.unpack_from("<IHH", raw)
    return f"{one:08X}-{two:04X}-{three:04X}-{raw[8:10].hex().upper()}-{raw[10:].hex().upper()}"


def automatic(content):
    """Every destination with its link, then the links that no destination names."""
    file = olefile.OleFileIO(io.BytesIO(content))
    links = {}
    for name, in file.listdir():
        if name not in ("DestList", "DestListPropertyStore"):
            links[int(name, 16)] = file.openstream(name).read()
    listed = destinations(file.openstream("DestList").read()) if file.exists("DestList") else []
    result = []
    for entry in listed:
        link = links.pop(int(entry["entry_id"][0]), None)
        result.append({**(link_fields(link) if link else {}), **entry})
    return result + [{**link_fields(link), "entry_id": [str(number)]} for number, link in links.items()]


def custom(content):
    starts, at = [], content.find(LINK_MARK)
    while at >= 0:
        starts.append(at)
        at = content.find(LINK_MARK, at + 76)
    return [link_fields(content[start:end]) for start, end in zip(starts, starts[1:] + [len(content)])]


def main():
    options = comparing.arguments(__doc__)
    tally = comparing.Tally(options.list)
    for path in comparing.files(options.paths):
        with open(path, "rb") as file:
            content = file.read()
        if content.startswith(LINK_MARK):
            kind, names, theirs = "link info", NAMES, [link_fields(content)]
        else:
            kind, names = "jump list entry", LIST_NAMES + NAMES
            theirs = automatic(content) if content.startswith(b"\xd0\xcf\x11\xe0") else custom(content)
            if theirs and "checksum" not in theirs[0]:
                names = NAMES
        mine, issues = comparing.records(options.tool, path, kind)
        tally.count["files"] += 1
        tally.count["files with something said of damage"] += bool(issues)
        if len(mine) != len(theirs):
            tally.disagree(f"{path}: {len(mine)} records here, {len(theirs)} there {issues}")
            continue
        for ours, other in zip(mine, theirs):
            tally.compare(path, names, ours, other, same, explain)
    tally.finish()


if __name__ == "__main__":
    main()
