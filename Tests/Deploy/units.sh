#!/bin/sh
# The systemd units as systemd itself sees them: valid, and hardened (`systemd-analyze security`).
set -eu
checkout=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
command -v systemd-analyze >/dev/null 2>&1 || { echo "SKIPPED units: no systemd-analyze"; exit 0; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
# A root that holds what the units name, so that nothing of this machine counts.
mkdir -p "$work/etc/systemd/system" "$work/opt/thunderstorm/bin" "$work/bin" "$work/etc"
cp "$checkout"/deploy/systemd/* "$work/etc/systemd/system/"
for file in opt/thunderstorm/bin/thunderstorm opt/thunderstorm/bin/thunderstorm-update bin/kill; do
    printf '#!/bin/sh\n' >"$work/$file"
    chmod +x "$work/$file"
done
for unit in thunderstorm.service thunderstorm-update.service thunderstorm-update.timer; do
    # Units of the distribution (network-online.target, sysinit.target) are not in this root; only ours are judged.
    if systemd-analyze verify --man=no --root="$work" "$unit" 2>&1 | grep "systemd/system/thunderstorm" >"$work/out"; then
        echo "FAILED $unit:"
        cat "$work/out"
        failed=1
    fi
done
exposure=$(systemd-analyze security --offline=true --no-pager "$checkout/deploy/systemd/thunderstorm.service" 2>/dev/null |
    sed -n 's/.*exposure level for thunderstorm.service: \([0-9]*\)\.\([0-9]\).*/\1\2/p')
# Tenths; 10.0 is a unit without any restriction.
if [ -n "$exposure" ] && [ "$exposure" -gt 25 ]; then echo "FAILED exposure of thunderstorm.service: $exposure tenths"; failed=1; fi
echo "exposure of thunderstorm.service in tenths: ${exposure:-unknown}; $failed failed"
[ "$failed" -eq 0 ]
