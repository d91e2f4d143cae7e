#!/bin/sh
# Sends 32 uploads of 10 MB at a time, 96 in all, sync and then async, to a service, and prints the private anonymous memory
# of all its processes before and at its highest, and by how much the memory files of the machine grew.
#
#   Benchmarks/uploads.sh [FLAGS...]     flags of `thunderstorm serve` (default: --rules with the shipped rules)
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
program=$root/.build/release/thunderstorm
tool=$root/Benchmarks/.build/release/BenchmarkTool
[ $# -gt 0 ] || set -- --rules "$root/rules"

THUNDERSTORM_ONLY=All swift build -c release --package-path "$root/Benchmarks" --product BenchmarkTool --quiet >&2
work=$(mktemp -d)
. "$root/Benchmarks/server.sh"

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
    start_server --threads 2 --no-verdict-cache "$@"
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
    stop_server
done
