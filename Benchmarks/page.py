#!/usr/bin/env python3
"""Compares how long the pages take with 1,000 and with 1,000,000 findings in the store.

    Benchmarks/page.py [--program FILE] [--findings N] [--rounds N]

The small store is filled by the service itself: 1,000 log files of two lines from 5 sources, each line with a text that one
of 8 YARA rules looks for. The large one is the same store with every row again and again, as other submissions of the same
files at times spread over the 80 days before. Then each address is asked for in turns from the two services (medians; the ratio is of
medians). A ratio above 3 ends the script with 1.
"""
import http.client
import json
import os
import re
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LINES = 2
FILES = 1_000
SOURCES = 5
# Each copy is so much older: a thousand of them are within the age that is kept.
SHIFT = 7_000
RULES = 8
LIMIT = 3.0


def option(name, default):
    return sys.argv[sys.argv.index(name) + 1] if name in sys.argv else default


class Service:
    def __init__(self, program, folder, name):
        self.uploads = f"{folder}/{name}"
        log = f"{folder}/{name}.log"
        self.process = subprocess.Popen(
            [program, "serve", "--server-port", "0", "--threads", "2", "--server-upload-dir", self.uploads,
             "--rules", folder + "/rules", "--no-verdict-cache"], stdout=open(log, "w"), stderr=subprocess.STDOUT)
        for _ in range(1800):
            found = re.search(r"listening on http://127\.0\.0\.1:(\d+)", open(log).read())
            if found or self.process.poll() is not None:
                break
            time.sleep(0.1)
        if not found:
            sys.exit("the service does not start:\n" + open(log).read())
        self.connection = http.client.HTTPConnection("127.0.0.1", int(found[1]), timeout=300)

    def send(self, method, path, body=None, headers={}):
        self.connection.request(method, path, body, headers)
        answer = self.connection.getresponse()
        content = answer.read()
        if answer.status != 200:
            sys.exit(f"{path}: {answer.status} {content[:300]}")
        return content

    def json(self, path):
        return json.loads(self.send("GET", path))

    def fill(self):
        for number in range(FILES):
            # Rules are spread so that each source has some of each.
            lines = "".join(
                f"2026-01-02 03:04:05 app[{line}]: sample {number} says bench-marker-{(line + number // SOURCES) % RULES:02d} here\n"
                for line in range(LINES))
            edge = "edge"
            head = f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="/var/log/app-{number}.log"\r\n\r\n'
            body = (head + lines + f"\r\n--{edge}--\r\n").encode()
            self.send("POST", f"/api/check?source=host-{number % SOURCES}", body,
                      {"Content-Type": f"multipart/form-data; boundary={edge}"})
        time.sleep(2)

    def count(self):
        page = self.send("GET", "/").decode()
        return sum(int(number.replace(",", "")) for number in re.findall(r'<b class="\w+">([\d,]+)</b>', page))

    def close(self):
        self.process.terminate()
        self.process.wait()


def multiply(path, copies):
    """Puts every finding into the store again and again, each time older."""
    store = sqlite3.connect(path)
    store.execute("PRAGMA synchronous = OFF")
    store.execute("PRAGMA cache_size = -400000")
    span = store.execute("SELECT max(id) FROM finding").fetchone()[0]
    offsets = f"WITH RECURSIVE copy(k) AS (SELECT 1 UNION ALL SELECT k + 1 FROM copy WHERE k < {copies - 1}) "
    shifted = {"id": f"id + k * {span}", "finding": f"finding + k * {span}", "seconds": f"seconds - k * {SHIFT}",
               "scan_id": "scan_id || '-' || k",
               # 0x69 is the kind of a submission.
               "term": "CASE WHEN substr(term, 1, 1) = x'69' THEN CAST(term || '-' || k AS BLOB) ELSE term END"}
    for table, order in (("finding", "k, id"), ("finding_body", "k, id"), ("term", "1, 2, 3")):
        columns = [row[1] for row in store.execute(f"PRAGMA table_info({table})")]
        values = ", ".join(shifted.get(name, name) for name in columns)
        store.execute(f"INSERT INTO {table} ({', '.join(columns)}) {offsets} SELECT {values} FROM {table}, copy ORDER BY {order}")
    store.execute(f"UPDATE tally SET count = count * {copies}")
    store.execute(f"UPDATE meta SET value = value * {copies}")
    store.execute("DELETE FROM bucket")
    for step in (60, 3600):
        store.execute(
            f"INSERT INTO bucket SELECT {step}, seconds / {step} * {step}, level, count(*) FROM finding GROUP BY 2, 3")
    store.commit()
    store.close()


