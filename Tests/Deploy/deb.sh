#!/bin/sh
# Installs the Debian package in a root made by debootstrap, serves with it as its own user, and removes it.
#
#   Tests/Deploy/deb.sh [PACKAGE]     (default: the newest dist/thunderstorm_*.deb; `make deb` makes one)
#
# BASE names a root that debootstrap has made already (it is copied); without it one is made, over the network. Needs root.
set -eu
checkout=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
package=${1:-$(ls -t "$checkout"/dist/thunderstorm_*.deb 2>/dev/null | head -1)}
[ "$(id -u)" -eq 0 ] || { echo "SKIPPED Debian package: not root"; exit 0; }
command -v debootstrap >/dev/null 2>&1 || { echo "SKIPPED Debian package: no debootstrap"; exit 0; }
[ -n "$package" ] && [ -f "$package" ] || { echo "deb.sh: no package; make deb makes one" >&2; exit 2; }

work=$(mktemp -d)
chmod 0755 "$work"
root=$work/root
trap 'rm -rf "$work"' EXIT
passed=0
failed=0
check() { # check WHAT EXPECTED GOT
    if [ "$2" = "$3" ]; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "FAILED $1: expected '$2', got '$3'"; fi
}
if [ -n "${BASE:-}" ]; then cp -a "$BASE" "$root"; else debootstrap --variant=minbase bookworm "$root" >"$work/debootstrap.log"; fi
cp "$package" "$root/thunderstorm.deb"
cp /etc/resolv.conf "$root/etc/resolv.conf" 2>/dev/null || true
# In a mount namespace of its own, so that nothing is left mounted.
inside() { unshare -m sh -c 'mount -t proc proc "$1/proc" && mount --bind /dev "$1/dev" && exec chroot "$1" sh -c "$2"' _ "$root" "$1"; }

set +e
inside "export DEBIAN_FRONTEND=noninteractive; apt-get update -q && apt-get install -y -q --no-install-recommends ./thunderstorm.deb" >"$work/out" 2>&1
code=$?
set -e
check "apt installs it with what it depends on" 0 "$code"
[ "$code" -eq 0 ] || tail -20 "$work/out"
check "the program runs" "$(dpkg-deb -f "$package" Version)" "$(inside "thunderstorm --version" 2>&1)"
check "the user has no login" /usr/sbin/nologin "$(inside "getent passwd thunderstorm" | cut -d: -f7)"
check "logs belong to it" thunderstorm "$(inside "stat -c %U /var/log/thunderstorm")"
check "the unit is there" yes "$([ -f "$root/lib/systemd/system/thunderstorm.service" ] && echo yes || echo no)"
check "the man page is there" yes "$([ -f "$root/usr/share/man/man1/thunderstorm.1.gz" ] && echo yes || echo no)"
check "dpkg knows the configuration files" 3 "$(inside "dpkg-query -W -f '\${Conffiles}' thunderstorm" | grep -c /)"
port=$((20000 + $$ % 20000))
cat >"$root/serve.sh" <<SCRIPT
cd /
# setpriv becomes the program: its number is the service's.
setpriv --reuid thunderstorm --regid thunderstorm --clear-groups \\
    /opt/thunderstorm/bin/thunderstorm serve --config /etc/thunderstorm/thunderstorm.yml --server-port $port >/tmp/serve.log 2>&1 &
pid=\$!
left=120
until curl -s http://127.0.0.1:$port/readyz | grep -q true || [ \$left -eq 0 ]; do sleep 0.5; left=\$((left - 1)); done
printf 'WDVPIVAlQEFQWzRcUFpYNTQoUF4pN0NDKTd9JEVJQ0FSLVNUQU5EQVJELUFOVElWSVJVUy1URVNULUZJTEUhJEgrSCo=' | base64 -d >/tmp/test.com
curl -s -F file=@/tmp/test.com http://127.0.0.1:$port/api/check
thunderstorm status --url http://127.0.0.1:$port >/tmp/status 2>&1
echo "status \$?"
kill \$pid
wait \$pid
echo "ended \$?"
SCRIPT
inside "sh /serve.sh" >"$work/served" 2>&1 || true
check "it serves with the installed configuration, as its user" yes "$(grep -qi eicar "$work/served" && echo yes || echo no)"
check "  status agrees" yes "$(grep -q 'status 0' "$work/served" && echo yes || echo no)"
check "  it ends when it is told to" yes "$(grep -q 'ended 0' "$work/served" && echo yes || echo no)"
check "  the log was written" yes "$([ -s "$root/var/log/thunderstorm/thunderstorm.jsonl" ] && echo yes || echo no)"
inside "apt-get remove -y -q thunderstorm" >"$work/out" 2>&1
check "the program is gone" no "$([ -e "$root/opt/thunderstorm/bin/thunderstorm" ] && echo yes || echo no)"
check "logs and configuration stay" yes "$([ -s "$root/var/log/thunderstorm/thunderstorm.jsonl" ] && [ -f "$root/etc/thunderstorm/thunderstorm.yml" ] && echo yes || echo no)"

[ "$failed" -eq 0 ] || cat "$work/served"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
