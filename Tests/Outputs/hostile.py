"""Samples that try to break logs, and readers of every format that are not of ours; see readers.sh.

Each reader prints "ok", or what is wrong and ends with 1.
"""
import csv
import gzip
import json
import os
import re
import socket
import sys
import threading
import zipfile
from html.parser import HTMLParser

# Parts of file names; what no file name can hold (/ and NUL) stands in contents only.
NAMES = [
    "plain.txt",
    "new\nline.txt",
    "return\rhere.txt",
    "tab\there.txt",
    "bell\a\b\x01.txt",
    "ansi\x1b[31mred\x1b]0;title\x07.txt",
    "c1\u009b31m.txt",
    "bidi\u202etxt.exe",
    "<img src=x onerror=alert(1)>.txt",
    "<script>alert(1)<!--.txt",
    "quote'and\"both`.txt",
    "pipe|back\\slash=equals.txt",
    "comma,semi;colon:.txt",
    "CEF:0|a|b|c|d|e|10|msg=x.txt",
    "key='value' OTHER='x.txt",
    "%0a%s%n{{7*7}}${x}.txt",
    "umlaut-\u00e4\u00df\u6f22\U0001f600.txt",
    " blanks  around ",
    "=cmd(1).txt",
]
MARK = "needle-of-the-reader-test"
HOSTILE = MARK + " <b>'\"|\\=,;\x1b[2J\u202e\u009b\r\t${x} end"


def samples(evidence, rules, chains):
    os.makedirs(os.path.join(evidence, "plain"))
    os.makedirs(rules + "/yara")
    os.makedirs(rules + "/iocs")
    with open(chains) as source, open(rules + "/chains.yml", "w") as copy:
        # Lines of megabytes are read whole.
        copy.write(source.read().replace("- log-lines\n", "- log-lines: {line-bytes: 8000000}\n"))
    with open(rules + "/yara/reader.yar", "w") as rule:
        rule.write(
            'rule Reader { meta: description = "needle | with = \\"quotes\\" <i>" score = 70 strings: $a = /%s[^\\n]{0,60}/'
            " condition: $a }\n" % MARK
        )
    with open(rules + "/iocs/reader-keywords.txt", "w") as words:
        words.write("%s\n" % MARK)
    for index, name in enumerate(NAMES):
        with open(os.path.join(evidence, name), "w", encoding="utf-8", newline="") as file:
            file.write("%d %s\n" % (index, HOSTILE))
    for index in range(5):
        with open(os.path.join(evidence, "plain", "%d.txt" % index), "w") as file:
            file.write("%d %s\n" % (index, MARK if index % 2 else "nothing"))
    with zipfile.ZipFile(os.path.join(evidence, "archive.zip"), "w") as archive:
        archive.writestr("in<b>side\x1b[1m'.txt", HOSTILE)
        archive.writestr("other|x=y.txt", "harmless")
    # A log with a line of two megabytes that a keyword is found in.
    with open(os.path.join(evidence, "access.log"), "w", encoding="utf-8") as log:
        for index in range(20):
            log.write('10.0.0.%d - - [10/Oct/2025:13:55:%02d +0000] "GET /%d HTTP/1.0" 200 2326\n' % (index, index, index))
        log.write('10.0.0.9 - - [10/Oct/2025:13:55:36 +0000] "GET /%s %s HTTP/1.0" 200 1\n' % (MARK, "<b>\x1b[1m'|=\\" * 200_000))


def paths(evidence):
    return [os.path.join(folder, name) for folder, _, names in os.walk(evidence) for name in names]


def fail(text):
    print(text)
    sys.exit(1)


def plain(text, what):
    """Nothing in it starts a line, speaks to a terminal, or turns the direction of text."""
    bad = re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]", text)
    if bad:
        fail("%s holds %r near %r" % (what, bad.group(), text[max(bad.start() - 30, 0) : bad.end() + 10]))


def lines(path):
    # Only the newline ends a line: Python's own splitting knows many more ends.
    with open(path, encoding="utf-8", newline="") as file:
        return [line for line in file.read().split("\n") if line]


def read_json(evidence, path):
    events = [json.loads(line) for line in lines(path)]
    seen = {event["subject"].get("path") for event in events if "subject" in event}
    for name in NAMES:
        if os.path.join(evidence, name) not in seen:
            fail("no event of %r" % name)
    matched = [m["data"] for e in events for r in e.get("reasons") or [] for m in r["matched"] or []]
    if not any(m.startswith(MARK) for m in matched):
        fail("no matched text")
    plain(open(path, encoding="utf-8", newline="").read().replace("\u202e", ""), "the JSON log")


def read_trail(evidence, path):
    with gzip.open(path, "rt", encoding="utf-8", newline="\n") as file:
        elements = [json.loads(line) for line in file]
    seen = {e["object"].get("path") for e in elements if "object" in e}
    for file in paths(evidence):
        if file not in seen:
            fail("no element of %r" % file)
    ids = [e["id"] for e in elements]
    if len(ids) != len(set(ids)):
        fail("an id stands twice")
    if not any(len(e["object"].get("line", "")) > 200_000 and e.get("issues") for e in elements):
        fail("the long line is not there, or not said to be cut")


