#!/bin/sh
# Fuzzes every parser for SECONDS_EACH seconds (default 600), one after another, or the ones that are named:
#
#   Fuzz/run.sh [EVTX RegistryHive …]
#
# Seeds are made by the builders of the tests, and taken from Fuzz/seeds/NAME too when it is there. What crashes lies in
# Fuzz/.build-crashes; make it a test.
set -eu
cd "$(dirname "$0")"
export THUNDERSTORM_ONLY=All SWIFT_BACKTRACE=enable=no
each=${SECONDS_EACH:-600}
names=${*:-$(sed -n '/^let names/,/^\]/p' Package.swift | grep -o '"[A-Za-z]*"' | tr -d '"')}
failed=
for name in $names; do
    swift build -c release --sanitize=fuzzer --product "Fuzz$name" --scratch-path .build --quiet >&2
    mkdir -p ".build-corpus/$name" .build-crashes
    made=.build-seeds/$name
    rm -rf "$made"
    mkdir -p "$made"
    if [ "$name" = Decompress ]; then
        gzip -c Package.swift >"$made/gz"
        xz -c Package.swift >"$made/xz"
        xz --format=lzma -c Package.swift >"$made/lzma"
    else
        # A target that has no seeds runs once on nothing.
        FUZZ_SEEDS="$made" timeout 60 ".build/release/Fuzz$name" -runs=0 >/dev/null 2>&1 </dev/null || true
    fi
    seeds=
    [ -d "seeds/$name" ] && seeds="seeds/$name"
    echo "== $name, $each s"
    if ! timeout $((each + 60)) ".build/release/Fuzz$name" -max_total_time="$each" -timeout=20 -rss_limit_mb=2048 \
        -artifact_prefix=".build-crashes/$name-" -print_final_stats=1 ".build-corpus/$name" "$made" $seeds </dev/null 2>".build-crashes/$name.log"; then
        failed="$failed $name"
    fi
    grep -E "stat::number_of_executed_units|ERROR|SUMMARY" ".build-crashes/$name.log" || true
done
[ -z "$failed" ] || { echo "failed:$failed; see Fuzz/.build-crashes" >&2; exit 1; }
