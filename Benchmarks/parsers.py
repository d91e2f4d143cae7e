#!/usr/bin/env python3
"""Measures the parsers against other tools on the same files, in the same run, one thread each.

    make build
    Benchmarks/parsers.py [--evtx FILE_OR_DIRECTORY] [--hives FILE_OR_DIRECTORY] [--iocs FOLDER] [--runs N] [--only NAME]

Event logs against the Rust parser (`pip install evtx`, `records_json()`) and evtxexport (Debian: libevtx-utils), hives
against regipy (`pip install regipy`, its keys alone and with their values) and regfexport (Debian: libregf-utils), text
logs with 5,000 IOCs against Hyperscan alone, and the memory that an event log of 1 GB takes. A peer that is not
installed is skipped, and said. Text logs are made here, IOCs too if no folder of lists is named (as signature-base has them); event
logs and hives have to be given: only real ones say something about speed.

Seconds are those of the processor, user and system, so that what else runs on the machine counts little. Our side is
the program ParserBenchmark beside this script: type detection and the parser over files that are in memory, again and
again; with the three digests that a file with a finding has, and without. The exporters are processes of their own that
write all they read as text to /dev/null. Tables have medians of N runs (default 3).
"""
import argparse
import ctypes
import os
import random
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import typing

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PROGRAM = os.path.join(ROOT, ".build", "release", "thunderstorm")
PARSERS = os.path.join(ROOT, "Benchmarks", ".build", "release", "ParserBenchmark")
# A run of ours and of a peer repeats its work for so long.
RUN_SECONDS = 0.5
DENSE = 900
# Of larger hives regipy is not asked for the values: it takes minutes for those of 12 MB.
VALUES_BELOW = 8_000_000
IOCS = 5_000


class Pass(typing.NamedTuple):
    """One pass over files: seconds with the digests of findings and without."""

    records: int
    megabytes: float
    parsing: float
    whole: float


class Bench:
    """Both sides of a comparison."""

    def __init__(self, options, folder):
        self.runs = options.runs
        self.folder = folder

    def ours(self, chain, paths, lists=(), runs=None, wanted=RUN_SECONDS):
        """What one pass over the paths takes, medians."""
        times = []
        for _ in range(runs or self.runs):
            run = subprocess.run(
                [PARSERS, chain, str(wanted), *lists, *paths], capture_output=True, text=True, check=False)
            if run.returncode:
                sys.exit(f"{PARSERS} {chain} {paths[0]}: {run.stderr.strip()[-300:]}")
            records, size, parsing, whole = run.stdout.split()
            times.append((float(parsing), float(whole)))
        parsing, whole = (statistics.median(column) for column in zip(*times))
        return Pass(int(records), int(size) / 1e6, parsing, whole)

    def peer(self, work):
        """Median seconds of something that is repeated in each run."""
        times = []
        for _ in range(self.runs):
            start, rounds = processor_seconds(), 0
            while processor_seconds() - start < RUN_SECONDS or rounds == 0:
                work()
                rounds += 1
            times.append((processor_seconds() - start) / rounds)
        return statistics.median(times)


