#!/bin/sh
# `thunderstorm remote` for real: ssh into two network namespaces of this machine, each with an sshd and a /run of its own,
# of which one dies in the middle of its scan, and to a third address that nobody has.
#
#   Tests/Deploy/remote.sh [PROGRAM] [ARCHIVE]
#
# PROGRAM   runs the command (default: .build/debug/thunderstorm)
# ARCHIVE   what is pushed (default: the newest dist/thunderstorm-*-linux-*.tar.gz; `make dist` makes one)
#
# Needs root, ip, ssh and sshd; touches no configuration of the machine, and takes away all it made.
set -eu
checkout=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
program=${1:-$checkout/.build/debug/thunderstorm}
archive=${2:-$(ls -t "$checkout"/dist/thunderstorm-*-linux-*.tar.gz 2>/dev/null | head -1)}
[ "$(id -u)" -eq 0 ] || { echo "SKIPPED remote run: not root"; exit 0; }
for need in ip ssh ssh-keygen nsenter; do
    command -v "$need" >/dev/null 2>&1 || { echo "SKIPPED remote run: no $need"; exit 0; }
done
[ -x /usr/sbin/sshd ] || { echo "SKIPPED remote run: no sshd"; exit 0; }
[ -n "$archive" ] && [ -f "$archive" ] || { echo "remote.sh: no archive; make dist makes one" >&2; exit 2; }

. "$checkout/Tests/Deploy/machines.sh"
cat >"$work/targets.yml" <<YML
user: root
hosts:
  - {host: $net.2, port: 2222, paths: ["$work/few"]}
  - {host: $net.6, port: 2222, paths: ["$work/many"], flags: [--threads, "1"]}
  - {host: $net.10, port: 2222, paths: ["$work/few"]}
YML
"$program" remote -t "$work/targets.yml" --archive "$archive" -o "$work/logs" --ssh-option=-i --ssh-option="$work/key" \
    --ssh-option=-o --ssh-option=StrictHostKeyChecking=no --ssh-option=-o --ssh-option=UserKnownHostsFile="$work/known" \
    --ssh-option=-o --ssh-option=ServerAliveInterval=2 --ssh-option=-o --ssh-option=ConnectTimeout=5 --ssh-option=-F --ssh-option=/dev/null \
    >"$work/out" 2>&1 &
run=$!

b_dies_in_its_scan

check "some machine failed" 2 "$code"
check "  the log of the first is here" 1 "$(find "$work/logs/$net.2-2222" -name '*.jsonl' | wc -l)"
check "  with its finding" yes "$(grep -q '"THOR finding"' "$work/logs/$net.2-2222"/*.jsonl && echo yes || echo no)"
check "  and its report" 1 "$(find "$work/logs/$net.2-2222" -name '*.html' | wc -l)"
check "  the first machine keeps nothing" 0 "$(on a ls /run | grep -c thunderstorm || true)"
check "  no mount of it is left" 0 "$(on a grep -c thunderstorm-scan /proc/mounts || true)"
check "  nothing runs there but sshd" "" "$(ip netns pids "${tag}a" | while read -r pid; do cat "/proc/$pid/comm"; done | grep -v sshd || true)"
check "the dead one is said to have failed" yes "$(grep "$net.6" "$work/out" | grep -qi fail && echo yes || echo no)"
check "the one that is not there, too" yes "$(grep "$net.10" "$work/out" | grep -qi fail && echo yes || echo no)"
check "half a log of it is no log" 0 "$(find "$work/logs" -path "*$net.6*" -name '*.jsonl' | wc -l)"
check "no partial download is left" 0 "$(find "$work/logs" -name '*.part' | wc -l)"
"$program" report "$work/logs/$net.2-2222"/*.jsonl -o "$work/all.html" >/dev/null 2>&1
check "a report over what came" yes "$([ -s "$work/all.html" ] && echo yes || echo no)"

[ "$failed" -eq 0 ] || cat "$work/out"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
