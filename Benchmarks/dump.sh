#!/bin/sh
# Measures a scan of one raw memory dump against `yara -p 2` on the same bytes cut into the same chunks as files, with the
# same compiled rules, in the same run; and the memory that the scan needs beyond the rules.
#
#   Benchmarks/dump.sh [--rules DIR] [--size MB] [--runs N]
#
# --rules DIR   folder of YARA rules (default: the shipped ones)
# --size MB     size of the dump in MiB (default: 1024)
# --runs N      runs of each; medians are shown (default: 1)
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
program=$root/.build/release/thunderstorm
tool=$root/Benchmarks/.build/release/BenchmarkTool
rules=$root/rules
size=1024
runs=1
while [ $# -gt 0 ]; do
    case $1 in
        --rules) rules=$2; shift 2 ;;
        --size) size=$2; shift 2 ;;
        --runs) runs=$2; shift 2 ;;
        *) echo "unknown option $1; see the head of this script" >&2; exit 2 ;;
    esac
done

THUNDERSTORM_ONLY=All swift build -c release --package-path "$root/Benchmarks" --product BenchmarkTool --quiet >&2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM

# Memory as it is found: text, code and data, and pages of zeros in between (one byte in four).
"$tool" generate "$work/files" 96
find "$work/files" -type f | sort | while read -r file; do
    cat "$file"
    head -c "$(($(stat -c %s "$file") / 3))" /dev/zero
done >"$work/part"
while [ "$(stat -c %s "$work/dump.raw" 2>/dev/null || echo 0)" -lt $((size << 20)) ]; do cat "$work/part" >>"$work/dump.raw"; done
truncate -s "${size}M" "$work/dump.raw"
rm -r "$work/files" "$work/part"

# The chunks of the stage memory-dump: 12 MiB, one begins every 11 MiB.
mkdir "$work/chunks"
start=0
while :; do
    dd if="$work/dump.raw" of="$work/chunks/$(printf %06d $start)" bs=1M skip=$start count=12 2>/dev/null
    [ $((start + 12)) -lt "$size" ] || break
    start=$((start + 11))
done
find "$work/chunks" -type f | sort >"$work/list"

externals="-d filename= -d filepath= -d extension= -d filetype= -d owner= -d group= -d filemode= -d permissions= -d age=0
    -d osversion=0 -d timezone= -d language= -d unpack_parent= -d unpack_source= -d md5="
number=0
sources=
for rule in $(find "$rules" \( -name '*.yar' -o -name '*.yara' \) | grep -vE '(^|[^a-zA-Z0-9_/])(registry|log|keyword|keywords|meta)([^a-zA-Z0-9_/]|$)' | sort); do
    yarac $externals "$rule" /dev/null >/dev/null 2>&1 || continue
    number=$((number + 1))
    sources="$sources n$number:$rule"
done
yarac $externals $sources "$work/compiled" >/dev/null 2>&1

seconds() {
    start=$(date +%s.%N)
    "$@" >/dev/null 2>&1 || true
    end=$(date +%s.%N)
    echo "$end $start" | awk '{ printf "%.3f\n", $1 - $2 }'
}
median() { sort -n | awk '{ v[NR] = $1 } END { print (NR % 2) ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }

: >"$work/empty"
cat "$work/chunks"/* >/dev/null
load=$(seconds yara -p 2 -C "$work/compiled" "$work/empty")
# Highest private anonymous memory of a scan, its engines included, in KiB; its seconds without loading go to the file.
scan() { # scan FILE SECONDS_FILE
    "$program" scan --rules "$rules" --threads 2 --min-level alert "$1" >/dev/null 2>"$work/summary" &
    scanner=$!
    highest=0
    while now=$("$root/Benchmarks/memory.sh" "$scanner") && [ -n "$now" ]; do
        [ "$now" -gt "$highest" ] && highest=$now
        sleep 0.02
    done
    wait $scanner || true
    sed -n 's/.* MB in \([0-9.]*\) s .*/\1/p' "$work/summary" >>"$2"
    echo "$highest"
}
head -c 4096 /dev/zero >"$work/small.raw"
before=$(scan "$work/small.raw" "$work/t.small")
most=0
for run in $(seq "$runs"); do
    seconds yara -p 2 -C --scan-list "$work/compiled" "$work/list" | awk -v l="$load" '{ print $1 - l }' >>"$work/t.yara"
    now=$(scan "$work/dump.raw" "$work/t.dump")
    [ "$now" -gt "$most" ] && most=$now
done
bytes=$((size << 20))
peer=$(median <"$work/t.yara")
own=$(median <"$work/t.dump")
echo "$size MiB dump, $(wc -l <"$work/list") chunks, $number rule files, $runs runs"
echo "| what | s | MB/s of the dump | throughput / yara -p 2 |"
echo "| --- | --- | --- | --- |"
echo "$peer $bytes" | awk '{ printf "| yara -p 2 on the chunks as files | %.2f | %.0f | 1.00 |\n", $1, $2 / $1 / 1e6 }'
echo "$own $peer $bytes" | awk '{ printf "| thunderstorm scan of the dump, full chain | %.2f | %.0f | %.2f |\n", $1, $3 / $1 / 1e6, $2 / $1 }'
echo "private anonymous memory: $((most / 1024)) MiB at its highest, $((before / 1024)) MiB with a file of 4 KiB"
