#!/bin/sh
# Measures what the service costs its clients: async against sync, TLS against plain, a second sweep against the first.
#
#   Benchmarks/service.sh [--rules DIR] [--files DIR] [--megabytes N] [--small N] [--clients N] [--runs N] [--cold]
#
# --rules DIR     rules (default: the shipped ones); may be repeated
# --files DIR     files to take as the large ones (default: generated text, code and data)
# --megabytes N   size of the generated ones, mean 533 KB (default: 300)
# --small N       small files of 4 KB, and files of the two sweeps (default: 5000)
# --clients N     connections (default: 16)
# --runs N        runs of each; medians are shown (default: 3)
#
# Ratios compare two measurements of the same run of this script; verdicts are cached for second sweeps only. Before each
# measurement all free memory is filled with pages of empty files, which the kernel drops when it needs room, as on any
# server that has run for a day (--cold: not): a virtual machine gives free memory back to its host, and the first touch of
# a page then costs more than all that is done with it.
#
# "Not found" is the same upload to a path that is none: what client and HTTP cost without any work on the sample.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
program=$root/.build/release/thunderstorm
tool=$root/Benchmarks/.build/release/BenchmarkTool
rules=
files=
megabytes=300
small=5000
clients=16
runs=3
warm=yes
while [ $# -gt 0 ]; do
    case $1 in
        --rules) rules="$rules --rules $2"; shift 2 ;;
        --files) files=$2; shift 2 ;;
        --megabytes) megabytes=$2; shift 2 ;;
        --small) small=$2; shift 2 ;;
        --clients) clients=$2; shift 2 ;;
        --runs) runs=$2; shift 2 ;;
        --cold) warm=; shift ;;
        *) echo "unknown option $1; see the head of this script" >&2; exit 2 ;;
    esac
done
[ -n "$rules" ] || rules="--rules $root/rules"

THUNDERSTORM_ONLY=All swift build -c release --package-path "$root/Benchmarks" --product BenchmarkTool --quiet >&2
work=$(mktemp -d)
. "$root/Benchmarks/server.sh"

if [ -z "$files" ]; then
    files=$work/large
    "$tool" generate "$files" "$megabytes" >/dev/null
fi
"$tool" generate-small "$work/small" "$small" >/dev/null
find "$files" -type f | sort >"$work/large.list"
find "$work/small" -type f | sort >"$work/small.list"

# Reading what was never written takes a page of the file cache for each page of the file, and nothing on the disk.
fills=0
fill_memory() {
    fills=$((fills + 1))
    truncate -s "$(awk '/^MemFree/ { print $2 }' /proc/meminfo)K" "$work/fill-$fills"
    cat "$work/fill-$fills" >/dev/null
    xargs -d '\n' cat <"$work/large.list" >/dev/null
}

start() { # start FLAGS...
    rm -rf "$work/uploads"
    start_server --threads 2 $rules "$@"
    if [ -n "$warm" ]; then fill_memory; fi
}
now() { date +%s.%N; }
since() { echo "$(now) $1" | awk '{ printf "%.3f\n", $1 - $2 }'; }
median() { sort -n | awk '{ v[NR] = $1 } END { print (NR % 2) ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }
ratio() { echo "$(median <"$1") $(median <"$2")" | awk '{ printf "%.2f", $1 / $2 }'; }
upload() { # upload PATH LIST [STATUS]
    "$tool" upload "$port" "$1" "$clients" "$2" ${3:-} | awk '{ print $3 }'
}

compare() { # compare NAME LIST
    start --no-verdict-cache
    upload /api/check "$2" >>"$work/$1.sync"
    stop_server
    start --no-verdict-cache
    "$tool" queue "$port" "$clients" "$2" >"$work/queued"
    awk '{ print $2 }' "$work/queued" >>"$work/$1.submit"
    awk '{ print $3 }' "$work/queued" >>"$work/$1.total"
    stop_server
}

# The same client for both: curl, a transfer for each file, over kept connections.
curl_list() { # curl_list SCHEME LIST
    while read -r file; do
        printf 'url = "%s://127.0.0.1:%s/api/check"\nform = "file=@%s"\noutput = "/dev/null"\ninsecure\nhttp1.1\nnext\n' "$1" "$port" "$file"
    done <"$2"
}
transfer() { # transfer SCHEME LIST
    curl_list "$1" "$2" | sed '$d' >"$work/curl.config"
    begin=$(now)
    curl -s --no-progress-meter --parallel --parallel-max "$clients" -K "$work/curl.config" >/dev/null 2>&1
    since "$begin"
}
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost \
    -keyout "$work/key.pem" -out "$work/cert.pem" 2>/dev/null

for run in $(seq "$runs"); do
    compare large "$work/large.list"
    compare small "$work/small.list"
    start --no-verdict-cache
    transfer http "$work/large.list" >>"$work/plain"
    stop_server
    start --no-verdict-cache --server-cert "$work/cert.pem" --server-key "$work/key.pem"
    transfer https "$work/large.list" >>"$work/tls"
    stop_server
    for size in large small; do
        start
        upload /api/check "$work/$size.list" >>"$work/$size.first"
        upload /api/check "$work/$size.list" >>"$work/$size.second"
        [ $size = large ] || upload /not-found "$work/small.list" 404 >>"$work/small.none"
        stop_server
    done
done

large_count=$(wc -l <"$work/large.list")
megabytes=$(xargs -d '\n' stat -L -c %s <"$work/large.list" | awk '{ sum += $1 } END { printf "%.0f", sum / 1e6 }')
echo "$large_count large files of $megabytes MB together, $small small ones, $clients clients, $runs runs, medians"
echo "| what | s | against | ratio |"
echo "| --- | --- | --- | --- |"
rounded() { median <"$1" | awk '{ printf "%.2f", $1 }'; }
row() { echo "| $1 | $(rounded "$2") | $3 $(rounded "$4") s | $(ratio "$2" "$4") |"; }
row "large files: async submission" "$work/large.submit" "sync client" "$work/large.sync"
row "large files: async until all are scanned" "$work/large.total" "sync client" "$work/large.sync"
row "small files: async submission" "$work/small.submit" "sync client" "$work/small.sync"
row "small files: async until all are scanned" "$work/small.total" "sync client" "$work/small.sync"
row "large files: sync over TLS" "$work/tls" "plain, same client" "$work/plain"
row "large files: second sweep" "$work/large.second" "first" "$work/large.first"
row "small files: second sweep" "$work/small.second" "first" "$work/small.first"
row "small files: not found" "$work/small.none" "first sweep" "$work/small.first"