def read_csv(evidence, path):
    with open(path, encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    if rows[0] != ["md5", "path", "score"]:
        fail("the first row is %r" % rows[0])
    for row in rows[1:]:
        if len(row) != 3 or not re.fullmatch("[0-9a-f]{32}", row[0]) or not row[2].isdigit():
            fail("a row is %r" % row)
        plain(row[1], "a path")
    seen = "".join(row[1] for row in rows)
    for name in NAMES:
        if name.isprintable() and os.path.join(evidence, name) not in seen:
            fail("no row of %r" % name)


def pairs(line):
    r"""KEY='value' pairs, in which \ escapes; what is left over is wrong."""
    found = re.findall(r"([A-Za-z0-9_]+)='((?:[^'\\]|\\.)*)'(?: |$)", line)
    rest = re.sub(r"([A-Za-z0-9_]+)='((?:[^'\\]|\\.)*)'(?: |$)", "", line)
    if rest:
        fail("no pair: %r" % rest[:100])
    return dict(found)


def read_kv(evidence, path):
    files = set()
    for line in lines(path):
        plain(line, "the KV log")
        found = pairs(line)
        if "MODULE" not in found or "LEVEL" not in found:
            fail("a line without module or level: %r" % line[:200])
        files.add(re.sub(r"\\(['\\])", r"\1", found.get("FILE", "")))
    for name in NAMES:
        if name.isprintable() and os.path.join(evidence, name) not in files:
            fail("no line of %r" % name)


def read_text(path):
    for line in lines(path):
        plain(line, path)


class Elements(HTMLParser):
    def __init__(self):
        super().__init__()
        self.scripts = 0
        self.bad = []

    def handle_starttag(self, tag, attributes):
        names = dict(attributes)
        if tag == "script":
            self.scripts += 1
        if tag in ("img", "b", "i", "iframe", "object", "link") or any(n.startswith("on") for n in names):
            self.bad.append((tag, names))
        for name in ("src", "href", "action"):
            if (names.get(name) or "#").split(":")[0] in ("http", "https", "javascript"):
                self.bad.append((tag, names))


def read_html(path):
    text = open(path, encoding="utf-8").read()
    parser = Elements()
    parser.feed(text)
    if parser.bad:
        fail("elements: %r" % parser.bad[:3])
    if MARK not in text:
        fail("nothing of the findings is in it")
    # Its data, its heading and its program.
    if parser.scripts != 3:
        fail("%d scripts" % parser.scripts)


def read_cef(evidence, path):
    import pycef

    names = set()
    count = 0
    for line in lines(path):
        if "CEF:0" not in line:
            continue
        plain(line, "a CEF line")
        event = pycef.parse(line)
        if not event or event["DeviceProduct"] != "Thunderstorm" or not str(event["DeviceSeverity"]).isdigit():
            fail("pycef reads %r" % line[:300])
        count += 1
        names.add(event.get("filePath", ""))
    if count < len(NAMES):
        fail("only %d events" % count)
    for name in NAMES:
        # pycef strips blanks, and leaves escapes of values in place.
        if name.isprintable() and not any(re.sub(r"\\([=\\])", r"\1", seen).rstrip() == os.path.join(evidence, name).rstrip() for seen in names):
            fail("no event of %r among %r" % (name, sorted(names)[:3]))


def read_syslog(path, count, form):
    got = [json.loads(line) for line in open(path, encoding="utf-8", newline="\n")]
    if len(got) != int(count):
        fail("%d messages, not %s" % (len(got), count))
    for message in got:
        if message["pri"] != "190" or message["host"] != "web_1" or message["tag"] != "THOR":
            fail("head: %r" % {k: v[:50] for k, v in message.items()})
        body = message["msg"].lstrip()
        if form == "SYSLOGJSON":
            json.loads(body)
        elif form == "SYSLOGKV":
            pairs(body)
        elif "MODULE: " not in body or "MESSAGE: " not in body:
            fail("body: %r" % body[:200])
        if form != "SYSLOGJSON":
            plain(body, form)


def read_dashboard(path, metrics, rules):
    known = set(re.findall(r"^# TYPE (\S+)", open(metrics).read(), re.M))
    with open(path) as file:
        dashboard = json.load(file)
    expressions = [t["expr"] for p in dashboard["panels"] for t in p["targets"]]
    if len(expressions) < 20:
        fail("only %d expressions" % len(expressions))
    queries = [v["query"] for v in dashboard["templating"]["list"]]
    for expression in expressions + queries:
        for name in re.findall(r"thunderstorm_[a-z_]+", expression):
            if name not in known and re.sub("_(bucket|sum|count)$", "", name) not in known:
                fail("no metric %s" % name)
    with open(rules, "w") as file:
        file.write("groups:\n- name: dashboard\n  rules:\n")
        for index, expression in enumerate(expressions):
            text = expression.replace("$__rate_interval", "5m").replace("$job", ".*").replace("$instance", ".*")
            file.write("  - record: x:%d\n    expr: %s\n" % (index, json.dumps(text)))


def listen(port, path):
    """Takes lines over TCP into a file, from any number of connections."""
    server = socket.create_server(("127.0.0.1", int(port)))
    file = open(path, "ab", buffering=0)

    def take(connection):
        while data := connection.recv(1 << 16):
            file.write(data)

    while True:
        threading.Thread(target=take, args=server.accept()[:1], daemon=True).start()


COMMANDS = {
    "samples": samples, "json": read_json, "trail": read_trail, "csv": read_csv, "kv": read_kv, "text": read_text,
    "html": read_html, "cef": read_cef, "syslog": read_syslog, "dashboard": read_dashboard, "listen": listen,
}
COMMANDS[sys.argv[1]](*sys.argv[2:])
if sys.argv[1] not in ("samples", "listen"):
    print("ok")
