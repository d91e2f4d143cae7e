#!/bin/sh
# Measures the scan of archives against unpacking them with bsdtar and scanning the archives (not opened) and the
# unpacked files, in the same run, with the same rules and threads. Loading of rules is excluded on both sides.
#
#   Benchmarks/archives.sh [--rules DIR] [--format zip|tar|7z] [--mb N] [--runs N]
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
program=$root/.build/release/thunderstorm
tool=$root/Benchmarks/.build/release/BenchmarkTool
rules=$root/rules
format=zip
megabytes=150
runs=3
while [ $# -gt 0 ]; do
    case $1 in
        --rules) rules=$2; shift 2 ;;
        --format) format=$2; shift 2 ;;
        --mb) megabytes=$2; shift 2 ;;
        --runs) runs=$2; shift 2 ;;
        *) echo "unknown option $1; see the head of this script" >&2; exit 2 ;;
    esac
done

THUNDERSTORM_ONLY=All swift build -c release --package-path "$root/Benchmarks" --product BenchmarkTool --quiet >&2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
"$tool" generate "$work/files" "$megabytes"

# Eight archives, so that both threads have work.
mkdir "$work/archives"
find "$work/files" -type f | sort >"$work/list"
i=0
while [ $i -lt 8 ]; do
    awk -v i=$i 'NR % 8 == i' "$work/list" >"$work/part"
    case $format in
        zip) bsdtar -caf "$work/archives/$i.zip" -T "$work/part" 2>/dev/null ;;
        tar) bsdtar -cf "$work/archives/$i.tar" -T "$work/part" 2>/dev/null ;;
        7z) bsdtar --format 7zip -cf "$work/archives/$i.7z" -T "$work/part" 2>/dev/null ;;
    esac
    i=$((i + 1))
done

# The full chain, and the same without stages that unpack.
sed -e 's/^  full:/  flat:/' -e '/- decompress$/d' -e '/- archive$/d' -e '/- email$/d' "$root/rules/chains.yml" |
    sed -n '/^  flat:/,/^$/p' >"$work/flat"
cp -r "$rules" "$work/rules"
{ cat "$root/rules/chains.yml"; cat "$work/flat"; } >"$work/rules/chains.yml"

replay() { # replay CHAIN PATH...: seconds without loading, from the program's own summary
    chain=$1
    shift
    "$program" scan --rules "$work/rules" --chain "$chain" --threads 2 --min-level alert "$@" 2>&1 >/dev/null |
        sed -n 's/.* MB in \([0-9.]*\) s .*/\1/p'
}
median() { sort -n | awk '{ v[NR] = $1 } END { print (NR % 2) ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }

unpack='mkdir -p "$2/$(basename "$1")" && bsdtar -xf "$1" -C "$2/$(basename "$1")"'
for run in $(seq "$runs"); do
    replay full "$work/archives" >>"$work/t.ours"
    rm -rf "$work/out"
    mkdir "$work/out"
    start=$(date +%s.%N)
    find "$work/archives" -type f | xargs -P 2 -I{} sh -c "$unpack" unpack {} "$work/out"
    end=$(date +%s.%N)
    echo "$end $start" | awk '{ print $1 - $2 }' >>"$work/t.unpack"
    replay flat "$work/archives" "$work/out" >>"$work/t.flat"
done
bytes=$(cat "$work/list" | xargs stat -c %s | awk '{ s += $1 } END { printf "%.0f", s / 1e6 }')
ours=$(median <"$work/t.ours")
unpack=$(median <"$work/t.unpack")
flat=$(median <"$work/t.flat")
echo "8 $format archives of $(wc -l <"$work/list") files, $bytes MB, 2 threads, $runs runs, medians"
echo "| what | s |"
echo "| --- | --- |"
echo "| archives scanned, full chain | $ours |"
echo "| bsdtar, two at a time | $unpack |"
echo "| archives and unpacked files scanned, nothing opened | $flat |"
echo "$ours $unpack $flat" | awk '{ printf "ratio %.2f\n", $1 / ($2 + $3) }'
