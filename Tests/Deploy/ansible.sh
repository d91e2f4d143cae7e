#!/bin/sh
# The Ansible playbook for real: two machines, of which one dies in the middle of its scan, and an address that nobody has; then
# once more on a machine that lives, with a program that fails.
#
#   Tests/Deploy/ansible.sh [ARCHIVE]
#
# ARCHIVE   what is pushed (default: the newest dist/thunderstorm-*-linux-*.tar.gz; `make dist` makes one)
#
# Needs root, ansible-playbook (Debian's ansible-core), ip, ssh and sshd; touches no configuration of the machine, and takes away all it made.
set -eu
checkout=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
archive=${1:-$(ls -t "$checkout"/dist/thunderstorm-*-linux-*.tar.gz 2>/dev/null | head -1)}
[ "$(id -u)" -eq 0 ] || { echo "SKIPPED ansible run: not root"; exit 0; }
for need in ansible-playbook ip ssh ssh-keygen nsenter; do
    command -v "$need" >/dev/null 2>&1 || { echo "SKIPPED ansible run: no $need"; exit 0; }
done
[ -x /usr/sbin/sshd ] || { echo "SKIPPED ansible run: no sshd"; exit 0; }
[ -n "$archive" ] && [ -f "$archive" ] || { echo "ansible.sh: no archive; make dist makes one" >&2; exit 2; }
. "$checkout/Tests/Deploy/machines.sh"

export ANSIBLE_HOME="$work/ansible" ANSIBLE_LOCAL_TEMP="$work/ansible/tmp" ANSIBLE_HOST_KEY_CHECKING=False ANSIBLE_CONFIG="$work/ansible.cfg"
echo "[defaults]" >"$work/ansible.cfg"
# Already root there, as with any inventory that says so.
cat >"$work/hosts.ini" <<INI
[all:vars]
ansible_user=root
ansible_port=2222
ansible_become=false
ansible_ssh_private_key_file=$work/key
ansible_remote_tmp=/run/ansible
ansible_ssh_common_args=-F /dev/null -o UserKnownHostsFile=$work/known -o ControlMaster=no -o ServerAliveInterval=2 -o ConnectTimeout=5
[machines]
first ansible_host=$net.2 scan_paths=$work/few
second ansible_host=$net.6 scan_paths=$work/many
third ansible_host=$net.10 scan_paths=$work/few
INI
play() { timeout 300 ansible-playbook -i "$work/hosts.ini" -f 5 "$checkout/deploy/ansible/scan.yml" -e "logs=$work/logs" "$@"; }
mounts() { on a grep -c thunderstorm-scan /proc/mounts || true; }

play -e "archive=$archive" -e stagger=1 >"$work/out" 2>&1 &
run=$!
b_dies_in_its_scan
check "some machine failed" yes "$([ "$code" -ne 0 ] && echo yes || echo no)"
check "the first one did not" 1 "$(grep -c '^first .*unreachable=0 .*failed=0' "$work/out" || true)"
check "the dead one is said to be unreachable" 1 "$(grep -c '^second .*unreachable=1' "$work/out" || true)"
check "the one that is not there, too" 1 "$(grep -c '^third .*unreachable=1' "$work/out" || true)"
check "the log of the first is here" 1 "$(find "$work/logs/" -name 'first-*.jsonl' | wc -l)"
check "  with its finding" yes "$(grep -q '"THOR finding"' "$work/logs"/first-*.jsonl && echo yes || echo no)"
check "  and its report" 1 "$(find "$work/logs/" -name 'first-*.html' | wc -l)"
check "  the machine keeps nothing" 0 "$(on a ls /run | grep -c thunderstorm || true)"
check "  no mount of it is left" 0 "$(mounts)"
check "half a log of the dead one is no log" 0 "$(find "$work/logs/" -name 'second-*.jsonl' | wc -l)"

# A scan that fails leaves nothing behind either, and its own words are fetched.
rm -rf "$work/logs"
set +e
play -l first -e "archive=$archive" -e 'flags=--no-such-flag' >"$work/out2" 2>&1
code=$?
set -e
check "a scan that cannot start fails" 2 "$code"
check "  its words are fetched" yes "$(cat "$work/logs"/first-*.txt 2>/dev/null | grep -q 'no-such-flag' && echo yes || echo no)"
check "  the machine keeps nothing" 0 "$(on a ls /run | grep -c thunderstorm || true)"
check "  no mount of it is left" 0 "$(mounts)"

set +e
play -l first >"$work/out3" 2>&1
code=$?
set -e
check "a play without an archive fails" 2 "$code"
check "  and says what to give it" yes "$(grep -q 'name the distribution with -e archive=' "$work/out3" && echo yes || echo no)"

[ "$failed" -eq 0 ] || tail -n 40 "$work/out" "$work/out2" "$work/out3"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
