"""Reads events and audit trails as a reader made from the published definitions of jsonlog v3 does.

    jsonlog.py FORM FILE...      FORM: finding, assessment (of --json-form), trail (an audit trail, .gz or not),
                                 answer (an answer of /api/v1: an array of events)

The table below holds what readers rely on: names, kinds, and what must be there. It was written from the public Go
definitions (NextronSystems/jsonlog) and from docs/events.md; it is no copy of either encoder's. A field that is renamed,
of another kind, or new without being listed fails. Prints "ok" and how many of each type were read, or what is wrong.
"""

import collections
import gzip
import json
import re
import sys

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)\Z")
UUID = re.compile(r"\{?[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\}?\Z")


def whole(value):
    return isinstance(value, int) and not isinstance(value, bool)


def texts(value):
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


KINDS = {
    "text": lambda value: isinstance(value, str),
    "time": lambda value: isinstance(value, str) and bool(TIME.match(value)),
    "int": whole,
    "size": lambda value: whole(value) and 0 <= value < 1 << 64,
    "flag": lambda value: isinstance(value, bool),
    "uuid": lambda value: isinstance(value, str) and bool(UUID.match(value)),
    "texts": texts,
    "texts|null": lambda value: value is None or texts(value),
    "times": lambda value: texts(value) and all(TIME.match(item) for item in value),
    "map": lambda value: isinstance(value, dict) and all(isinstance(item, str) for item in value.values()),
    "object": lambda value: isinstance(value, dict),
    "list": lambda value: isinstance(value, list),
    "list|null": lambda value: value is None or isinstance(value, list),
    "null": lambda value: value is None,
    "text|null": lambda value: value is None or isinstance(value, str),
    "file": lambda value: isinstance(value, dict) and value.get("type") == "file",
    "any": lambda value: True,
}

# `name:kind`, with `?` behind a name that may be missing.
EVENT = "type:text meta:object message:text subject:object score:int reasons:list|null reason_count?:int \
    context:list|null collection?:object issues?:list log_version:text"
MESSAGE = "type:text meta:object message:text fields:map log_version:text"
META = "time:time level:text module:text scan_id:text hostname:text"
REASON = "type:text summary:text signature:object matched:list|null"
SIGNATURE = "score:int reference:texts|null origin:text kind:text date?:text tags?:texts rule_name?:text \
    description?:text author?:text id?:text false_positives?:texts"
MATCH = "data:any context?:any offset?:size field?:text physical_address?:text virtual_address?:text module?:text"
ISSUE = "affected:null category:text description:text"
RELATION = "relation_type:text relation_name:text unique:flag"
TRAIL = "id:text type:text log_version:text meta?:object object:object timestamps:object reasons:list references:list \
    issues?:list"
REFERENCE = "target_id:text relation_name:text relation_type:text"
FILE = "type:text path:text exists:text extension:text magic_header?:text hashes?:object first_bytes?:object \
    file_times?:object size?:size permissions?:null pe_info?:object unpack_source?:texts content?:object"
FILE_TIMES = "modified?:time accessed?:time changed?:time created?:time"
SPARSE = "type:text elements:list length:size"

# Records that are published: their fields there, and after `|` those of ours, which `assessment` has in `details`.
RECORDS = {
    "AmCache entry": "file?:file sha1?:text size?:int desc?:text first_run?:time created?:time product?:text \
        company?:text",
    "at job": "command:text | *",
    "audit log entry": "entry:map",
    "authorized_keys entry": "key_type:text key:text comment?:text line:text | options",
    "autorun entry": "autorun_type:text location:text image?:file arguments?:text entry?:text launch_string?:text",
    "cron job": "user?:text schedule?:text command:text",
    "environment variable": "variable:text value:text",
    "eventlog entry": "entry:map",
    "groups.xml user": "user:text password:text | changed",
    "hosts file entry": "host:text ip:text",
    "jump list entry": "path?:text pinned?:flag last_access?:time access_count?:int netbios_name?:text object_id?:uuid \
        volume_id?:uuid birth_volume_id?:uuid entry_id?:size checksum?:size | *",
    "log line": "line_index:size line:text",
    "MS Office connection cache entry": "entry:text modified?:time key:text",
    "PowerShell module analysis cache module entry": "path:text command?:text | modified",
    "prefetch info": "executable:file execution_times?:times execution_count:int accessed_files?:texts | *",
    "registered debugger": "executable:text debugger:text | key modified",
    "registry key": "key:text modified:time values?:text | TargetObject",
    "registry scheduled task": "guid:text path?:text created?:time last_run?:time last_stopped?:time \
        status?:text last_result?:text | *",
    "registry value": "key:text modified:time value:text size:size | value_name TargetObject Details",
    "scheduled task": "name:text path:text commands?:texts com_handlers?:texts enabled:flag triggers?:texts user?:text \
        logon_type?:text run_level?:text privileges?:texts | *",
    "shellbag entry": "path:text name:text date_access?:time | *",
    "shim cache": "entries:int last_known_entries?:int | control_set",
    "shim cache entry": "timestamp:time exec_flag?:flag path:text",
    "TeamViewer password": "password:text name?:text",
    "Tomcat user": "user:text | roles",
    "Windows service": "key:text key_name:text service_name?:text modified:time start_type?:text service_type?:text \
        user?:text description?:text failure_command?:text image?:file",
}
CHUNK = "type:text chunk_offset:size chunk_end:size content?:object"
SIGNATURES = "Filename IOC,Named Pipe IOC,YARA Rule,Sigma Rule,STIX IOC,Internal Heuristic,Hash IOC,Keyword IOC,Domain IOC,\
Handle IOC".split(",")

