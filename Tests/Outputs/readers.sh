#!/bin/sh
# Every format that the program writes, read back by a program that is not ours, with findings that try to break it:
# jq, Python's csv and html.parser, a CEF parser from PyPI, rsyslog over UDP, TCP and TLS, zcat, promtool.
#
#   Tests/Outputs/readers.sh [PROGRAM]     (default: .build/debug/thunderstorm)
#
# What a machine has no reader for is named and counted as skipped. Everything lies below a temporary folder, and
# everything listens on the loopback.
set -eu
checkout=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
program=${1:-$checkout/.build/debug/thunderstorm}
command -v python3 >/dev/null 2>&1 || { echo "SKIPPED all readers: no python3"; exit 0; }
work=$(mktemp -d)
rsyslog=
server=
trap 'for p in $rsyslog $server; do kill "$p" 2>/dev/null || true; done; rm -rf "$work"' EXIT INT TERM
passed=0
failed=0
skipped=0

check() { # check WHAT EXPECTED GOT
    if [ "$2" = "$3" ]; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "FAILED $1: expected '$2', got '$3'"; fi
}
has() { command -v "$1" >/dev/null 2>&1 || [ -x "/usr/sbin/$1" ]; }
skip() { skipped=$((skipped + 1)); echo "SKIPPED $1"; }
lib=$checkout/Tests/Outputs

# Samples whose names and contents are hostile, and rules that find them.
python3 "$lib/hostile.py" samples "$work/evidence" "$work/rules" "$checkout/rules/chains.yml"
port=$((21000 + $$ % 20000))
udp=$port tcp=$((port + 1)) tls=$((port + 2)) http=$((port + 3)) web=$((port + 4))

# --- Receivers --------------------------------------------------------------------------------------------------------

targets=""
if has rsyslogd; then
    stream="" security=""
    if [ -n "$(find /usr/lib -name lmnsd_gtls.so 2>/dev/null)" ] && has openssl; then
        (
            cd "$work"
            openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj "/CN=test authority" \
                -keyout ca.key -out ca.pem
            openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=localhost" -keyout tls.key -out tls.csr
            echo "subjectAltName=DNS:localhost,IP:127.0.0.1" >tls.ext
            openssl x509 -req -in tls.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile tls.ext -out tls.pem
        ) >/dev/null 2>&1
        security="defaultNetstreamDriverCAFile=\"$work/ca.pem\" defaultNetstreamDriverCertFile=\"$work/tls.pem\" \
            defaultNetstreamDriverKeyFile=\"$work/tls.key\""
        stream="input(type=\"imtcp\" port=\"$tls\" address=\"127.0.0.1\" ruleset=\"tls\" streamdriver.name=\"gtls\" \
            streamdriver.mode=\"1\" streamdriver.authmode=\"anon\")"
        targets="$targets --remote-ca $work/ca.pem --remote-log localhost:$tls:SYSLOGJSON:TCPTLS"
    else
        skip "rsyslog over TLS: no rsyslog-gnutls"
    fi
    cat >"$work/rsyslog.conf" <<CONF
global(workDirectory="$work" maxMessageSize="16m" $security)
module(load="imudp")
module(load="imtcp")
template(name="line" type="list" option.jsonf="on") {
    property(outname="pri" name="pri" format="jsonf")
    property(outname="host" name="hostname" format="jsonf")
    property(outname="tag" name="programname" format="jsonf")
    property(outname="msg" name="msg" format="jsonf")
}
ruleset(name="udp") { action(type="omfile" file="$work/got.udp" template="line" ) }
ruleset(name="tcp") { action(type="omfile" file="$work/got.tcp" template="line" ) }
ruleset(name="tls") { action(type="omfile" file="$work/got.tls" template="line" ) }
input(type="imudp" port="$udp" address="127.0.0.1" ruleset="udp" rcvbufSize="4m")
input(type="imtcp" port="$tcp" address="127.0.0.1" ruleset="tcp")
$stream
CONF
    touch "$work/got.udp" "$work/got.tcp" "$work/got.tls"
    /usr/sbin/rsyslogd -n -f "$work/rsyslog.conf" -i "$work/rsyslog.pid" >"$work/rsyslog.log" 2>&1 &
    rsyslog=$!
    targets="$targets --remote-log 127.0.0.1:$udp:DEFAULT:UDP --remote-log 127.0.0.1:$tcp:SYSLOGKV:TCP"
    sleep 1
    kill -0 "$rsyslog" 2>/dev/null || { cat "$work/rsyslog.log"; rsyslog=; }
else
    skip "syslog over UDP, TCP and TLS: no rsyslogd"
fi
python3 "$lib/hostile.py" listen "$http" "$work/got.cef" &
server=$!
sleep 0.5

# --- One scan into everything -----------------------------------------------------------------------------------------

