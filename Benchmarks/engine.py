#!/usr/bin/env python3
"""What the engine process costs, against the same scan in one process, in the same run; and how fast a new one is there.

    Benchmarks/engine.py [--program PATH] [--rules DIR ...] [--files N] [--runs N]

Scans N made-up text files of 100 KB (default 3,000) with `scan --in-process` and with `scan`, in turns and each first
in every other round, with as many threads as processors. A ratio is the median of those of the rounds: the speed of a
virtual machine changes from one minute to the next. Wall time is the program's own, without loading; processor time is
that of all its processes, less that of a run over one file. Then a service is started, its engine is killed (SIGKILL)
again and again, and the time until the next sample is answered is taken. Linux only.
"""

import argparse
import ctypes
import http.client
import os
import random
import re
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import time

PR_SET_CHILD_SUBREAPER = 36


def make_files(folder, count):
    generator = random.Random(4)
    letters = "abcdefghijklmnopqrstuvwxyz"
    words = ["".join(generator.choices(letters, k=generator.randint(2, 9))) for _ in range(4000)]
    os.mkdir(folder)
    for index in range(count):
        text = " ".join(generator.choices(words, k=20_000))[:100_000]
        with open(f"{folder}/{index:05}.txt", "w") as file:
            file.write(text)


def scan(program, rules, path, in_process):
    """Wall seconds without loading, and processor seconds of all processes."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [program, "scan", path, "--min-level", "alert", *rules] + (["--in-process"] if in_process else [])
    run = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if run.returncode > 1:
        sys.exit(run.stderr)
    # Loader and engine outlive the program by a moment, and come to us.
    while True:
        try:
            os.wait()
        except ChildProcessError:
            break
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    wall = float(re.search(r"MB in ([0-9.]+) s", run.stderr).group(1))
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def children(process):
    found = []
    for task in os.listdir(f"/proc/{process}/task"):
        with open(f"/proc/{process}/task/{task}/children") as file:
            found += [int(child) for child in file.read().split()]
    return found


def restart(program, rules, folder, times):
    """Milliseconds from SIGKILL of the engine to the answer of the next sample; and of a sample in peace."""
    command = [program, "serve", "--server-port", "0", "--server-upload-dir", folder, *rules]
    server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        port = None
        while port is None:
            line = server.stderr.readline()
            if not line:
                sys.exit("the service did not start")
            found = re.search(r"listening on http://[^ ]*:(\d+)", line)
            port = int(found.group(1)) if found else None
        loader = children(server.pid)[0]
        head = '--x\r\nContent-Disposition: form-data; name="file"; filename="/%d"\r\n\r\n'

        def sample(number):
            start = time.monotonic()
            connection = http.client.HTTPConnection("127.0.0.1", port)
            body = (head % number + f"sample {number}\r\n--x--\r\n").encode()
            connection.request("POST", "/api/check", body, {"Content-Type": "multipart/form-data; boundary=x"})
            answer = connection.getresponse()
            if answer.status != 200 or answer.read().strip() != b"[]":
                sys.exit(f"a sample was answered with {answer.status}")
            return 1000 * (time.monotonic() - start)

        quiet = [sample(number) for number in range(times)]
        killed = []
        for number in range(times):
            os.kill(children(loader)[0], signal.SIGKILL)
            killed.append(sample(times + number))
            time.sleep(0.2)
        return quiet, killed
    finally:
        server.terminate()
        server.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    parser.add_argument("--program", default=f"{root}/.build/release/thunderstorm")
    parser.add_argument("--rules", action="append", default=[])
    parser.add_argument("--files", type=int, default=3000)
    parser.add_argument("--runs", type=int, default=6)
    arguments = parser.parse_args()
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    rules = [part for folder in arguments.rules for part in ("--rules", folder)]
    with tempfile.TemporaryDirectory() as work:
        make_files(f"{work}/files", arguments.files)
        make_files(f"{work}/one", 1)
        walls, times = {True: [], False: []}, {True: [], False: []}
        for run in range(arguments.runs):
            for in_process in (True, False) if run % 2 == 0 else (False, True):
                _, load = scan(arguments.program, rules, f"{work}/one", in_process)
                wall, used = scan(arguments.program, rules, f"{work}/files", in_process)
                walls[in_process].append(wall)
                times[in_process].append(used - load)
        print(f"{arguments.files} files of 100 KB, {os.cpu_count()} processors, {arguments.runs} runs, medians")
        print("| what | wall s | processor s | throughput / in-process | processor time / in-process |")
        print("| --- | --- | --- | --- | --- |")
        for name, key in (("in-process", True), ("engine process", False)):
            wall, used = statistics.median(walls[key]), statistics.median(times[key])
            throughput = statistics.median(other / own for other, own in zip(walls[True], walls[key]))
            processor = statistics.median(own / other for other, own in zip(times[True], times[key]))
            print(f"| {name} | {wall:.2f} | {used:.2f} | {throughput:.3f} | {processor:.3f} |")
        rounds = " ".join(f"{other / own:.2f}" for other, own in zip(walls[True], walls[False]))
        print(f"throughput / in-process of each round: {rounds}")
        quiet, killed = restart(arguments.program, rules, f"{work}/uploads", 15)
        print(
            f"a sample in peace {statistics.median(quiet):.0f} ms; after SIGKILL of the engine "
            f"{statistics.median(killed):.0f} ms, {max(killed):.0f} ms at most")


main()
