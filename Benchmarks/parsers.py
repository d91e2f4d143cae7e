#!/usr/bin/env python3
"""Measures the parsers against other tools on the same files, in the same run, one thread each.

    Benchmarks/parsers.py [--evtx FILE_OR_DIRECTORY] [--hives FILE_OR_DIRECTORY] [--runs N] [--only NAME]...

Event logs against the Rust parser (`pip install evtx`, `records_json()`) and evtxexport (Debian: libevtx-utils), hives
against regfexport (Debian: libregf-utils) and regipy (`pip install regipy`), text logs with 5,000 IOCs against
Hyperscan alone, and the memory that an event log of 1 GB takes. A peer that is not installed is skipped, and said.
Text logs and IOCs are made here; event logs and hives have to be given: only real ones say something about speed.

Our side is `thunderstorm scan --threads 1` with a chain of type detection and the parser, timed by its own summary:
reading the file into memory and counting are in it, start-up is not, neither is it on the other side. Tables have
medians of N runs (default 3).
"""
import argparse
import ctypes
import os
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PROGRAM = os.path.join(ROOT, ".build", "release", "thunderstorm")
CHAINS = """chains:
  evtx: [file-type, evtx]
  hives: [file-type, registry-hive]
  logs: [file-type, log-lines, ioc]
"""
# A file is given so often that one run takes about so long.
RUN_SECONDS = 3.0
DENSE = 900
IOCS = 5_000


class Bench:
    def __init__(self, options, folder):
        self.runs = options.runs
        self.folder = folder
        self.config = os.path.join(folder, "config.yml")
        self.rules = os.path.join(folder, "rules")
        os.makedirs(os.path.join(self.rules, "iocs"), exist_ok=True)
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(CHAINS)
        # A folder of signatures may not be empty.
        with open(os.path.join(self.rules, "iocs", "bench-hash-iocs.txt"), "w", encoding="utf-8") as file:
            file.write("0123456789abcdef" * 4 + ";a file that nobody has\n")

    def command(self, chain, paths):
        return [PROGRAM, "scan", "--threads", "1", "--min-level", "alert", "--config", self.config, "--rules",
                self.rules, "--chain", chain, *paths]

    def scan(self, chain, paths):
        """Seconds, records and megabytes of one scan."""
        run = subprocess.run(self.command(chain, paths), capture_output=True, text=True, check=False)
        found = re.search(r"(\d+) records, ([\d.]+) MB in ([\d.]+) s", run.stderr)
        if not found:
            sys.exit(f"{' '.join(self.command(chain, paths[:1]))}: {run.stderr.strip()[-300:]}")
        return float(found.group(3)), int(found.group(1)), float(found.group(2))

    def ours(self, chain, paths):
        """Median seconds for one pass over the paths, and its records and megabytes."""
        seconds, records, megabytes = self.scan(chain, paths)
        rounds = 1
        while seconds < RUN_SECONDS and rounds < 4096:
            rounds = min(4096, int(rounds * min(16, 1.2 * RUN_SECONDS / max(seconds, 0.1))) + 1)
            seconds, _, _ = self.scan(chain, paths * rounds)
        times = [seconds] + [self.scan(chain, paths * rounds)[0] for _ in range(self.runs - 1)]
        return statistics.median(times) / rounds, records, megabytes

    def peer(self, work):
        """Median seconds of something that is called as often as the runs say, at least for half a second each."""
        times = []
        for _ in range(self.runs):
            start, rounds = time.perf_counter(), 0
            while time.perf_counter() - start < 0.5 or rounds == 0:
                work()
                rounds += 1
            times.append((time.perf_counter() - start) / rounds)
        return statistics.median(times)


def skip(what, how):
    print(f"skipped: {what} is not installed ({how})\n")


def tool(name, package):
    if shutil.which(name):
        return True
    skip(name, f"apt-get install {package}")
    return False


def module(name):
    try:
        return __import__(name)
    except ImportError:
        package = name.split(".", maxsplit=1)[0]
        skip(f"the Python package {package}", f"pip install {package}")
        return None


