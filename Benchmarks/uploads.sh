#!/bin/sh
# Sends 32 uploads of 10 MB at a time, 96 in all, sync and then async, to a service with the shipped rules, and prints the
# private anonymous memory of all its processes and the memory files of the machine, before and at their highest.
#
#   Benchmarks/uploads.sh
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
program=$root/.build/release/thunderstorm
tool=$root/Benchmarks/.build/release/BenchmarkTool

THUNDERSTORM_ONLY=All swift build -c release --package-path "$root/Benchmarks" --product BenchmarkTool >/dev/null
work=$(mktemp -d)
server=
trap 'if [ -n "$server" ]; then kill "$server" 2>/dev/null || true; fi; rm -rf "$work"' EXIT INT TERM

i=0
while [ $i -lt 32 ]; do
    head -c 10000000 /dev/urandom >"$work/$i"
    echo "$work/$i" >>"$work/once"
    i=$((i + 1))
done
cat "$work/once" "$work/once" "$work/once" >"$work/list"
head -c 4000 "$work/0" >"$work/small"
echo "$work/small" >"$work/first"

shared() { awk '/^Shmem:/ { print $2 }' /proc/meminfo; }
for path in check checkAsync; do
    "$program" serve --server-port 0 --threads 2 --rules "$root/rules" --no-verdict-cache \
        --server-upload-dir "$work/uploads" >"$work/server.log" 2>&1 &
    server=$!
    port=
    tries=0
    while [ -z "$port" ] && [ $tries -lt 300 ]; do
        sleep 0.1
        port=$(sed -n 's/.*listening on http:\/\/127\.0\.0\.1:\([0-9]*\).*/\1/p' "$work/server.log" | tail -1)
        tries=$((tries + 1))
    done
    [ -n "$port" ] || { cat "$work/server.log" >&2; exit 1; }
    "$tool" upload "$port" /api/check 1 "$work/first" >/dev/null
    before=$("$root/Benchmarks/memory.sh" "$server")
    files=$(shared)
    highest=$before
    most=$files
    "$tool" upload "$port" "/api/$path" 32 "$work/list" >/dev/null &
    client=$!
    while kill -0 "$client" 2>/dev/null; do
        now=$("$root/Benchmarks/memory.sh" "$server")
        [ "$now" -le "$highest" ] || highest=$now
        now=$(shared)
        [ "$now" -le "$most" ] || most=$now
    done
    wait "$client"
    echo "/api/$path: private anonymous memory $((before / 1024)) MiB before, $((highest / 1024)) MiB at its highest;" \
        "memory files $(((most - files) / 1024)) MiB"
    kill "$server"
    wait "$server" 2>/dev/null || true
    server=
done
