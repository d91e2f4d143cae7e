#!/usr/bin/env python3
"""What the engine process costs, against the same scan in one process, in the same run; and how fast a new one is there.

    Benchmarks/engine.py [--program PATH] [--rules DIR ...] [--files N] [--runs N]

Scans N made-up text files of 100 KB (default 3,000) with `scan --in-process` and with `scan`, with as many threads as
processors. Both run at the same time, but in turns of 0.25 s: one has the machine while the other is stopped (SIGSTOP to
its process groups). The speed of a virtual machine changes from second to second by more than what is measured here;
so both get the same. Times are the sums of the turns, less those of a run over one file, which is loading; each is first
in every other run. Then a service is started, its engine is killed (SIGKILL) again and again, and the time until the
next sample is answered is taken. Linux only.
"""

import argparse
import ctypes
import http.client
import os
import random
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time

PR_SET_CHILD_SUBREAPER = 36
TURN = 0.25


def make_files(folder, count):
    generator = random.Random(4)
    letters = "abcdefghijklmnopqrstuvwxyz"
    words = ["".join(generator.choices(letters, k=generator.randint(2, 9))) for _ in range(4000)]
    os.mkdir(folder)
    for index in range(count):
        text = " ".join(generator.choices(words, k=20_000))[:100_000]
        with open(f"{folder}/{index:05}.txt", "w") as file:
            file.write(text)


def children(process):
    found = []
    for task in os.listdir(f"/proc/{process}/task"):
        with open(f"/proc/{process}/task/{task}/children") as file:
            found += [int(child) for child in file.read().split()]
    return found


def processes(root):
    """A process and all below it."""
    found = [root]
    try:
        for child in children(root):
            found += processes(child)
    except OSError:
        pass
    return found


def groups(root):
    """The process groups of a process and all below it: the program's own, and that of its loader and engines."""
    found = []
    for process in processes(root):
        try:
            found.append(os.getpgid(process))
        except ProcessLookupError:
            pass
    return list(dict.fromkeys(found))


def tell(receivers, number):
    """Sends a signal to process groups."""
    for group in receivers:
        try:
            os.killpg(group, number)
        except ProcessLookupError:
            pass


def in_turns(commands):
    """Seconds that each command had the machine until it was done."""
    runs = []
    for command in commands:
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        runs.append(subprocess.Popen(command, start_new_session=True, **quiet))
        tell(groups(runs[-1].pid), signal.SIGSTOP)
    seconds = [0.0] * len(runs)
    try:
        while any(run.returncode is None for run in runs):
            for index, run in enumerate(runs):
                if run.returncode is None:
                    seconds[index] += turn(run)
    finally:
        # Nothing stays behind stopped.
        for run in runs:
            if run.returncode is None:
                tell(groups(run.pid), signal.SIGKILL)
    # Loader and engine outlive the program by a moment, and come to us.
    while True:
        try:
            os.wait()
        except ChildProcessError:
            return seconds


def turn(run):
    """Lets a stopped command go on for a moment; the seconds it took."""
    stopped = groups(run.pid)
    tell(stopped, signal.SIGCONT)
    start = time.monotonic()
    while run.poll() is None and time.monotonic() - start < TURN:
        time.sleep(0.002)
    if run.returncode is None:
        tell(stopped, signal.SIGSTOP)
    seconds = time.monotonic() - start
    if run.returncode is None:
        # And those that were born meanwhile.
        tell(groups(run.pid), signal.SIGSTOP)
    elif run.returncode > 1:
        sys.exit(f"{' '.join(run.args)} ended with {run.returncode}")
    return seconds


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

        def seconds(path, first):
            command = [arguments.program, "scan", path, "--min-level", "alert", *rules]
            order = [[*command, "--in-process"], command]
            measured = in_turns(order if first == 0 else order[::-1])
            return measured if first == 0 else measured[::-1]

        ratios, walls = [], []
        for run in range(arguments.runs):
            loading = seconds(f"{work}/one", run % 2)
            walls.append([whole - load for whole, load in zip(seconds(f"{work}/files", run % 2), loading)])
            ratios.append(walls[-1][0] / walls[-1][1])
        print(f"{arguments.files} files of 100 KB, {os.cpu_count()} processors, {arguments.runs} runs, medians")
        print("| what | s | throughput / in-process |")
        print("| --- | --- | --- |")
        print(f"| in-process | {statistics.median(wall[0] for wall in walls):.2f} | 1.000 |")
        print(f"| engine process | {statistics.median(wall[1] for wall in walls):.2f} | {statistics.median(ratios):.3f} |")
        print(f"throughput / in-process of each run: {' '.join(f'{ratio:.2f}' for ratio in ratios)}")
        quiet, killed = restart(arguments.program, rules, f"{work}/uploads", 15)
        print(
            f"a sample in peace {statistics.median(quiet):.0f} ms; after SIGKILL of the engine "
            f"{statistics.median(killed):.0f} ms, {max(killed):.0f} ms at most")


main()