def files(path):
    if os.path.isfile(path):
        return [path]
    return sorted(os.path.join(folder, name) for folder, _, names in os.walk(path) for name in names)


def starts(path, magic):
    with open(path, "rb") as file:
        return file.read(len(magic)) == magic


def export(name, path):
    subprocess.run([name, path], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)


def event_logs(bench, paths):
    logs = [path for path in paths if starts(path, b"ElfFile\0")]
    dense = [path for path in logs if bench.scan("evtx", [path])[1] >= DENSE]
    if not dense:
        print(f"skipped: no event log with {DENSE} records was given (--evtx)\n")
        return
    evtx = module("evtx")
    exporter = tool("evtxexport", "libevtx-utils")
    print(f"{len(dense)} event logs with at least {DENSE} records, one thread\n")
    print("| log | records | MB | records/s | MB/s | / evtx records_json() | / evtxexport |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    ratios, slow = [], []
    for path in dense:
        seconds, records, megabytes = bench.ours("evtx", [path])
        cells = [os.path.basename(path), f"{records:,}", f"{megabytes:.1f}", f"{records / seconds:,.0f}",
                 f"{megabytes / seconds:.0f}"]
        if evtx:
            ratios.append(bench.peer(lambda: json_records(evtx, path)) / seconds)
        if exporter:
            slow.append(bench.peer(lambda: export("evtxexport", path)) / seconds)
        cells += [f"{ratios[-1]:.2f}" if evtx else "-", f"{slow[-1]:.1f}" if exporter else "-"]
        print("| " + " | ".join(cells) + " |", flush=True)
    if ratios:
        print(f"\n/ evtx: median {statistics.median(ratios):.2f}, lowest {min(ratios):.2f}")
    if slow:
        print(f"/ evtxexport: median {statistics.median(slow):.1f}, lowest {min(slow):.1f}")
    print()


def json_records(evtx, path):
    for _ in evtx.PyEvtxParser(path, number_of_threads=1).records_json():
        pass


def hives(bench, paths):
    found = [path for path in paths if starts(path, b"regf") and os.path.getsize(path) > 1_000_000]
    regipy = module("regipy.registry") and sys.modules["regipy.registry"]
    exporter = tool("regfexport", "libregf-utils")
    if not found or not regipy:
        print("skipped: hives above 1 MB (--hives) and regipy, which counts their keys, are needed\n")
        return
    __import__("logging").disable(50)
    print("| hive | keys | MB | keys/s | / regipy, keys only | / regipy, with values | / regfexport |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    ratios = {"regipy, keys only": [], "regipy, with values": [], "regfexport": []}
    for path in found:
        alone = shutil.copy(path, os.path.join(bench.folder, "hive"))
        try:
            keys = walk(regipy, alone)
        except Exception as error:  # pylint: disable=broad-except
            print(f"| {os.path.basename(path)} | regipy refuses it: {str(error)[:60]} | | | | | |")
            continue
        seconds, _, megabytes = bench.ours("hives", [alone])
        ratios["regipy, keys only"].append(bench.peer(lambda: walk(regipy, alone, values=False)) / seconds)
        ratios["regipy, with values"].append(bench.peer(lambda: walk(regipy, alone)) / seconds)
        if exporter:
            ratios["regfexport"].append(bench.peer(lambda: export("regfexport", alone)) / seconds)
        last = f"{ratios['regfexport'][-1]:.0f}" if exporter else "-"
        print(f"| {os.path.basename(path)} | {keys:,} | {megabytes:.1f} | {keys / seconds:,.0f} | "
              f"{ratios['regipy, keys only'][-1]:.0f} | {ratios['regipy, with values'][-1]:.0f} | {last} |", flush=True)
    for name, values in ratios.items():
        if values:
            print(f"\n/ {name}: median {statistics.median(values):.0f}, lowest {min(values):.0f}")
    print()


def walk(regipy, path, values=True):
    """All keys, and all their values as our side emits them."""
    keys, stack = 0, [regipy.RegistryHive(path).root]
    while stack:
        key = stack.pop()
        keys += 1
        if values and key.header.values_count:
            for _ in key.iter_values():
                pass
        if key.subkey_count:
            stack.extend(key.iter_subkeys())
    return keys


# Text logs


def make_iocs(numbers):
    """C2 names, filename expressions and keywords: 2 of 5, 2 of 5 and 1 of 5."""
    def word(low, high):
        return "".join(numbers.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(numbers.randint(low, high)))

    names = [f"{word(5, 12)}-{word(3, 8)}.{numbers.choice(['example', 'test', 'invalid'])}" for _ in range(IOCS * 2 // 5)]
    paths = [rf"\\{word(4, 9)}\\{word(5, 10)}\.(exe|dll|ps1)$" for _ in range(IOCS * 2 // 5)]
    keywords = [f"{word(4, 8).title()}{word(4, 8).title()}" for _ in range(IOCS // 5)]
    return names, paths, keywords


def make_logs(folder, numbers, hits, count=8, lines=160_000):
    """Lines of system and web server logs, about 110 bytes each; one in 5,000 names an IOC."""
    users = ["root", "www-data", "alice", "bob", "backup", "postgres"]
    pages = ["/index.html", "/api/v1/items", "/static/app.js", "/login", "/img/logo.png", "/search?q=red+shoes"]
    texts = ["Accepted publickey for", "session opened for user", "Connection closed by", "Failed password for"]
    paths = []
    for number in range(count):
        paths.append(os.path.join(folder, f"made{number}.log"))
        with open(paths[-1], "w", encoding="utf-8") as file:
            for line in range(lines):
                address = ".".join(str(numbers.randrange(256)) for _ in range(4))
                if line % 5_000 == 4_999:
                    text = f"proxy[77]: CONNECT {numbers.choice(hits)}:443 from {address} tunnel established"
                elif line % 2:
                    text = f"sshd[{numbers.randrange(65536)}]: {numbers.choice(texts)} {numbers.choice(users)} from " \
                           f"{address} port {numbers.randrange(65536)} ssh2"
                else:
                    text = f'{address} - {numbers.choice(users)} "GET {numbers.choice(pages)} HTTP/1.1" 200 ' \
                           f'{numbers.randrange(90000)} "-" "Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101"'
                file.write(f"2026-03-{line % 28 + 1:02}T{line % 24:02}:{line % 60:02}:01Z host{line % 50} {text}\n")
    return paths


class Hyperscan:
    """Hyperscan alone, through its C interface: all patterns in one database, block mode."""

    CASELESS, MULTILINE = 1, 4

    def __init__(self, patterns):
        self.library = ctypes.CDLL("libhs.so.5")
        self.database, self.scratch = ctypes.c_void_p(), ctypes.c_void_p()
        count = len(patterns)
        texts = (ctypes.c_char_p * count)(*[text.encode() for text, _ in patterns])
        flags = (ctypes.c_uint * count)(*[flag for _, flag in patterns])
        ids = (ctypes.c_uint * count)(*range(count))
        error = ctypes.c_void_p()
        code = self.library.hs_compile_multi(
            texts, flags, ids, count, 1, None, ctypes.byref(self.database), ctypes.byref(error))
        if code or self.library.hs_alloc_scratch(self.database, ctypes.byref(self.scratch)):
            sys.exit("Hyperscan does not compile the patterns")
        self.matches = 0
        kind = ctypes.CFUNCTYPE(
            ctypes.c_int, ctypes.c_uint, ctypes.c_ulonglong, ctypes.c_ulonglong, ctypes.c_uint, ctypes.c_void_p)
        self.callback = kind(self.matched)

    def matched(self, *_):
        self.matches += 1
        return 0

    def scan(self, content):
        self.library.hs_scan(self.database, content, len(content), 0, self.scratch, self.callback, None)


def text_logs(bench):
    numbers = random.Random(4)
    names, paths, keywords = make_iocs(numbers)
    for kind, lines in (("c2", names), ("filename", [f"{path};70" for path in paths]), ("keyword", keywords)):
        with open(os.path.join(bench.rules, "iocs", f"bench-{kind}-iocs.txt"), "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
    logs = make_logs(bench.folder, numbers, names)
    try:
        patterns = [(re.escape(name), Hyperscan.CASELESS) for name in names]
        patterns += [(path, Hyperscan.MULTILINE) for path in paths] + [(re.escape(word), 0) for word in keywords]
        engine = Hyperscan(patterns)
    except OSError:
        skip("libhs.so.5", "apt-get install libhyperscan5")
        return
    contents = []
    for path in logs:
        with open(path, "rb") as file:
            contents.append(file.read())
    seconds, records, megabytes = bench.ours("logs", logs)
    alone = bench.peer(lambda: [engine.scan(content) for content in contents])
    print(f"{records:,} lines, {megabytes:.0f} MB, {len(patterns):,} IOCs ({len(names):,} C2 names, {len(paths):,} filename "
          f"expressions, {len(keywords):,} keywords), one thread\n")
    print("| what | s | MB/s | throughput / Hyperscan alone |")
    print("| --- | --- | --- | --- |")
    print(f"| Hyperscan alone, same patterns, same bytes | {alone:.2f} | {megabytes / alone:.0f} | 1.00 |")
    print(f"| log lines to records, matched against the IOCs | {seconds:.2f} | {megabytes / seconds:.0f} | "
          f"{alone / seconds:.2f} |\n", flush=True)


# Memory


def large_log(bench, paths):
    logs = [path for path in paths if starts(path, b"ElfFile\0")]
    if not logs:
        print("skipped: no event log was given (--evtx)\n")
        return
    with open(max(logs, key=os.path.getsize), "rb") as file:
        content = file.read()
    chunks = [content[at:at + 65_536] for at in range(4096, len(content) - 65_535, 65_536)]
    chunks = [chunk for chunk in chunks if chunk.startswith(b"ElfChnk\0")]
    made = os.path.join(bench.folder, "large.evtx")
    with open(made, "wb") as file:
        file.write(content[:4096])
        for number in range(16_384):
            file.write(chunks[number % len(chunks)])
    print("| chain | log | records | s | anonymous memory at its highest |")
    print("| --- | --- | --- | --- | --- |")
    for chain, command in (("evtx", bench.command("evtx", [made])),
                           ("full, shipped rules", [PROGRAM, "scan", "--threads", "1", made])):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        highest = 0
        while process.poll() is None:
            highest = max(highest, anonymous(process.pid))
            time.sleep(0.02)
        found = re.search(r"(\d+) records, ([\d.]+) MB in ([\d.]+) s", process.stderr.read())
        print(f"| {chain} | 1 GiB ({len(chunks)} chunks of a real log, repeated) | {int(found.group(1)):,} | "
              f"{found.group(3)} | {highest / 1024:.0f} MiB |", flush=True)
    print()


def anonymous(process):
    try:
        with open(f"/proc/{process}/status", encoding="ascii") as file:
            return int(re.search(r"RssAnon:\s+(\d+)", file.read()).group(1))
    except (OSError, AttributeError):
        return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--evtx", help="event log, or folder of them")
    parser.add_argument("--hives", help="registry hive, or folder of them")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", action="append", choices=["evtx", "hives", "logs", "memory"], help="default: all")
    options = parser.parse_args()
    if not os.path.exists(PROGRAM):
        sys.exit(f"{PROGRAM} is missing: run `make build` first")
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(options, folder)
        chosen = options.only or ["evtx", "hives", "logs", "memory"]
        if "evtx" in chosen:
            event_logs(bench, files(options.evtx) if options.evtx else [])
        if "hives" in chosen:
            hives(bench, files(options.hives) if options.hives else [])
        if "logs" in chosen:
            text_logs(bench)
        if "memory" in chosen:
            large_log(bench, files(options.evtx) if options.evtx else [])


if __name__ == "__main__":
    main()
