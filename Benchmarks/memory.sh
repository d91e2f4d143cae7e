#!/bin/sh
# Prints the private anonymous memory of a process and of all that it started, in KiB; pages that they share count once
# for each. Nothing when the process is gone.
#
#   Benchmarks/memory.sh PID
set -eu
[ -d "/proc/$1" ] || exit 0
ps -e -o pid=,ppid= | awk -v root="$1" '
    { parent[$1] = $2 }
    END { for (p in parent) { for (q = p; q in parent && q != root; q = parent[q]); if (q == root) print p } }' |
    while read -r id; do awk '/^RssAnon/ { print $2 }' "/proc/$id/status" 2>/dev/null || true; done |
    awk '{ sum += $1 } END { if (sum) print sum }'