problems = collections.Counter()
types = collections.Counter()


def wrong(what):
    problems[what] += 1


def parse(table):
    fields = {}
    for word in table.split():
        name, kind = word.split(":", 1)
        fields[name.rstrip("?")] = (kind, not name.endswith("?"))
    return fields


def check(value, table, where, also=()):
    """All fields are known and of their kind, none is missing."""
    fields = parse(table)
    for name, (kind, is_needed) in fields.items():
        if name not in value:
            if is_needed:
                wrong(f"{where}: no {name}")
        elif not KINDS[kind](value[name]):
            wrong(f"{where}: {name} is no {kind}")
    for name in value:
        if name not in fields and name not in also and "*" not in also:
            wrong(f"{where}: unknown field {name}")


def one_of(value, known, where):
    if value not in known:
        wrong(f"{where}: {value!r} is none of {', '.join(known)}")


def resolve(value, pointer):
    """What a JSON pointer (RFC 6901) leads to; KeyError if nothing."""
    if not pointer.startswith("/"):
        raise KeyError(pointer)
    for token in pointer[1:].split("/"):
        token = token.replace("~1", "/").replace("~0", "~")
        try:
            value = value[int(token)] if isinstance(value, list) else value[token]
        except (IndexError, TypeError, ValueError) as error:
            raise KeyError(pointer) from error
    return value


def file(value, where):
    check(value, FILE, where)
    one_of(value["exists"], ["yes", "unknown"], f"{where}.exists")
    if "hashes" in value:
        check(value["hashes"], "md5:text sha1:text sha256:text", f"{where}.hashes")
        for name, digits in (("md5", 32), ("sha1", 40), ("sha256", 64)):
            if not re.fullmatch("[0-9a-f]{%d}" % digits, value["hashes"][name]):
                wrong(f"{where}.hashes: {name} is no {digits} lower-case hexadecimal digits")
    if "first_bytes" in value:
        check(value["first_bytes"], "hex:text ascii:text", f"{where}.first_bytes")
        if not re.fullmatch("([0-9a-f]{2}){0,20}", value["first_bytes"]["hex"]):
            wrong(f"{where}.first_bytes: hex is not up to 20 bytes")
    if "file_times" in value:
        check(value["file_times"], FILE_TIMES, f"{where}.file_times")
    if "pe_info" in value:
        check(value["pe_info"], "imphash:text", f"{where}.pe_info")
    if "content" in value:
        sparse(value["content"], where)


def sparse(value, where):
    check(value, SPARSE, f"{where}.content")
    one_of(value["type"], ["sparse data"], f"{where}.content.type")
    last = -1
    for element in value["elements"]:
        check(element, "offset:size data:text", f"{where}.content.elements")
        if not last < element["offset"] < value["length"]:
            wrong(f"{where}.content: elements are not in order within the length")
        last = element["offset"]


def subject(value, form):
    name = value["type"]
    types[name] += 1
    if name == "file":
        return file(value, "file")
    if name == "file chunk":
        check(value, CHUNK, name, also=["file"] if form != "assessment" else ())
        if "content" in value:
            sparse(value["content"], name)
        return None
    if name not in RECORDS:
        return None
    published, _, ours = RECORDS[name].partition("|")
    check(value, "type:text " + published, name, also=ours.split() if form != "assessment" else ())
    for field in value.values():
        if KINDS["file"](field):
            file(field, name)
    return None