def addresses(service):
    """What people ask for, with values that are in this store."""
    newest = service.json("/api/v1/findings?limit=200")
    middle = newest["findings"][len(newest["findings"]) // 2]
    file = next(f for f in service.json("/api/v1/findings?limit=1&scan=" + middle["scan_id"])["findings"])
    one = service.json(f"/api/v1/findings/{file['id']}")
    sha256 = one["context"][0]["object"]["hashes"]["sha256"] if one.get("context") else one["subject"]["hashes"]["sha256"]
    # In the middle of the large store's 80 days; in the small store all findings are younger, and the newest page is asked.
    old = int(time.time()) - 40 * 86_400
    deep = f"{old}-1" if service.json(f"/api/v1/findings?limit=1&before={old}-1")["findings"] else newest["findings"][1]
    deep = deep if isinstance(deep, str) else f"{int(time.time())}-{deep['id']}"
    rule, source = middle["rules"][0], middle["source"]
    return [
        ("overview", "/"), ("overview, 30 days", "/?span=month"), ("findings, newest", "/findings"),
        ("findings, an old page", f"/findings?before={deep}"), ("by source", f"/findings?source={source}"),
        ("by rule", f"/findings?rule={rule}"), ("by hash", f"/findings?hash={sha256}"),
        ("by level", "/findings?level=warning"), ("by a level that none has", "/findings?level=alert"),
        ("by time", f"/findings?since={middle['time'][:10]}&until={middle['time'][:19]}"),
        ("by submission", f"/findings?scan={middle['scan_id']}"),
        ("by source and level", f"/findings?source={source}&level=notice"),
        ("by rule and source", f"/findings?rule={rule}&source={source}"),
        ("by rule, source and level", f"/findings?rule={rule}&source={source}&level=notice"),
        ("by rule, source and a level that none has", f"/findings?rule={rule}&source={source}&level=alert"),
        ("by a rule that is not there", "/findings?rule=bench_nothing"), ("one finding", f"/findings/{middle['id']}"),
        ("JSON: newest 200", "/api/v1/findings?limit=200"), ("JSON: by source", f"/api/v1/findings?source={source}"),
    ]


def main():
    program = option("--program", ROOT + "/.build/release/thunderstorm")
    many, rounds = int(option("--findings", "1000000")), int(option("--rounds", "40"))
    with tempfile.TemporaryDirectory() as folder:
        os.makedirs(folder + "/rules/yara")
        with open(folder + "/rules/yara/bench.yar", "w") as file:
            for number in range(RULES):
                file.write(f'rule Bench_{number:02d} {{ meta: score = 75 strings: $a = "bench-marker-{number:02d}" condition: $a }}\n')
        small = Service(program, folder, "small")
        large = None
        try:
            small.fill()
            small.close()
            shutil.copytree(small.uploads, folder + "/large")
            began = time.time()
            multiply(folder + "/large/findings.sqlite", many // FILES)
            print(f"multiplied in {time.time() - began:.0f} s", file=sys.stderr)
            small, large = Service(program, folder, "small"), Service(program, folder, "large")
            counts = small.count(), large.count()
            size = sum(os.path.getsize(f"{large.uploads}/{n}") for n in os.listdir(large.uploads) if n.startswith("findings"))
            print(f"{counts[0]:,} findings against {counts[1]:,} ({size / 2**20:,.0f} MiB), {rounds} rounds, medians\n")
            print("| page | ms with few | ms with many | ratio |\n| --- | --- | --- | --- |")
            worst = 0.0
            for (name, few), (_, lots) in zip(addresses(small), addresses(large)):
                times = {small: [], large: []}
                for round in range(rounds + 3):
                    for service, address in ((small, few), (large, lots)):
                        began = time.perf_counter()
                        service.send("GET", address)
                        if round >= 3:
                            times[service].append((time.perf_counter() - began) * 1_000)
                a, b = statistics.median(times[small]), statistics.median(times[large])
                worst = max(worst, b / a)
                print(f"| {name} | {a:.2f} | {b:.2f} | {b / a:.2f} |")
            print(f"\nThe largest ratio is {worst:.2f}.")
        finally:
            for service in (small, large):
                if service:
                    service.close()
    sys.exit(1 if worst > LIMIT else 0)


main()
