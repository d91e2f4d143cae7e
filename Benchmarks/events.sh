#!/bin/sh
# What writing events costs a scan: the same scan without any output, into files, to a TCP target on the loopback, and with an
# audit trail. Every round runs all of them, one after another; ratios are of the medians of one run of this script.
#
# The scan makes as many events a second as it can (events/s), and the ratio of times says how much it is slowed down at that
# rate. What the writer could take if more came is the other figure: an output costs so much processor time beyond the scan
# without output, so one processor writes so many events in a second (audit trail: its lines are made by the scan threads).
#
#   Benchmarks/events.sh [--files N] [--every N] [--rounds N] [--copies N] [--threads N]
#
# --files N     logs of 8,000 lines (default: 40)
# --every N     each Nth line matches a keyword (default: 1, all): more make fewer events a second
# --rounds N    rounds (default: 3)
# --copies N    files that the events are written to at one time, so that their number a second is high (default: 4)
# --threads N   scan threads (default: 1, which leaves the other processor to whoever writes)
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
program=${PROGRAM:-$root/.build/release/thunderstorm}
files=40
every=1
rounds=3
copies=4
threads=1
while [ $# -gt 0 ]; do
    case $1 in
        --files) files=$2; shift 2 ;;
        --every) every=$2; shift 2 ;;
        --rounds) rounds=$2; shift 2 ;;
        --copies) copies=$2; shift 2 ;;
        --threads) threads=$2; shift 2 ;;
        *) echo "unknown option $1; see the head of this script" >&2; exit 2 ;;
    esac
done
work=$(mktemp -d)
sink=
trap 'if [ -n "$sink" ]; then kill "$sink" 2>/dev/null || true; fi; rm -rf "$work"' EXIT INT TERM

mkdir -p "$work/logs" "$work/rules/iocs"
cp "$root/rules/chains.yml" "$work/rules/"
echo "needle-of-the-benchmark" >"$work/rules/iocs/bench-keywords.txt"
awk -v every="$every" 'BEGIN { for (i = 0; i < 8000; i++) printf "10.0.%d.%d - - [10/Oct/2025:13:55:%02d +0000] \"GET /%s/%d?q=%d HTTP/1.1\" 200 2326 \"-\" \"Mozilla/5.0 (X11; Linux x86_64)\"\n", i / 256, i % 256, i % 60, i % every ? "haystack-of-the-benchmark" : "needle-of-the-benchmark", i, i * 7919 }' >"$work/access.log"
number=0
while [ "$number" -lt "$files" ]; do
    { echo "10.9.9.$number - - [10/Oct/2025:13:55:36 +0000] \"GET /$number HTTP/1.1\" 200 1 \"-\" \"-\""; cat "$work/access.log"; } >"$work/logs/$number.log"
    number=$((number + 1))
done
events=$((files * ((8000 + every - 1) / every)))

# Takes what comes and counts the lines.
python3 - "$work/port" "$work/count" <<'PYTHON' &
import socket, sys
server = socket.create_server(("127.0.0.1", 0))
open(sys.argv[1], "w").write(str(server.getsockname()[1]))
total = 0
while True:
    connection = server.accept()[0]
    while data := connection.recv(1 << 20):
        total += data.count(b"\n")
    open(sys.argv[2], "w").write(str(total))
PYTHON
sink=$!
while [ ! -s "$work/port" ]; do sleep 0.1; done
port=$(cat "$work/port")

# Nothing of it reaches the level of the terminal; outputs have levels of their own.
echo "min-level: alert" >"$work/none.yml"
output() { echo "  - {$1, min-level: notice}"; }
for format in text json kv; do
    { echo "min-level: alert"; echo "outputs:"; output "file: $work/one.$format, format: $format"; } >"$work/$format.yml"
done
{
    echo "min-level: alert"
    echo "outputs:"
    number=0
    while [ "$number" -lt "$copies" ]; do
        output "file: $work/copy$number.json, format: json"
        number=$((number + 1))
    done
} >"$work/copies.yml"
{ echo "min-level: alert"; echo "remote-spool: 256MB"; echo "outputs:"; output "remote: \"127.0.0.1:$port:JSON:TCP\""; } >"$work/tcp.yml"
{ echo "min-level: alert"; echo "audit-trail: $work/audit.gz"; } >"$work/trail.yml"

scan() { # scan NAME
    rm -f "$work"/one.* "$work"/copy* "$work/audit.gz"
    # Processor time of the process and of the children it waited for, in seconds.
    python3 -c '
import resource, subprocess, sys
code = subprocess.call(sys.argv[2:])
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(used.ru_utime + used.ru_stime, file=open(sys.argv[1], "a"))
sys.exit(code)' "$work/$1.cpu" \
        "$program" scan "$work/logs" --rules "$work/rules" --threads "$threads" --config "$work/$1.yml" \
        >/dev/null 2>"$work/out" || [ $? -eq 1 ]
    # The program's own clock: from the first file to the last report, without the loading of rules.
    sed -n 's/.* MB in \([0-9.]*\) s .*/\1/p' "$work/out" >>"$work/$1.times"
    grep "did not take" "$work/out" || true
}
median() { sort -n | awk '{ v[NR] = $1 } END { print (NR % 2) ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }
names="none text json kv copies tcp trail"
round=0
while [ "$round" -lt "$rounds" ]; do
    for name in $names; do scan "$name"; done
    round=$((round + 1))
done
sleep 1
[ "$(cat "$work/count")" -ge $((events * rounds)) ] || echo "the target got $(cat "$work/count") lines of $((events * rounds))"

base=$(median <"$work/none.times")
idle=$(median <"$work/none.cpu")
echo "$files logs, $events events, $threads scan thread(s)"
echo "| output | s | events/s | time / scan without output | events a second of processor time |"
echo "| --- | --- | --- | --- | --- |"
for name in $names; do
    count=$events
    [ "$name" = copies ] && count=$((events * copies))
    echo "$name $(median <"$work/$name.times") $count $base $(median <"$work/$name.cpu") $idle" | awk '{
        more = $5 - $6
        rate = ($1 != "none" && more > 0) ? int($3 / more) : ""
        printf "| %s | %.2f | %d | %.3f | %s |\n", $1, $2, $3 / $2, $2 / $4, rate
    }'
done
