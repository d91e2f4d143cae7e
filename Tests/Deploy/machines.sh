# shellcheck shell=sh
# Two machines to try things on from afar: network namespaces of this one, each with a network, a /run and an sshd of its own.
# Sourced by the scripts beside it, which have looked for root, ip, ssh, ssh-keygen, nsenter and sshd before.
#
# Sets: work (a temporary folder, with the key in work/key), net (the machines are $net.2 and $net.6, port 2222), tag (the
# namespaces are ${tag}a and ${tag}b), run (set it to a process that must end when the script ends), passed and failed.

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
Subsystem sftp internal-sftp
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

# on NAME COMMAND…: runs it among the mounts of that machine.
on() { name=$1; shift; nsenter -t "$(cat "$work/$name.pid")" -m "$@"; }

# running NAME WORD: whether a process of that machine has the word in its command line.
running() {
    ip netns pids "$tag$1" | while read -r pid; do { tr '\0' ' ' <"/proc/$pid/cmdline"; } 2>/dev/null; echo; done | grep -q -- "$2"
}

# dies NAME: all of its processes at once, and its cable.
dies() {
    ip link set "$tag$1" down
    for pid in $(ip netns pids "$tag$1"); do kill -9 "$pid" 2>/dev/null || true; done
}

# b_dies_in_its_scan: lets process $run go on until b scans, ends b, waits for the process and sets code to its exit code.
b_dies_in_its_scan() {
    died=no
    left=600
    while [ "$left" -gt 0 ] && kill -0 "$run" 2>/dev/null; do
        if running b ' scan --source'; then sleep 1; dies b; died=yes; break; fi
        sleep 0.1
        left=$((left - 1))
    done
    check "the second machine died in the middle" yes "$died"
    set +e
    wait "$run"
    code=$?
    set -e
    run=
}

# What is scanned: a folder with a finding that takes seconds, and one that takes longer than its machine lives.
mkdir "$work/few" "$work/many"
head -c 100000 /dev/urandom | base64 >"$work/few/harmless.txt"
printf 'WDVPIVAlQEFQWzRcUFpYNTQoUF4pN0NDKTd9JEVJQ0FSLVNUQU5EQVJELUFOVElWSVJVUy1URVNULUZJTEUhJEgrSCo=' | base64 -d >"$work/few/test.com"
head -c 4000000 /dev/urandom | base64 -w 60 >"$work/block"
number=0
while [ "$number" -lt 150 ]; do
    { echo "$number"; cat "$work/block"; } >"$work/many/$number.txt"
    number=$((number + 1))
done
