#!/usr/bin/env python3
"""Loads every page of a running service of its own in headless Chromium and looks at what the browser says.

    Tests/Page/browser.py PROGRAM [--screenshots FOLDER]

Starts PROGRAM on a free port, scans the demo tree and a file whose name is hostile, then loads each page light and dark,
wide and narrow. Fails when a page asks any other host for anything (the browser's net log), when the browser logs an error
or a breach of the content policy, or when the script of the page does not run. With --screenshots, PNG files are left in
FOLDER.

The browser has questions of its own for its maker, with an empty page, too. No name but this machine's is resolved, so that
none of them gets anywhere; what it asks for with an empty page is known, and anything beyond it fails.
"""
import http.server
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PAGES = ["/", "/findings", "/findings/1", "/upload", "/collections", "/signatures", "/api-docs"]
WIDTHS = [1280, 390]
EMPTY = "about:blank"
HOSTILE = "/tmp/<img src=x onerror=alert(1)>\x1b[31m\u202efdp.exe"
failures = []


def check(condition, words):
    if not condition:
        failures.append(words)
        print("FAILED:", words, file=sys.stderr)


def start(program, folder):
    log = open(folder + "/service.log", "w")
    service = subprocess.Popen(
        [program, "serve", "--server-port", "0", "--server-upload-dir", folder + "/uploads", "--rules", ROOT + "/rules"],
        stdout=log, stderr=subprocess.STDOUT)
    for _ in range(600):
        found = re.search(r"listening on http://127\.0\.0\.1:(\d+)", open(folder + "/service.log").read())
        if found:
            return service, int(found[1])
        if service.poll() is not None:
            break
        time.sleep(0.1)
    sys.exit("the service does not start:\n" + open(folder + "/service.log").read())


def submit(port, name, content, source, scan=""):
    edge = "edge-of-the-form"
    name = name.replace("\\", "\\\\").replace('"', '\\"')
    head = f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
    body = head.encode() + content + f"\r\n--{edge}--\r\n".encode()
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/api/v1/check?source={source}&scan_id={scan}", data=body,
        headers={"Content-Type": f"multipart/form-data; boundary={edge}"})
    return json.load(urllib.request.urlopen(request))


def fill(port):
    marker = json.dumps({"type": "begin", "source": "web01", "hostname": "web01", "collector": "bash/1.0"}).encode()
    begin = urllib.request.Request(f"http://127.0.0.1:{port}/api/v1/collection", data=marker)
    scan = json.load(urllib.request.urlopen(begin))["scan_id"]
    hostile = b""
    for folder, _, names in sorted(os.walk(ROOT + "/samples/tree")):
        host = os.path.relpath(folder, ROOT + "/samples/tree").split("/")[0]
        for name in sorted(names):
            path = folder + "/" + name
            content = open(path, "rb").read()
            found = submit(port, path[len(ROOT + "/samples/tree"):], content, host if host != "." else "demo", scan)
            if found and not hostile:
                hostile = content
    check(submit(port, HOSTILE, hostile, "host%3Cb%3E"), "the file with a hostile name has no findings: nothing is tested")
    end = json.dumps({"type": "end", "scan_id": scan}).encode()
    urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{port}/api/v1/collection", data=end))
    time.sleep(1)


def browse(folder, port, page, width, dark, output):
    """One page load: the document as the browser has it, and what its net log and its console say."""
    netlog, profile = folder + "/netlog.json", tempfile.mkdtemp(dir=folder)
    flags = [
        "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
        "--disable-component-update", "--disable-sync", "--disable-default-apps", "--disable-extensions",
        "--hide-scrollbars", "--disable-features=AutofillServerCommunication,OptimizationHints,MediaRouter",
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", "--enable-logging=stderr", f"--user-data-dir={profile}", f"--log-net-log={netlog}",
        f"--window-size={width},{2200 if page == '/' else 1400}",
        # Long enough for the overview to be renewed once.
        f"--virtual-time-budget={7000 if page == '/' else 2000}",
    ]
    if dark:
        flags.append("--blink-settings=preferredColorScheme=0")
    else:
        flags.append("--blink-settings=preferredColorScheme=1")
    if output:
        flags.append(f"--screenshot={output}")
    done = subprocess.run(
        ["chromium"] + flags + ["--dump-dom", page if page == EMPTY else f"http://127.0.0.1:{port}{page}"], capture_output=True, text=True, timeout=120)
    shutil.rmtree(profile, ignore_errors=True)
    text = open(netlog).read().rstrip().rstrip(",")
    if not text.endswith("}"):
        text += "]}"
    return done.stdout, json.loads(text), done.stderr


