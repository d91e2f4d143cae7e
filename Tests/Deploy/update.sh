#!/bin/sh
# Installs below a folder, serves, updates signatures in good and in bad ways, and uninstalls, with the real program:
#   Tests/Deploy/update.sh [PROGRAM]     (default: .build/debug/thunderstorm; `make test-deploy` builds it)
set -eu
checkout=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
program=${1:-$checkout/.build/debug/thunderstorm}
work=$(mktemp -d)
pid=
trap '[ -n "$pid" ] && kill "$pid" 2>/dev/null; rm -rf "$work"' EXIT
passed=0
failed=0

check() { # check WHAT EXPECTED GOT
    if [ "$2" = "$3" ]; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "FAILED $1: expected '$2', got '$3'"; fi
}
run() { set +e; "$@" >"$work/out" 2>&1; code=$?; set -e; }
rule() { echo "rule $1 { meta: description = \"$1\" score = 70 strings: \$a = \"$2\" condition: \$a }"; }
pack() { "$program" package sign "$work/package" --key "$work/team.key" >/dev/null && tar -czf "$work/package.tar.gz" -C "$work/package" .; }
find_text() { printf '%s' "$1" >"$work/sample.txt"; curl -s -F "file=@$work/sample.txt" "$url/api/check" | grep -c rulename || true; }

# Install.
"$checkout/deploy/install.sh" auto --root "$work/system" --program "$program" --rules "$checkout/rules" >"$work/out"
state=$work/system/var/lib/thunderstorm/signatures
check "the shipped set is in use" 1 "$(readlink "$state/current" | grep -c '^shipped-')"
check "the configuration is there" 1 "$(grep -c '^rules:' "$work/system/etc/thunderstorm/thunderstorm.yml")"

# Serve with it.
port=$((20000 + $$ % 20000))
url=http://127.0.0.1:$port
"$program" serve --server-port "$port" --server-upload-dir "$work/system/var/lib/thunderstorm/uploads" \
    --rules "$state/current" >"$work/serve.log" 2>&1 &
pid=$!
left=60
until curl -s "$url/readyz" | grep -q true || [ "$left" -eq 0 ]; do sleep 0.5; left=$((left - 1)); done
check "nothing is found before the update" 0 "$(find_text 'first marker of the update test')"

# Update.
"$program" package keygen --name "$work/team" >/dev/null
cp "$work/team.pub" "$work/system/etc/thunderstorm/keys/"
mkdir -p "$work/package/yara"
cp "$checkout/rules/chains.yml" "$work/package/"
cat >"$work/update.conf" <<CONF
SOURCE=$work/package.tar.gz
KEYS=$work/system/etc/thunderstorm/keys
STATE=$state
PREFIX=$work/system/opt/thunderstorm
SERVICE=$url
RELOAD="kill -HUP $pid"
WAIT=30
CONF
update() { run "$checkout/deploy/thunderstorm-update" --config "$work/update.conf"; }

rule First "first marker of the update test" >"$work/package/yara/first.yar"
pack
update
check "a good package" 0 "$code"
check "its rule finds" 1 "$(find_text 'first marker of the update test')"
good=$(readlink "$state/current")
update
check "the same package again" 0 "$code"

echo "// changed" >>"$work/package/yara/first.yar"
tar -czf "$work/package.tar.gz" -C "$work/package" .
update
check "a changed file" 1 "$code"
check "  is named" 1 "$(grep -c 'first.yar is not the file that was signed' "$work/out")"

echo "rule broken { condition: nothing }" >"$work/package/yara/broken.yar"
pack
update
check "a broken rule" 1 "$code"
check "  is named" 1 "$(grep -c 'broken.yar:1' "$work/out")"
rm "$work/package/yara/broken.yar"

"$program" package keygen --name "$work/other" >/dev/null
"$program" package sign "$work/package" --key "$work/other.key" >/dev/null
tar -czf "$work/package.tar.gz" -C "$work/package" .
update
check "another key" 1 "$code"

(cd "$work/package" && tar -czPf ../package.tar.gz ../team.pub SHA256SUMS 2>/dev/null)
update
check "a path that leaves the package" 1 "$code"

rule Second "second marker" >"$work/package/yara/second.yar"
pack
sed -i 's/^RELOAD=.*/RELOAD=true/; s/^WAIT=.*/WAIT=2/' "$work/update.conf"
update
check "a service that does not take it" 3 "$code"
check "the good set is in use again" "$good" "$(readlink "$state/current")"
check "and finds" 1 "$(find_text 'first marker of the update test')"

# End and uninstall.
kill "$pid"
wait "$pid" && ended=0 || ended=$?
pid=
check "the service ends" 0 "$ended"
"$checkout/deploy/install.sh" uninstall --root "$work/system" >"$work/out"
check "the program is gone" no "$([ -e "$work/system/opt/thunderstorm" ] && echo yes || echo no)"
check "logs and configuration stay" yes "$([ -d "$work/system/var/log/thunderstorm" ] && [ -f "$work/system/etc/thunderstorm/thunderstorm.yml" ] && echo yes || echo no)"

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