set +e
# shellcheck disable=SC2086
"$program" scan "$work/evidence" --rules "$work/rules" --in-process --min-level debug --source 'web 1' --rfc3339 --utc \
    --logfile "$work/log.txt" --json-logfile "$work/log.jsonl" --kv-logfile "$work/log.kv" --csv-logfile "$work/log.csv" \
    --audit-trail "$work/audit.jsonl.gz" --html-report "$work/report.html" \
    --remote-log "127.0.0.1:$http:CEF:TCP" $targets >"$work/terminal.txt" 2>"$work/summary.txt"
code=$?
set -e
check "the scan ends with findings" 1 "$code"
[ "$code" -le 1 ] || { cat "$work/summary.txt"; exit 1; }
grep -q "did not take" "$work/summary.txt" && cat "$work/summary.txt"
sleep 1

# --- Files ------------------------------------------------------------------------------------------------------------

python() { # python WHAT ARGUMENTS…: prints "ok" or what is wrong
    check "$1" ok "$(shift; python3 "$lib/hostile.py" "$@" 2>&1 | tail -3)"
}
python "JSON lines: Python's json gives back names and matches as they were" json "$work/evidence" "$work/log.jsonl"
if has jq; then
    check "JSON lines: jq reads each" "$(wc -l <"$work/log.jsonl")" "$(jq -c . <"$work/log.jsonl" | wc -l)"
    check "JSON lines: jq finds the megabytes" true \
        "$(jq -s '[.[] | select(.subject.type == "log line") | .subject.line | length] | max > 1000000' <"$work/log.jsonl")"
    zcat "$work/audit.jsonl.gz" >"$work/audit.jsonl"
    check "audit trail: jq reads each line" "$(wc -l <"$work/audit.jsonl")" "$(jq -c . <"$work/audit.jsonl" | wc -l)"
    check "audit trail: every reference leads to an object" 0 "$(jq -s '
        (map({(.id): true}) | add) as $ids | [.[].references[].target_id | select($ids[.] | not)] | length' "$work/audit.jsonl")"
    check "audit trail: every file is there" "$(find "$work/evidence" -type f -printf x | wc -c)" \
        "$(jq -s '[.[] | select(.object.type == "file" and (.references | length) == 0)] | length' "$work/audit.jsonl")"
    check "audit trail: what lies in the archive derives from it" 2 "$(jq -s '
        [.[] | select(.object.type == "file" and (.object.unpack_source // []) == ["ZIP"])] | length' "$work/audit.jsonl")"
    check "audit trail: reasons are there" true "$(jq -s '[.[] | select(.reasons | length > 0)] | length > 5' "$work/audit.jsonl")"
else
    skip "jq"
fi
python "audit trail: Python's gzip and json" trail "$work/evidence" "$work/audit.jsonl.gz"
jsonlog() { # jsonlog WHAT FORM FILE…: a reader made from the published definitions finds nothing to say
    check "$1" ok "$(shift; python3 "$lib/jsonlog.py" "$@" 2>>"$work/read.txt" | tail -3)"
}
jsonlog "jsonlog: events with hostile names and contents" finding "$work/log.jsonl"
jsonlog "jsonlog: audit trail with hostile names and contents" trail "$work/audit.jsonl.gz"
# The demo tree has a record of nearly every type.
[ -d "$checkout/samples/tree" ] || "$checkout/samples/unpack.sh" "$checkout/samples/tree" >/dev/null
for form in finding assessment; do
    "$program" scan "$checkout/samples/tree" --rules "$checkout/rules" --min-level debug --json-form "$form" \
        --json-logfile "$work/tree.$form" --audit-trail "$work/tree.$form.gz" >"$work/tree.out" 2>&1 || true
    jsonlog "jsonlog: events of the demo tree as $form" "$form" "$work/tree.$form"
done
jsonlog "jsonlog: audit trail of the demo tree" trail "$work/tree.finding.gz"
check "jsonlog: the same number of events in both forms" "$(wc -l <"$work/tree.finding")" "$(wc -l <"$work/tree.assessment")"
python "CSV: Python's csv gives three columns, and each path" csv "$work/evidence" "$work/log.csv"
python "KEY='value': every line splits into pairs" kv "$work/evidence" "$work/log.kv"
python "text log: nothing but printable lines" text "$work/log.txt"
python "terminal: nothing but printable lines" text "$work/terminal.txt"
python "report: Python's html.parser sees no element of a sample's" html "$work/report.html"

# --- Targets ----------------------------------------------------------------------------------------------------------

if python3 -c 'import pycef' 2>/dev/null; then
    python "CEF: pycef gives back names" cef "$work/evidence" "$work/got.cef"
else
    skip "CEF: no pycef (pip install pycef)"
fi
if [ -n "$rsyslog" ]; then
    python "rsyslog, DEFAULT over UDP" syslog "$work/got.udp" "$(grep -c . "$work/log.txt")" DEFAULT
    python "rsyslog, SYSLOGKV over TCP" syslog "$work/got.tcp" "$(grep -c . "$work/log.txt")" SYSLOGKV
    [ -f "$work/ca.pem" ] && python "rsyslog, SYSLOGJSON over TLS" syslog "$work/got.tls" "$(grep -c . "$work/log.jsonl")" SYSLOGJSON
fi

# --- Metrics and dashboard --------------------------------------------------------------------------------------------

"$program" serve --server-port "$web" --server-upload-dir "$work/uploads" --rules "$work/rules" \
    --remote-log "127.0.0.1:$http:JSON:TCP" --audit-trail "$work/serve.gz" >"$work/serve.log" 2>&1 &
service=$!
left=60
until curl -s "http://127.0.0.1:$web/readyz" | grep -q true || [ "$left" -eq 0 ]; do sleep 0.5; left=$((left - 1)); done
for file in "$work/evidence"/plain/*; do curl -s -F "file=@$file" "http://127.0.0.1:$web/api/check?source=web1" >/dev/null; done
printf 'PK\003\004 broken' >"$work/broken.zip"
curl -s -F "file=@$work/broken.zip" "http://127.0.0.1:$web/api/check" >/dev/null
for file in "$work/evidence/plain.txt" "$work/broken.zip"; do
    curl -s -F "file=@$file" "http://127.0.0.1:$web/api/v1/check?source=web1" >"$work/answer.json"
    jsonlog "jsonlog: answer of /api/v1/check to $(basename "$file")" answer "$work/answer.json"
done
curl -s "http://127.0.0.1:$web/metrics" >"$work/metrics.txt"
if has promtool; then
    check "metrics: promtool has nothing to say" "" "$(promtool check metrics <"$work/metrics.txt" 2>&1)"
else
    skip "metrics: no promtool"
fi
python "dashboard: every expression names metrics that are there" dashboard "$checkout/deploy/grafana/thunderstorm.json" \
    "$work/metrics.txt" "$work/rules.yml"
if has promtool; then
    check "dashboard: every expression is PromQL" 0 "$(promtool check rules "$work/rules.yml" >"$work/out" 2>&1; echo $?)"
fi

# The trail of the service survives its end by force, and goes on after the next start.
before=$(find "$work/evidence/plain" -type f | wc -l)
sleep 1.5
kill -9 "$service"
wait "$service" 2>/dev/null || true
check "audit trail after kill -9: gzip has nothing to say" 0 "$(gzip -t "$work/serve.gz" 2>"$work/out"; echo $?)"
check "audit trail after kill -9: every sample is there" "$((before + 3))" \
    "$(zcat "$work/serve.gz" | python3 -c 'import sys, json; print(sum(not json.loads(l)["references"] for l in sys.stdin))')"
# The beginning of a member, as a write that was cut leaves it.
head -c 700 "$work/serve.gz" >>"$work/serve.gz.part"
cat "$work/serve.gz.part" >>"$work/serve.gz"
truncate -s -3 "$work/serve.gz"
"$program" serve --server-port "$web" --server-upload-dir "$work/uploads" --rules "$work/rules" \
    --audit-trail "$work/serve.gz" >"$work/serve.log" 2>&1 &
service=$!
left=60
until curl -s "http://127.0.0.1:$web/readyz" | grep -q true || [ "$left" -eq 0 ]; do sleep 0.5; left=$((left - 1)); done
curl -s -F "file=@$work/broken.zip" "http://127.0.0.1:$web/api/check" >/dev/null
kill "$service"
wait "$service" || true
check "audit trail after a cut write: it is whole again" 0 "$(gzip -t "$work/serve.gz" 2>"$work/out"; echo $?)"
check "audit trail after a cut write: it goes on" true \
    "$(zcat "$work/serve.gz" | tail -1 | python3 -c 'import sys, json; print("broken.zip" in json.load(sys.stdin)["object"]["path"])' | tr TF tf)"

# --- A disk that is full ----------------------------------------------------------------------------------------------

if [ "$(id -u)" -eq 0 ] && unshare -m true 2>/dev/null; then
    # 256 KiB for the logs of findings of many times that.
    cat >"$work/full.sh" <<'SCRIPT'
set -eu
mkdir "$1/disk"
mount -t tmpfs -o size=256k tmpfs "$1/disk"
set +e
"$2" scan "$1/evidence" --rules "$1/rules" --in-process --min-level debug --logfile "$1/disk/log.txt" \
    --json-logfile "$1/disk/log.jsonl" --audit-trail "$1/disk/audit.gz" --json-logfile "$1/disk/log.jsonl" >"$1/full.out" 2>&1
echo $? >"$1/full.code"
cp -r "$1/disk" "$1/full"
umount "$1/disk"
SCRIPT
    unshare -m sh "$work/full.sh" "$work" "$program"
    check "full disk: the scan ends as ever" 1 "$(cat "$work/full.code")"
    check "full disk: every line of the JSON log is whole" ok \
        "$(python3 -c 'import sys, json; [json.loads(l) for l in open(sys.argv[1], encoding="utf-8")]; print("ok")' "$work/full/log.jsonl")"
    check "full disk: the audit trail is whole" 0 "$(gzip -t "$work/full/audit.gz" 2>/dev/null; echo $?)"
else
    skip "a full disk: needs root and a mount namespace"
fi

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
