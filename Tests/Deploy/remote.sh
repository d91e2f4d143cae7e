#!/bin/sh
# `thunderstorm remote` for real: ssh into two network namespaces of this machine, each with an sshd and a /run of its own,
# of which one dies in the middle of its scan, and to a third address that nobody has.
#
#   Tests/Deploy/remote.sh [PROGRAM] [ARCHIVE]
#
# PROGRAM   runs the command (default: .build/debug/thunderstorm)
# ARCHIVE   what is pushed (default: the newest dist/thunderstorm-*-linux-*.tar.gz; `make dist` makes one)
#
# Needs root, ip, ssh and sshd; touches no configuration of the machine, and takes away all it made.
set -eu
checkout=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
program=${1:-$checkout/.build/debug/thunderstorm}
archive=${2:-$(ls -t "$checkout"/dist/thunderstorm-*-linux-*.tar.gz 2>/dev/null | head -1)}
[ "$(id -u)" -eq 0 ] || { echo "SKIPPED remote run: not root"; exit 0; }
for need in ip ssh ssh-keygen nsenter; do
    command -v "$need" >/dev/null 2>&1 || { echo "SKIPPED remote run: no $need"; exit 0; }
done
[ -x /usr/sbin/sshd ] || { echo "SKIPPED remote run: no sshd"; exit 0; }
[ -n "$archive" ] && [ -f "$archive" ] || { echo "remote.sh: no archive; make dist makes one" >&2; exit 2; }

work=$(mktemp -d)
tag=ts$$
net=10.$((200 + $$ % 50)).$(($$ / 50 % 250))
run=
cleanup() {
    [ -n "$run" ] && kill "$run" 2>/dev/null || true
    for host in a b; do
        for pid in $(ip netns pids "$tag$host" 2>/dev/null); do kill -9 "$pid" 2>/dev/null || true; done
        ip netns del "$tag$host" 2>/dev/null || true
        ip link del "$tag$host" 2>/dev/null || true
    done
    rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 1' INT TERM
passed=0
failed=0
check() { # check WHAT EXPECTED GOT
    if [ "$2" = "$3" ]; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "FAILED $1: expected '$2', got '$3'"; fi
}

# Two machines, each with its own network, /run and sshd.
ssh-keygen -q -t ed25519 -N '' -f "$work/key"
ssh-keygen -q -t ed25519 -N '' -f "$work/host"
machine() { # machine NAME NUMBER
    ip netns add "$tag$1"
    ip link add "$tag$1" type veth peer name eth0 netns "$tag$1"
    ip addr add "$net.$(($2 * 4 + 1))/30" dev "$tag$1"
    ip link set "$tag$1" up
    ip -n "$tag$1" addr add "$net.$(($2 * 4 + 2))/30" dev eth0
    ip -n "$tag$1" link set eth0 up
    ip -n "$tag$1" link set lo up
    cat >"$work/sshd.$1" <<CONF
ListenAddress $net.$(($2 * 4 + 2))
Port 2222
HostKey $work/host
AuthorizedKeysFile $work/key.pub
PidFile $work/$1.pid
StrictModes no
UsePAM no
PasswordAuthentication no
PermitRootLogin prohibit-password
CONF
    # `ip netns exec` gives it a mount namespace: this /run is seen by nobody else.
    ip netns exec "$tag$1" sh -c "mount -t tmpfs tmpfs /run && mkdir -p /run/sshd && exec /usr/sbin/sshd -f $work/sshd.$1"
    left=50
    until [ -s "$work/$1.pid" ] || [ "$left" -eq 0 ]; do sleep 0.1; left=$((left - 1)); done
}
chmod 0755 "$work"
machine a 0
machine b 1

# One finds something within seconds; the other has more to scan than it will live for.
mkdir "$work/few" "$work/many"
head -c 100000 /dev/urandom | base64 >"$work/few/harmless.txt"
printf 'WDVPIVAlQEFQWzRcUFpYNTQoUF4pN0NDKTd9JEVJQ0FSLVNUQU5EQVJELUFOVElWSVJVUy1URVNULUZJTEUhJEgrSCo=' | base64 -d >"$work/few/test.com"
head -c 4000000 /dev/urandom | base64 -w 60 >"$work/block"
number=0
while [ "$number" -lt 150 ]; do
    { echo "$number"; cat "$work/block"; } >"$work/many/$number.txt"
    number=$((number + 1))
done
cat >"$work/targets.yml" <<YML
user: root
hosts:
  - {host: $net.2, port: 2222, paths: ["$work/few"]}
  - {host: $net.6, port: 2222, paths: ["$work/many"], flags: [--threads, "1"]}
  - {host: $net.10, port: 2222, paths: ["$work/few"]}
YML
"$program" remote -t "$work/targets.yml" --archive "$archive" -o "$work/logs" --ssh-option=-i --ssh-option="$work/key" \
    --ssh-option=-o --ssh-option=StrictHostKeyChecking=no --ssh-option=-o --ssh-option=UserKnownHostsFile="$work/known" \
    --ssh-option=-o --ssh-option=ServerAliveInterval=2 --ssh-option=-o --ssh-option=ConnectTimeout=5 --ssh-option=-F --ssh-option=/dev/null \
    >"$work/out" 2>&1 &
run=$!

# The second machine dies while it scans: all of its processes at once, and its cable.
died=no
left=600
while [ "$left" -gt 0 ] && kill -0 "$run" 2>/dev/null; do
    if ip netns pids "${tag}b" | while read -r pid; do { tr '\0' ' ' <"/proc/$pid/cmdline"; } 2>/dev/null; echo; done | grep -q ' scan --source'; then
        sleep 1
        ip link set "${tag}b" down
        for pid in $(ip netns pids "${tag}b"); do kill -9 "$pid" 2>/dev/null || true; done
        died=yes
        break
    fi
    sleep 0.1
    left=$((left - 1))
done
check "the second machine died in the middle" yes "$died"
set +e
wait "$run"
code=$?
set -e
run=

check "some machine failed" 2 "$code"
check "  the log of the first is here" 1 "$(find "$work/logs/$net.2-2222" -name '*.jsonl' | wc -l)"
check "  with its finding" yes "$(grep -q '"THOR finding"' "$work/logs/$net.2-2222"/*.jsonl && echo yes || echo no)"
check "  and its report" 1 "$(find "$work/logs/$net.2-2222" -name '*.html' | wc -l)"
check "  the first machine keeps nothing" 0 "$(nsenter -t "$(cat "$work/a.pid")" -m ls /run | grep -c thunderstorm || true)"
check "  no mount of it is left" 0 "$(nsenter -t "$(cat "$work/a.pid")" -m grep -c thunderstorm-scan /proc/mounts || true)"
check "  nothing runs there but sshd" "" "$(ip netns pids "${tag}a" | while read -r pid; do cat "/proc/$pid/comm"; done | grep -v sshd || true)"
check "the dead one is said to have failed" yes "$(grep "$net.6" "$work/out" | grep -qi fail && echo yes || echo no)"
check "the one that is not there, too" yes "$(grep "$net.10" "$work/out" | grep -qi fail && echo yes || echo no)"
check "half a log of it is no log" 0 "$(find "$work/logs" -path "*$net.6*" -name '*.jsonl' | wc -l)"
check "no partial download is left" 0 "$(find "$work/logs" -name '*.part' | wc -l)"
"$program" report "$work/logs/$net.2-2222"/*.jsonl -o "$work/all.html" >/dev/null 2>&1
check "a report over what came" yes "$([ -s "$work/all.html" ] && echo yes || echo no)"

[ "$failed" -eq 0 ] || cat "$work/out"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