def reasons(values, of, form):
    scores = [reason["signature"]["score"] for reason in values]
    if scores != sorted(scores, reverse=True):
        wrong("reasons: not in order of their scores")
    for reason in values:
        check(reason, REASON, "reason")
        one_of(reason["type"], ["reason"], "reason.type")
        check(reason["signature"], SIGNATURE, "signature")
        one_of(reason["signature"]["kind"], SIGNATURES, "signature.kind")
        one_of(reason["signature"]["origin"], ["internal", "custom", "external"], "signature.origin")
        for match in reason["matched"] or []:
            check(match, MATCH, "matched")
            for data in [match["data"], match.get("context", match["data"])]:
                if form != "assessment":
                    if not isinstance(data, str):
                        wrong("matched: data is no text")
                elif not isinstance(data, dict) or set(data) != {"data", "encoding"}:
                    wrong("matched: data is not {data, encoding}")
                elif data["encoding"] == "hex":
                    bytes.fromhex(data["data"])
                else:
                    one_of(data["encoding"], ["plain"], "matched.data.encoding")
            if "field" not in match:
                continue
            if form == "assessment" and of["type"] not in RECORDS and of["type"] not in ("file", "file chunk"):
                wrong(f"matched: a reader cannot follow a field of {of['type']}")
            try:
                field = resolve(of, match["field"])
            except KeyError:
                wrong(f"matched: {match['field']} leads nowhere in a {of['type']}")
                continue
            if form == "assessment" and isinstance(field, str) and "offset" in match:
                data = match["data"]
                found = data["data"].encode() if data["encoding"] == "plain" else bytes.fromhex(data["data"])
                if field.encode()[match["offset"] :][: len(found)] != found:
                    wrong(f"matched: {match['field']} of a {of['type']} has something else at the offset")


def issues(values):
    for issue in values:
        check(issue, ISSUE, "issue")
        one_of(issue["category"], ["truncated", "out_of_range"], "issue.category")


def event(value, form):
    one_of(value["log_version"], ["v3.0.0"], "log_version")
    check(value["meta"], META, "meta")
    one_of(value["meta"]["level"], ["Error", "Alert", "Warning", "Notice", "Info", "Debug"], "meta.level")
    if not re.fullmatch(r"S-[A-Za-z0-9_-]{10,12}(-\d+)?", value["meta"]["scan_id"]):
        wrong("meta.scan_id is not S- and 10 to 12 characters")
    if value["type"] == "THOR message":
        types[value["type"]] += 1
        return check(value, MESSAGE, "THOR message")
    one_of(value["type"], ["THOR assessment" if form == "assessment" else "THOR finding"], "type")
    check(value, EVENT, "event", also=["details"] if form == "assessment" else ())
    if not 0 <= value["score"] <= 100:
        wrong("score is not 0 to 100")
    if value.get("reason_count", 0) != len(value["reasons"] or []):
        wrong("reason_count is not the number of reasons")
    subject(value["subject"], form)
    reasons(value["reasons"] or [], value["subject"], form)
    for element in value["context"] or []:
        check(element, "object:file relations:list", "context")
        file(element["object"], "context")
        if not element["relations"]:
            wrong("context: no relation")
        for relation in element["relations"]:
            check(relation, RELATION, "relation")
            one_of(relation["relation_type"], ["derives from"], "relation_type")
            one_of(relation["relation_name"], ["parent", "topmost ancestor"], "relation_name")
    if "collection" in value:
        check(value["collection"], "collector:text host?:text source:text", "collection")
    if value["reasons"] is None and not value.get("issues"):
        wrong("an event without reasons has no issues")
    issues(value.get("issues", []))
    return None


def element(value):
    if value["type"] == "THOR message":
        return event(value, "finding")
    one_of(value["type"], ["THOR audit record"], "type")
    one_of(value["log_version"], ["v3.0.0"], "log_version")
    check(value, TRAIL, "audit record")
    if value["object"]["type"] == "file" and "extension" not in value["object"]:
        check(value["object"], "type:text path:text", "file that was not scanned")
        types["file that was not scanned"] += 1
    else:
        subject(value["object"], "trail")
    reasons(value["reasons"], value["object"], "trail")
    for pointer, time in value["timestamps"].items():
        if not KINDS["time"](time):
            wrong("timestamps: no time")
        try:
            resolve(value["object"], pointer)
        except KeyError:
            wrong(f"timestamps: {pointer} leads nowhere in a {value['object']['type']}")
    for reference in value["references"]:
        check(reference, REFERENCE, "reference")
    issues(value.get("issues", []))
    return None


def no_double_keys(pairs):
    names = [name for name, _ in pairs]
    for name in set(names):
        if names.count(name) > 1:
            wrong(f"an object has two fields {name}")
    return dict(pairs)


def main(form, paths):
    for path in paths:
        opened = gzip.open(path, "rt", encoding="utf-8") if path.endswith(".gz") else open(path, encoding="utf-8")
        with opened as lines:
            for line in lines:
                value = json.loads(line, object_pairs_hook=no_double_keys)
                for one in value if form == "answer" else [value]:
                    try:
                        element(one) if form == "trail" else event(one, form)
                    except (KeyError, TypeError, ValueError) as error:
                        wrong(f"{type(error).__name__} {error} in {json.dumps(one)[:300]}")
    print(", ".join(f"{count} {name}" for name, count in sorted(types.items())), file=sys.stderr)
    if problems or not types:
        for problem, count in sorted(problems.items()):
            print(f"{problem} ({count} times)")
        return print("nothing was read") if not types else None
    return print("ok")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
