#!/bin/sh
# Measures IOC matching: filename expressions in one pass against one after another, and the cost of more keywords.
#
#   Benchmarks/signatures.sh FILENAME-IOCS [PATHS]
#
# FILENAME-IOCS  a list such as signature-base's iocs/filename-iocs.txt
# PATHS          a file with a path on each line (default: 50,000 files of this machine)
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
[ $# -ge 1 ] || { sed -n '2,7s/^# \{0,1\}//p' "$0" >&2; exit 2; }
list=$(realpath "$1")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
paths=${2:-}
if [ -z "$paths" ]; then
    paths=$work/paths
    find / -xdev -type f 2>/dev/null | head -50000 >"$paths" || true
fi
export THUNDERSTORM_ONLY=IOC
swift build -c release --package-path "$root/Benchmarks/Signatures" --quiet >&2
"$root/Benchmarks/Signatures/.build/release/SignatureBenchmark" "$list" "$paths"
