#!/bin/sh
# Measures Thunderstorm against `yara -p 2` on the same files with the same compiled rules, in the same run.
#
#   Benchmarks/run.sh [--rules DIR] [--files DIR] [--rounds N] [--runs N]
#
# --rules DIR   folder of YARA rules (default: the shipped ones)
# --files DIR   files to scan (default: 150 MB are generated)
# --rounds N    how often the files are scanned in one run; raise it until a run takes 10 s (default: found by trying)
# --runs N      runs of each; medians are shown (default: 3)
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
program=$root/.build/release/thunderstorm
tool=$root/Benchmarks/.build/release/BenchmarkTool
rules=$root/rules
files=
rounds=
runs=3
while [ $# -gt 0 ]; do
    case $1 in
        --rules) rules=$2; shift 2 ;;
        --files) files=$2; shift 2 ;;
        --rounds) rounds=$2; shift 2 ;;
        --runs) runs=$2; shift 2 ;;
        *) echo "unknown option $1; see the head of this script" >&2; exit 2 ;;
    esac
done

THUNDERSTORM_ONLY=All swift build -c release --package-path "$root/Benchmarks" --product BenchmarkTool --quiet >&2
work=$(mktemp -d)
. "$root/Benchmarks/server.sh"

if [ -z "$files" ]; then
    files=$work/files
    "$tool" generate "$files" 150
fi

# The same rule files that the program loads, one namespace each, compiled once.
externals="-d filename= -d filepath= -d extension= -d filetype= -d owner= -d group= -d filemode= -d permissions= -d age=0
    -d osversion=0 -d timezone= -d language= -d unpack_parent= -d unpack_source= -d md5="
number=0
sources=
for rule in $(find "$rules" \( -name '*.yar' -o -name '*.yara' \) | grep -vE '(^|[^a-zA-Z0-9_/])(registry|log|keyword|keywords|process|memory|meta)([^a-zA-Z0-9_/]|$)' | sort); do
    yarac $externals "$rule" /dev/null >/dev/null 2>&1 || continue
    number=$((number + 1))
    sources="$sources n$number:$rule"
done
yarac $externals $sources "$work/compiled" >/dev/null 2>&1

find "$files" -type f | sort >"$work/once"
seconds() { # seconds COMMAND...: wall time of a command whose exit code does not matter
    start=$(date +%s.%N)
    "$@" >/dev/null 2>&1 || true
    end=$(date +%s.%N)
    echo "$end $start" | awk '{ printf "%.3f\n", $1 - $2 }'
}
: >"$work/empty"
load=$(seconds yara -p 2 -C "$work/compiled" "$work/empty")
if [ -z "$rounds" ]; then
    once=$(seconds yara -p 2 -C --scan-list "$work/compiled" "$work/once")
    rounds=$(echo "$once $load" | awk '{ t = $1 - $2; if (t < 0.1) t = 0.1; n = int(11 / t) + 1; print n }')
fi
: >"$work/list"
paths=
i=0
while [ $i -lt "$rounds" ]; do
    cat "$work/once" >>"$work/list"
    paths="$paths $files"
    i=$((i + 1))
done
bytes=$(while read -r f; do stat -c %s "$f"; done <"$work/once" | awk -v r="$rounds" '{ s += $1 } END { printf "%d", s * r }')
count=$(wc -l <"$work/list")

median() { sort -n | awk '{ v[NR] = $1 } END { print (NR % 2) ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }

replay() { # replay CHAIN: seconds without loading, from the program's own summary
    "$program" scan --rules "$rules" --chain "$1" --threads 2 --min-level alert $paths 2>&1 >/dev/null |
        sed -n 's/.* MB in \([0-9.]*\) s .*/\1/p'
}
upload() { "$tool" upload "$port" /api/check 2 "$work/list" | awk '{ print $3 }'; }

echo "$count files, $bytes bytes, $number rule files, $runs runs, medians"
for run in $(seq "$runs"); do
    seconds yara -p 2 -C --scan-list "$work/compiled" "$work/list" | awk -v l="$load" '{ print $1 - l }' >>"$work/t.yara"
    replay pure-yara >>"$work/t.replay"
    replay full >>"$work/t.full"
    start_server --threads 2 --rules "$rules" --pure-yara
    upload >>"$work/t.service"
    stop_server
done
peer=$(median <"$work/t.yara")
row() { # row NAME FILE
    value=$(median <"$2")
    echo "$1 $value $peer $bytes" | awk -F' ' '{ printf "| %s | %.2f | %.0f | %.2f |\n", $1, $2, $4 / $2 / 1e6, $3 / $2 }' | sed 's/_/ /g'
}
echo "| what | s | MB/s | throughput / yara -p 2 |"
echo "| --- | --- | --- | --- |"
row yara_-p_2 "$work/t.yara"
row replay,_pure-yara "$work/t.replay"
row replay,_full_chain "$work/t.full"
row service,_pure-yara,_sync,_2_connections "$work/t.service"