def hosts(netlog):
    """Hosts that anything was asked of, and those that a page of ours asked."""
    everyone, ours = set(), set()
    for event in netlog["events"]:
        parameters = event.get("params", {})
        match = re.match(r"(?:https?|wss?)://([^/:]+)", str(parameters.get("url", "")))
        if match:
            everyone.add(match[1])
            if str(parameters.get("initiator", "")).startswith("http://127.0.0.1"):
                ours.add(match[1])
    return everyone, ours


def requests(netlog, url):
    """How often an address was asked for."""
    return len({event["source"]["id"] for event in netlog["events"] if event.get("params", {}).get("url") == url
                and event["source"]["type"] == netlog["constants"]["logSourceType"]["URL_REQUEST"]})


class Careless(http.server.BaseHTTPRequestHandler):
    """A page that asks another host for an image: what this script must see."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b'<!doctype html><img src="http://other.invalid/image.png">')

    def log_message(self, *_):
        pass


def check_sight(folder):
    server = http.server.HTTPServer(("127.0.0.1", 0), Careless)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    _, netlog, _ = browse(folder, server.server_port, "/careless", 1280, False, None)
    server.shutdown()
    check("other.invalid" in hosts(netlog)[1], "a request to another host is not seen: this test proves nothing")


def main():
    program = sys.argv[1]
    kept = sys.argv[sys.argv.index("--screenshots") + 1] if "--screenshots" in sys.argv else None
    folder = tempfile.mkdtemp()
    service, port = start(program, folder)
    loads = 0
    try:
        check_sight(folder)
        fill(port)
        own = hosts(browse(folder, port, EMPTY, 1280, False, None)[1])[0]
        listed = json.load(urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/findings?source=host%3Cb%3E"))
        hostile = f"/findings/{listed['findings'][0]['id']}"
        for page in PAGES + [hostile]:
            for width in WIDTHS:
                for dark in (False, True):
                    name = f"{page.strip('/').replace('/', '-') or 'overview'}-{width}-{'dark' if dark else 'light'}"
                    output = os.path.abspath(f"{kept}/{name}.png") if kept else None
                    document, netlog, console = browse(folder, port, page, width, dark, output)
                    loads += 1
                    everyone, ours = hosts(netlog)
                    # Style and script, at least, are asked for by the page.
                    check(ours == {"127.0.0.1"}, f"{name}: the page asked {ours}")
                    check(not everyone - own - {"127.0.0.1"}, f"{name}: requests to {everyone - own - {'127.0.0.1'}}")
                    check("</main>" in document and "</footer>" in document, f"{name}: the page is not whole")
                    check("<img" not in document, f"{name}: markup of a sample is on the page")
                    errors = [line for line in console.splitlines() if ":CONSOLE" in line]
                    check(not errors, f"{name}: {errors}")
                    if page == "/":
                        check(re.search(r'<button[^>]*id="pause"[^>]*hidden', document) is None, f"{name}: no script ran")
                        check("The service is running." in document, f"{name}: the page could not be renewed")
                        check(requests(netlog, f"http://127.0.0.1:{port}/") > 1, f"{name}: the page was not renewed")
    finally:
        service.terminate()
        service.wait()
        shutil.rmtree(folder, ignore_errors=True)
    print(f"{loads} page loads, {len(failures)} failures")
    sys.exit(1 if failures else 0)


main()
