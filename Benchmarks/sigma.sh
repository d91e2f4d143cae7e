#!/bin/sh
# Measures what Sigma rules cost: records per second of a chain that parses event logs and matches every rule, against the
# same chain without rules, in turn in the same run, on one thread. Seconds are the program's processor time (all of its
# threads, writing of events included) less that of a run over an empty file, which is mostly loading; a busy machine
# changes them little. Needs GNU time (apt install time). A finding names the digests of its file, so that a log
# with any finding is hashed three times; a third chain leaves out the rules that match in these logs and shows what
# matching alone costs.
#
#   Benchmarks/sigma.sh [--rules DIR] [--files DIR] [--rounds N] [--runs N]
#
# --rules DIR   folder of Sigma rules, called `sigma` (default: the shipped ones)
# --files DIR   event logs (default: those of the demo tree)
# --rounds N    how often the logs are scanned in one run (default: so that parsing takes some 5 s)
# --runs N      runs of each; medians are shown (default: 5)
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
program=$root/.build/release/thunderstorm
rules=$root/rules/sigma
files=$root/samples/tree
rounds=
runs=5
while [ $# -gt 0 ]; do
    case $1 in
        --rules) rules=$2; shift 2 ;;
        --files) files=$2; shift 2 ;;
        --rounds) rounds=$2; shift 2 ;;
        --runs) runs=$2; shift 2 ;;
        *) echo "unknown option $1; see the head of this script" >&2; exit 2 ;;
    esac
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
mkdir "$work/none"
# A folder without any signature is refused; no stage of these chains reads this one.
echo 'rule none { condition: false }' >"$work/none/none.yar"
cat >"$work/none/chains.yml" <<'CHAINS'
chains:
  parse: [file-type, evtx]
CHAINS

: >"$work/empty"
# timed CHAIN RULES PATHS...: processor time in seconds; the program's summary goes to $work/summary.
timed() {
    chain=$1 folder=$2
    shift 2
    /usr/bin/time -q -f '%U %S' -o "$work/time" "$program" scan --rules "$work/none" --rules "$folder" --chain "$chain" \
        --threads 1 --min-level alert "$@" 2>"$work/summary" >/dev/null || true
    awk '{ print $1 + $2 }' "$work/time"
}
# scan CHAIN RULES: files, records, MB and seconds without loading.
scan() {
    load=$(timed "$1" "$2" "$work/empty")
    all=$(timed "$1" "$2" $paths)
    sed -n 's/^\([0-9]*\) files, .* \([0-9]*\) records, \([0-9.]*\) MB in .*/\1 \2 \3/p' "$work/summary" |
        awk -v a="$all" -v l="$load" '{ s = a - l; print $1, $2, $3, (s > 0.01 ? s : 0.01) }'
}
median() { sort -n | awk '{ v[NR] = $1 } END { print (NR % 2) ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }
define() { echo "  $1: [file-type, evtx, {sigma: {threshold: informational$2}}]" >>"$work/none/chains.yml"; }
repeat() { # repeat N: the folder N times
    paths=
    i=0
    while [ $i -lt "$1" ]; do paths="$paths $files"; i=$((i + 1)); done
}

define match ""
matched=$("$program" scan --rules "$work/none" --rules "$rules" --chain match --format json --min-level debug "$files" \
    2>/dev/null | grep -o '"kind":"Sigma Rule"[^}]*' | grep -o '"id":"[^"]*"' | cut -d: -f2 | sort -u | tr '\n' ',' || true)
define quiet ", exclude: [${matched%,}]"

if [ -z "$rounds" ]; then
    repeat 10
    rounds=$(scan parse "$work/none" | awk '{ t = $4 / 10; if (t < 0.01) t = 0.01; print int(5 / t) + 1 }')
fi
repeat "$rounds"
for run in $(seq "$runs"); do
    scan parse "$work/none" >"$work/parse"
    scan quiet "$rules" >"$work/quiet"
    scan match "$rules" >"$work/match"
    for kind in parse quiet match; do awk '{ print $2 / $4 }' "$work/$kind" >>"$work/t.$kind"; done
    awk 'NR == FNR { t = $4; next } { print t / $4 }' "$work/parse" "$work/quiet" >>"$work/t.ratio"
done
loaded() { "$program" rules check --rules "$work/none" --rules "$rules" --chain "$1" | sed -n 's/^Sigma Rule: //p' || true; }
count=$(loaded match)
awk -v c="$count" -v r="$runs" -v n="$rounds" '{ printf "%d files (%d records, %.0f MB) in %d rounds, %d rules, %d runs, medians\n",
    $1 / n, $2 / n, $3 / n, n, c, r }' "$work/match"
echo "| what | records/s of processor time | of parsing only |"
echo "| --- | --- | --- |"
base=$(median <"$work/t.parse")
row() { median <"$work/t.$2" | awk -v b="$base" -v n="$1" '{ printf "| %s | %.0f | %.2f |\n", n, $1, $1 / b }'; }
row "parsing only" parse
row "the $(loaded quiet) rules that match in none of them" quiet
row "all rules, findings reported" match
sort -n "$work/t.ratio" |
    awk '{ v[NR] = $1 } END { printf "matching alone, run by run: %.2f to %.2f of parsing only\n", v[1], v[NR] }'
