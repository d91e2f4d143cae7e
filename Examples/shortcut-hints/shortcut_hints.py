#!/usr/bin/env python3
"""A stage in Python: reads Internet shortcuts, desktop.ini and autorun.inf, and says what in them reaches out.

Thunderstorm starts it once for each sample. Standard input has one JSON object that says where the sample is; every line
printed is one JSON object (see docs/write-a-stage.md):

  {"record": ...}   each entry of the file: matchers (IOC, Sigma, YARA) look at it
  {"reason": ...}   what is suspicious whatever the rules say
  {"issue": ...}    what was not looked at
"""
import json
import re
import sys

LIMIT = 1 << 20  # these files are small; what is beyond is said
KEYS = {"url", "iconfile", "iconresource", "workingdirectory", "open", "shellexecute", "shell\\open\\command"}
# \\host\share, //host/share, file://host/share, file:////host/share; with a port or @SSL. Not file:///C:/ or \\?\C:\.
UNC = re.compile(
    r"^\s*(?:file:(?:/{2}|/{4,5}|\\{2,})|[\\/]{2})(?!localhost\b|\.[\\/])(?P<host>[^\\/@:?]+)(?:[@:][^\\/]+)?[\\/]",
    re.IGNORECASE)
STARTED = re.compile(r"\.(?:exe|scr|com|bat|cmd|vbs|vbe|js|jse|wsf|hta|ps1|lnk|msi)\b", re.IGNORECASE)


def say(**line):
    print(json.dumps(line))


def text_of(data):
    """The text of a Windows configuration file: UTF-16 with its mark, UTF-8, else Latin-1."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def entries(text):
    """Section, key, value, and line number of each entry."""
    section = ""
    for number, line in enumerate(text.splitlines(), 1):
        line = line.strip()
        if line.startswith("[") and line.endswith("]"):
            section = line[1:-1]
        elif "=" in line and not line.startswith((";", "#")):
            key, value = line.split("=", 1)
            yield number, section, key.strip(), value.strip()


def reason_for(section, key, value):
    """Why an entry is suspicious, or None."""
    remote = UNC.match(value)
    if key in KEYS and remote:
        return {
            "name": "ShortcutRemoteFile", "score": 70, "text": value, "tags": ["T1187"],
            "summary": f"A shortcut or folder fetches a file from {remote['host']} when it is only looked at",
        }
    if section == "internetshortcut" and key == "url" and value.lower().startswith("file:") and STARTED.search(value):
        return {
            "name": "ShortcutStartsProgram", "score": 65, "text": value, "tags": ["T1204.002"],
            "summary": "An Internet shortcut starts a program",
        }
    if section == "autorun" and key in ("open", "shellexecute", "shell\\open\\command"):
        return {
            "name": "AutorunCommand", "score": 55, "text": value, "tags": ["T1091"],
            "summary": "A drive starts a program when it is opened",
        }
    return None


def main():
    request = json.loads(sys.stdin.readline())
    with open(request["sample"], "rb") as sample:
        data = sample.read(LIMIT + 1)
    if len(data) > LIMIT:
        say(issue={"code": "limit", "message": f"only the first {LIMIT} bytes were read"})
    for number, section, key, value in entries(text_of(data[:LIMIT])):
        record = {"type": "shortcut entry", "offset": number,
                  "fields": {"section": section, "key": key, "value": value, "line": number}}
        reason = reason_for(section.lower(), key.lower(), value)
        if reason:
            say(reason=reason)
        say(record=record)


if __name__ == "__main__":
    main()
