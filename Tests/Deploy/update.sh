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

check "the man page is there" 1 "$(grep -c '^.TH THUNDERSTORM' "$work/system/usr/local/share/man/man1/thunderstorm.1")"

# Over an older install: the program is replaced, what is the operator's stays, and a link to a set of an update, too.
old=$work/system/etc/thunderstorm/thunderstorm.yml
echo "# changed by the operator" >>"$old"
echo "SOURCE=/mine" >"$work/system/etc/thunderstorm/update.conf"
mkdir -p "$work/system/etc/thunderstorm/signatures"
echo "my-keyword-of-the-install-test" >"$work/system/etc/thunderstorm/signatures/mine-keywords.txt"
echo "an older program" >"$work/system/opt/thunderstorm/bin/thunderstorm"
mkdir "$state/update-1"
cp "$checkout/rules/chains.yml" "$state/update-1/"
ln -sfn update-1 "$state/current"
run "$checkout/deploy/install.sh" auto --root "$work/system" --program "$program" --rules "$checkout/rules"
check "an install over an older one" 0 "$code"
check "  says that it updates" 1 "$(grep -c '^This updates Thunderstorm' "$work/out")"
check "  replaces the program" "$("$program" --version)" "$("$work/system/opt/thunderstorm/bin/thunderstorm" --version)"
check "  keeps the configuration" 1 "$(grep -c 'changed by the operator' "$old")"
check "  puts the new one beside it" 0 "$(cmp -s "$checkout/deploy/thunderstorm.yml" "$old.new"; echo $?)"
check "  keeps the settings of updates" SOURCE=/mine "$(cat "$work/system/etc/thunderstorm/update.conf")"
check "  keeps signatures of one's own" 1 "$(grep -c my-keyword "$work/system/etc/thunderstorm/signatures/mine-keywords.txt")"
check "  keeps the set of an update in use" update-1 "$(readlink "$state/current")"
check "  leaves nothing half-done" 0 "$(find "$work/system" -name '*.new' ! -name thunderstorm.yml.new | wc -l)"
ln -sfn "$(basename "$(find "$state" -maxdepth 1 -name 'shipped-*')")" "$state/current"
echo n | "$checkout/deploy/install.sh" --root "$work/system" --program "$program" --rules "$checkout/rules" >"$work/out" 2>&1
check "an install that is not confirmed changes nothing" 1 "$(grep -c 'Nothing was changed' "$work/out")"

# Scan with what was installed.
mkdir "$work/evidence"
printf 'WDVPIVAlQEFQWzRcUFpYNTQoUF4pN0NDKTd9JEVJQ0FSLVNUQU5EQVJELUFOVElWSVJVUy1URVNULUZJTEUhJEgrSCo=' | base64 -d >"$work/evidence/test.com"
run "$work/system/opt/thunderstorm/bin/thunderstorm" scan "$work/evidence" --rules "$state/current" --html-report "$work/report.html"
check "the installed program scans" 1 "$code"
check "  and leaves a report" yes "$([ -s "$work/report.html" ] && echo yes || echo no)"

# Serve with it.
port=$((20000 + $$ % 20000))
url=http://127.0.0.1:$port
"$work/system/opt/thunderstorm/bin/thunderstorm" serve --server-port "$port" --server-upload-dir "$work/system/var/lib/thunderstorm/uploads" \
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

# The program too. What systemd does elsewhere do two scripts here.
cat >"$work/start" <<START
#!/bin/sh
"$work/system/opt/thunderstorm/bin/thunderstorm" serve --server-port "$port" --server-upload-dir "$work/system/var/lib/thunderstorm/uploads" \\
    --rules "$state/current" >>"$work/serve.log" 2>&1 9>&- &