def processor_seconds():
    """User and system time of this process and of those that it waited for."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


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
    dense = [path for path in logs if bench.ours("evtx", [path], runs=1, wanted=0).records >= DENSE]
    if not dense:
        print(f"skipped: no event log with {DENSE} records was given (--evtx)\n")
        return
    peers = {}
    if evtx := module("evtx"):
        peers["evtx records_json()"] = lambda path: json_records(evtx, path)
    if tool("evtxexport", "libevtx-utils"):
        peers["evtxexport"] = lambda path: export("evtxexport", path)
    print(f"{len(dense)} event logs with at least {DENSE} records, one thread\n")
    table = Table("log", "records", peers)
    for path in dense:
        took = bench.ours("evtx", [path])
        table.row(path, took.records, took, [bench.peer(lambda: work(path)) for work in peers.values()])
    table.end()


class Table:
    """Rows of files: ours with and without the digests of a finding, and how many times as long each peer took."""

    def __init__(self, what, unit, peers):
        self.unit, self.peers, self.ratios = unit, list(peers), []
        print(f"| {what} | {unit} | MB | {unit}/s | " + " | ".join(f"/ {peer}" for peer in peers)
              + f" | with the digests: {unit}/s | " + " | ".join(f"/ {peer}" for peer in peers) + " |")
        print("| --- " * (5 + 2 * len(self.peers)) + "|")

    def row(self, path, count, took, peers):
        ratios = [peer and peer / seconds for seconds in (took.parsing, took.whole) for peer in peers]
        self.ratios.append(ratios)
        texts = ["-" if ratio is None else f"{ratio:.2f}" if ratio < 10 else f"{ratio:.0f}" for ratio in ratios]
        has_digests = took.whole > took.parsing * 1.1
        cells = [os.path.basename(path), f"{count:,}", f"{took.megabytes:.1f}", f"{count / took.parsing:,.0f}",
                 *texts[:len(peers)], f"{count / took.whole:,.0f}" if has_digests else "the same",
                 *(texts[len(peers):] if has_digests else ["" for _ in peers])]
        print("| " + " | ".join(cells) + " |", flush=True)

    def end(self):
        print()
        columns = list(zip(*self.ratios))
        for index, column in enumerate(columns):
            values = [value for value in column if value is not None]
            if not values:
                continue
            what = self.peers[index % len(self.peers)] + (", with the digests" if index >= len(self.peers) else "")
            print(f"/ {what}: median {statistics.median(values):.2f}, lowest {min(values):.2f}")
        print()


def json_records(evtx, path):
    for _ in evtx.PyEvtxParser(path, number_of_threads=1).records_json():
        pass


def hives(bench, paths):
    found = [path for path in paths if starts(path, b"regf") and os.path.getsize(path) > 1_000_000]
    regipy = module("regipy.registry") and sys.modules["regipy.registry"]
    if not found or not regipy:
        print("skipped: hives above 1 MB (--hives) and regipy, which counts their keys, are needed\n")
        return
    __import__("logging").disable(50)
    peers = {"regipy, keys alone": lambda path: walk(regipy, path), "regipy": lambda path: walk(regipy, path, True)}
    if tool("regfexport", "libregf-utils"):
        peers["regfexport"] = lambda path: export("regfexport", path)
    table = Table("hive", "keys", peers)
    for path in found:
        alone = shutil.copy(path, os.path.join(bench.folder, os.path.basename(path)))
        try:
            keys = walk(regipy, alone)
        except Exception as error:  # pylint: disable=broad-except
            print(f"| {os.path.basename(path)} | regipy refuses it: {str(error).splitlines()[:1]} |")
            continue
        is_large = os.path.getsize(alone) >= VALUES_BELOW
        times = [None if is_large and name == "regipy" else bench.peer(lambda: work(alone))
                 for name, work in peers.items()]
        table.row(path, keys, bench.ours("hives", [alone]), times)
    table.end()


def walk(regipy, path, values=False):
    """All keys, and if wanted their values as text."""
    keys, stack = 0, [regipy.RegistryHive(path).root]
    while stack:
        key = stack.pop()
        keys += 1
        if values and key.values_count:
            try:
                for _ in key.iter_values(as_json=True):
                    pass
            except Exception:  # pylint: disable=broad-except
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


def make_logs(folder, name, numbers, hits, count=8, lines=160_000):
    """Lines of system and web server logs, about 110 bytes each; one in 5,000 names a hit, if there are any."""
    users = ["root", "www-data", "alice", "bob", "backup", "postgres"]
    pages = ["/index.html", "/api/v1/items", "/static/app.js", "/login", "/img/logo.png", "/search?q=red+shoes"]
    texts = ["Accepted publickey for", "session opened for user", "Connection closed by", "Failed password for"]
    paths = []
    for number in range(count):
        paths.append(os.path.join(folder, f"{name}{number}.log"))
        with open(paths[-1], "w", encoding="utf-8") as file:
            for line in range(lines):
                address = ".".join(str(numbers.randrange(256)) for _ in range(4))
                if hits and line % 5_000 == 4_999:
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
        patterns = [pattern for pattern in patterns if self.takes(*pattern)]
        self.count = count = len(patterns)
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

    def takes(self, text, flags):
        info, error = ctypes.c_void_p(), ctypes.c_void_p()
        return self.library.hs_expression_info(text.encode(), flags, ctypes.byref(info), ctypes.byref(error)) == 0

    def matched(self, *_):
        self.matches += 1
        return 0

    def scan(self, content):
        self.library.hs_scan(self.database, content, len(content), 0, self.scratch, self.callback, None)


def read_iocs(folder):
    """C2 names, filename expressions and keywords of lists as signature-base has them, together at most IOCS."""
    lists = {"c2": [], "filename": [], "keyword": []}
    for path in files(folder):
        kind = next((kind for kind in lists if kind in os.path.basename(path)), None)
        if kind and path.endswith(".txt"):
            with open(path, encoding="utf-8", errors="replace") as file:
                lines = [line.strip() for line in file if line.strip() and not line.startswith("#")]
            lists[kind] += [line if kind == "keyword" else line.split(";")[0] for line in lines]
    total = sum(map(len, lists.values()))
    return [found[:len(found) * IOCS // max(total, IOCS)] for found in lists.values()]


def text_logs(bench, folder):
    numbers = random.Random(4)
    names, paths, keywords = read_iocs(folder) if folder else make_iocs(numbers)
    patterns = [(re.escape(name), Hyperscan.CASELESS) for name in names]
    patterns += [(path, Hyperscan.CASELESS | Hyperscan.MULTILINE) for path in paths]
    patterns += [(re.escape(word), 0) for word in keywords]
    try:
        engine = Hyperscan(patterns)
    except OSError:
        skip("libhs.so.5", "apt-get install libhyperscan5")
        return
    for kind, lines in (("c2", names), ("filename", [f"{path};70" for path in paths]), ("keyword", keywords)):
        with open(os.path.join(bench.folder, f"bench-{kind}-iocs.txt"), "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
    for kind, logs in (("without a hit", make_logs(bench.folder, "quiet", numbers, [])),
                       ("with a hit in 5,000 lines", make_logs(bench.folder, "made", numbers, names))):
        contents = []
        for path in logs:
            with open(path, "rb") as file:
                contents.append(file.read())
        lines = bench.ours("lines", logs)
        matched = bench.ours("logs", logs, [bench.folder])
        alone = bench.peer(lambda: [engine.scan(content) for content in contents])
        print(f"{lines.records:,} lines {kind}, {lines.megabytes:.0f} MB, {len(patterns):,} IOCs ({len(names):,} C2 "
              f"names, {len(paths):,} filename expressions, {len(keywords):,} keywords), one thread\n")
        print("| what | s | MB/s | throughput / Hyperscan alone |")
        print("| --- | --- | --- | --- |")
        for what, took in ((f"Hyperscan alone, {engine.count:,} patterns that it takes, same bytes", alone),
                           ("log lines to records", lines.parsing),
                           ("log lines to records, matched against the IOCs", matched.parsing),
                           ("the same with the digests of logs that have a finding", matched.whole)):
            print(f"| {what} | {took:.3f} | {lines.megabytes / took:.0f} | {alone / took:.2f} |", flush=True)
        print()


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
    config = os.path.join(bench.folder, "config.yml")
    with open(config, "w", encoding="utf-8") as file:
        file.write("chains:\n  parser: [file-type, evtx]\n")
    # In one process: an engine of its own would have the memory that is asked for here.
    scan = [PROGRAM, "scan", "--in-process", "--threads", "1", "--min-level", "alert"]
    for chain, flags in (("type and parser", ["--config", config, "--chain", "parser"]), ("full, shipped rules", [])):
        command = [*scan, *flags, made]
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
    parser.add_argument("--iocs", help="folder of IOC lists, as signature-base has them (default: made here)")
    parser.add_argument("--no-build", action="store_true", help="ParserBenchmark is built already")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", action="append", choices=["evtx", "hives", "logs", "memory"], help="default: all")
    options = parser.parse_args()
    if not os.path.exists(PROGRAM):
        sys.exit(f"{PROGRAM} is missing: run `make build` first")
    if not options.no_build:
        subprocess.run(
            ["swift", "build", "-c", "release", "--package-path", os.path.join(ROOT, "Benchmarks"), "--product",
             "ParserBenchmark"], env={**os.environ, "THUNDERSTORM_ONLY": "All"}, stdout=subprocess.DEVNULL, check=True)
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(options, folder)
        chosen = options.only or ["evtx", "hives", "logs", "memory"]
        if "evtx" in chosen:
            event_logs(bench, files(options.evtx) if options.evtx else [])
        if "hives" in chosen:
            hives(bench, files(options.hives) if options.hives else [])
        if "logs" in chosen:
            text_logs(bench, options.iocs)
        if "memory" in chosen:
            large_log(bench, files(options.evtx) if options.evtx else [])


if __name__ == "__main__":
    main()
