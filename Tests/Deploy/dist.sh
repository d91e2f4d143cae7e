#!/bin/sh
# Runs the distribution in a root that holds nothing but a shell, /proc and /dev/null: no C library, no configuration.
#
#   Tests/Deploy/dist.sh [ARCHIVE]     (default: the newest dist/thunderstorm-*-linux-*.tar.gz; `make dist` makes one)
#
# Needs root (chroot) and a static busybox.
set -eu
checkout=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
archive=${1:-$(ls -t "$checkout"/dist/thunderstorm-*-linux-*.tar.gz 2>/dev/null | head -1)}
[ "$(id -u)" -eq 0 ] || { echo "SKIPPED distribution in an empty root: not root"; exit 0; }
busybox=$(command -v busybox || true)
if [ -z "$busybox" ] || ldd "$busybox" >/dev/null 2>&1; then
    echo "SKIPPED distribution in an empty root: no static busybox (busybox-static)"
    exit 0
fi
[ -n "$archive" ] && [ -f "$archive" ] || { echo "dist.sh: no archive; make dist makes one" >&2; exit 2; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0
failed=0
check() { # check WHAT EXPECTED GOT
    if [ "$2" = "$3" ]; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "FAILED $1: expected '$2', got '$3'"; fi
}

chroot=$(command -v chroot)
# In a mount namespace of its own, so that nothing is left mounted.
inside() { unshare -m sh -c 'mount -t proc proc "$1/proc" && shift && exec "$@"' _ "$root" env -i PATH=/bin "$chroot" "$root" /bin/env "$@"; }
root=$work/root
mkdir -p "$root/proc" "$root/dev" "$root/bin" "$root/tmp" "$root/scanner" "$root/evidence"
cp "$busybox" "$root/bin/busybox"
mknod -m 666 "$root/dev/null" c 1 3
for applet in env sh readlink dirname uname date cat; do ln "$root/bin/busybox" "$root/bin/$applet"; done
tar -xzf "$archive" -C "$root/scanner" --strip-components=1
check "the root has no C library of its own" 0 "$(find "$root" -path "$root/scanner" -prune -o -name 'libc.so*' -print | wc -l)"
printf 'WDVPIVAlQEFQWzRcUFpYNTQoUF4pN0NDKTd9JEVJQ0FSLVNUQU5EQVJELUFOVElWSVJVUy1URVNULUZJTEUhJEgrSCo=' | base64 -d >"$root/evidence/test.com"
(cd "$root/evidence" && tar -czf inside.tar.gz test.com)
set +e
inside OUT=/tmp /scanner/run.sh /evidence >"$work/out" 2>&1
code=$?
set -e
check "something was found" 1 "$code"
check "the report is there" 1 "$(find "$root/tmp" -name '*.html' -size +10k | wc -l)"
check "the log is there, with both findings" yes \
    "$([ "$(cat "$root"/tmp/*.jsonl | grep -c '"THOR finding"')" -ge 2 ] && echo yes || echo no)"
inside /scanner/bin/thunderstorm --version >"$work/version" 2>&1 || true
check "the version is that of the archive's name" yes "$(basename "$archive" | grep -q -- "-$(cat "$work/version")-" && echo yes || echo no)"
# The installer of the distribution, into a folder.
"$root/scanner/install.sh" auto --root "$work/system" >"$work/out2" 2>&1 || cat "$work/out2"
check "it installs itself" yes "$([ -x "$work/system/opt/thunderstorm/bin/thunderstorm" ] && [ -f "$work/system/opt/thunderstorm/lib/thunderstorm" ] && echo yes || echo no)"
check "  and runs from there" "$(cat "$work/version")" "$("$work/system/opt/thunderstorm/bin/thunderstorm" --version)"

# The same archive, signed, is a package of `thunderstorm-update full`: files and folders only, and it verifies.
"$root/scanner/bin/thunderstorm" package keygen --name "$work/team" >/dev/null
"$root/scanner/bin/thunderstorm" package sign "$root/scanner" --key "$work/team.key" >/dev/null
check "it is a package of a program" 0 "$("$root/scanner/bin/thunderstorm" package verify "$root/scanner" --key "$work/team.pub" >"$work/out3" 2>&1; echo $?)"
check "  without links" 0 "$(tar -tvzf "$archive" | grep -cvE '^[-d]')"

[ "$failed" -eq 0 ] || cat "$work/out"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
