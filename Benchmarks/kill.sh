#!/bin/sh
# Kills the service at random moments while samples are queued, and looks for every acknowledged one afterwards.
#
#   Benchmarks/kill.sh [SUBMISSIONS] [KILLS]     (default 5000 and 20)
#
# The same test runs small in `make test`.
set -eu

cd "$(dirname "$0")/.."
swift build --build-tests
KILL_SUBMISSIONS=${1:-5000} KILL_TIMES=${2:-20} swift test --skip-build --filter KillTests