echo \$! >"$work/pid"
START
cat >"$work/stop" <<STOP
#!/bin/sh
pid=\$(cat "$work/pid")
kill "\$pid" 2>/dev/null || exit 0
while kill -0 "\$pid" 2>/dev/null && ! grep -q '^State:.Z' "/proc/\$pid/status" 2>/dev/null; do sleep 0.1; done
STOP
chmod +x "$work/start" "$work/stop"
echo "$pid" >"$work/pid"
cat >>"$work/update.conf" <<CONF
PROGRAM_SOURCE=$work/program.tar.gz
STOP=$work/stop
START=$work/start
WAIT=30
CONF
full() { run "$checkout/deploy/thunderstorm-update" full --config "$work/update.conf"; }
# program TEXT KEY COMMAND: a package of a program that is the real one behind a few words of shell.
program() {
    rm -rf "$work/program"
    mkdir -p "$work/program/bin" "$work/program/lib"
    cp "$program" "$work/program/lib/thunderstorm"
    printf '#!/bin/sh\n# %s\n%s\nexec "${0%%/bin/*}/lib/thunderstorm" "$@"\n' "$1" "$3" >"$work/program/bin/thunderstorm"
    chmod +x "$work/program/bin/thunderstorm"
    "$program" package sign "$work/program" --key "$work/$2.key" >/dev/null
    tar -czf "$work/program.tar.gz" -C "$work/program" .
}
installed() { sed -n 2p "$work/system/opt/thunderstorm/bin/thunderstorm" | tr -d '\000' | head -c 40; }
cp -R "$state/$good" "$work/good"
sed -i "s|^SOURCE=.*|SOURCE=$work/good|" "$work/update.conf"

program "another team" other ""
full
check "a program of another key" 1 "$code"
check "  the service was not touched" "$pid" "$(cat "$work/pid")"
check "  and is ready" 1 "$(curl -s "$url/readyz" | grep -c true)"

program "the second program" team ""
printf 'first marker of the update test, async' >"$work/sample.txt"
id=$(curl -s -F "file=@$work/sample.txt" "$url/api/checkAsync" | tr -dc 0-9)
full
check "a good program" 0 "$code"
check "  is the one that is installed" "# the second program" "$(installed)"
check "  another process serves" yes "$([ "$(cat "$work/pid")" != "$pid" ] && echo yes || echo no)"
check "  and finds" 1 "$(find_text 'first marker of the update test')"
left=30
until curl -s "$url/api/getAsyncResults?id=$id" | grep -q finished || [ "$left" -eq 0 ]; do sleep 0.5; left=$((left - 1)); done
check "  and knows what was submitted to the one before" 1 "$(curl -s "$url/api/getAsyncResults?id=$id" | grep -c First)"
check "  it can update the next time" yes "$([ -x "$work/system/opt/thunderstorm/bin/thunderstorm-update" ] && echo yes || echo no)"
check "  nothing of the one before is left" no "$([ -e "$work/system/opt/thunderstorm.old" ] && echo yes || echo no)"
pid=$(cat "$work/pid")
full
check "the same program again" 0 "$code"
check "  is not restarted" "$pid" "$(cat "$work/pid")"

sed -i 's/^WAIT=.*/WAIT=3/' "$work/update.conf"
# shellcheck disable=SC2016
program "a third that does not serve" team '[ "$1" = --version ] || exit 1'
full
check "a program that does not start" 3 "$code"
check "  the one before is back" "# the second program" "$(installed)"
left=60
until curl -s "$url/readyz" | grep -q true || [ "$left" -eq 0 ]; do sleep 0.5; left=$((left - 1)); done
check "  and finds" 1 "$(find_text 'first marker of the update test')"

# End and uninstall.
"$work/stop"
check "the service ends" ended "$(tail -n 1 "$work/serve.log")"
pid=
"$checkout/deploy/install.sh" uninstall --root "$work/system" >"$work/out"
check "the man page is gone" no "$([ -e "$work/system/usr/local/share/man/man1/thunderstorm.1" ] && echo yes || echo no)"
check "signatures stay" yes "$([ -e "$state/current" ] && echo yes || echo no)"
check "the program is gone" no "$([ -e "$work/system/opt/thunderstorm" ] && echo yes || echo no)"
check "logs and configuration stay" yes "$([ -d "$work/system/var/log/thunderstorm" ] && [ -f "$work/system/etc/thunderstorm/thunderstorm.yml" ] && echo yes || echo no)"

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
