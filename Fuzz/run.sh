#!/bin/sh
# Fuzzes every parser for SECONDS_EACH seconds (default 600), one after another, or the ones that are named:
#
#   Fuzz/run.sh [EVTX RegistryHive …]
#
# Seeds are taken from Fuzz/seeds/NAME when it is there. What crashes lies in Fuzz/.build-crashes; make it a test.
set -eu
cd "$(dirname "$0")"
export THUNDERSTORM_ONLY=All SWIFT_BACKTRACE=enable=no
each=${SECONDS_EACH:-600}
names=${*:-$(sed -n 's/^let names = \[\(.*\)\]/\1/p' Package.swift | tr -d '",')}
failed=
for name in $names; do
    swift build -c release --sanitize=fuzzer --product "Fuzz$name" --scratch-path .build >/dev/null
    mkdir -p ".build-corpus/$name" .build-crashes
    seeds=
    [ -d "seeds/$name" ] && seeds="seeds/$name"
    echo "== $name, $each s"
    if ! timeout $((each + 60)) ".build/release/Fuzz$name" -max_total_time="$each" -timeout=20 -rss_limit_mb=2048 \
        -artifact_prefix=".build-crashes/$name-" -print_final_stats=1 ".build-corpus/$name" $seeds </dev/null 2>".build-crashes/$name.log"; then
        failed="$failed $name"
    fi
    grep -E "stat::number_of_executed_units|ERROR|SUMMARY" ".build-crashes/$name.log" || true
done
[ -z "$failed" ] || { echo "failed:$failed; see Fuzz/.build-crashes" >&2; exit 1; }
