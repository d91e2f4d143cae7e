#!/bin/sh
# Uploads a small file to one service many times, sync and async in turns and scanned each time, and watches the private
# anonymous memory of the service and of its engine processes.
#
#   Benchmarks/soak.sh [SUBMISSIONS]     (default 100000)
#
# Prints the memory after each tenth of the submissions; fails when it grows by more than 10 % after the first tenth.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
program=$root/.build/release/thunderstorm
tool=$root/Benchmarks/.build/release/BenchmarkTool
submissions=${1:-100000}

THUNDERSTORM_ONLY=All swift build -c release --package-path "$root/Benchmarks" --product BenchmarkTool --quiet >&2
work=$(mktemp -d)
. "$root/Benchmarks/server.sh"

head -c 2000 /dev/urandom | od -An -tx1 >"$work/sample"
i=0
while [ $i -lt $((submissions / 20)) ]; do
    echo "$work/sample"
    i=$((i + 1))
done >"$work/list"

start_server --no-verdict-cache

first=
for tenth in 1 2 3 4 5 6 7 8 9 10; do
    "$tool" upload "$port" /api/check 4 "$work/list" >/dev/null
    "$tool" upload "$port" /api/checkAsync 4 "$work/list" >/dev/null
    while ! curl -s "http://127.0.0.1:$port/api/status" | grep -q '"queued_async_requests":0,'; do sleep 0.1; done
    # The service, its signature loader and its engines.
    now=$("$root/Benchmarks/memory.sh" "$server")
    service=$(awk '/^RssAnon/ { print $2 }' "/proc/$server/status")
    echo "$((submissions / 10 * tenth)) submissions: $((now / 1024)) MiB anonymous memory, $((service / 1024)) of it the service's"
    [ -n "$first" ] || first=$now
done
if [ $((now * 10)) -gt $((first * 11)) ]; then
    echo "memory grew by more than 10 %" >&2
    exit 1
fi
