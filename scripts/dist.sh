#!/bin/sh
# Makes dist/thunderstorm-VERSION-linux-ARCH.tar.gz: the program with every library it needs, the C library and its
# loader too, so that it runs on any Linux of this architecture with nothing installed.
#
#   scripts/dist.sh             build, then pack
#   scripts/dist.sh --no-build  pack the program that is there: the release build, or $PROGRAM
set -eu
cd "$(dirname "$0")/.."

if [ "${1:-}" != --no-build ]; then
    ${SWIFT:-swift} build -c release --product thunderstorm --static-swift-stdlib
fi
program=${PROGRAM:-.build/release/thunderstorm}
[ -x "$program" ] || { echo "dist.sh: there is no $program: build it first" >&2; exit 1; }
version=$("$program" --version)
name=thunderstorm-$version-linux-$(uname -m)
tree=dist/$name
rm -rf "$tree"
mkdir -p "$tree/bin" "$tree/lib" "$tree/deploy"

cp "$program" "$tree/lib/thunderstorm"
strip "$tree/lib/thunderstorm" 2>/dev/null || true
ldd "$program" | awk '$2 == "=>" && $3 ~ /^\// { print $3 } $1 ~ /^\/.*ld-linux/ { print $1 }' | sort -u | while read -r library; do
    cp -L "$library" "$tree/lib/"
done
loader=$(basename "$(ldd "$program" | awk '$1 ~ /^\/.*ld-linux/ { print $1 }')")
# Names of users and hosts are looked up through plugins of the C library.
for plugin in libnss_files.so.2 libnss_dns.so.2 libresolv.so.2; do
    path=$(ldconfig -p | awk -v name="$plugin" '$1 == name { print $NF; exit }')
    [ -n "$path" ] && cp -L "$path" "$tree/lib/"
done

cat >"$tree/bin/thunderstorm" <<WRAPPER
#!/bin/sh
# Starts the program with the libraries beside it.
self=\$(readlink -f "\$0")
home=\${self%/bin/*}
THUNDERSTORM_PROGRAM=\$self
export THUNDERSTORM_PROGRAM
exec "\$home/lib/$loader" --library-path "\$home/lib" "\$home/lib/thunderstorm" "\$@"
WRAPPER
chmod +x "$tree/bin/thunderstorm"

cat >"$tree/run.sh" <<'RUN'
#!/bin/sh
# Scans folders of this machine and leaves a log and a report: ./run.sh [PATH…] (default: /)
#   OUT=DIR      where they go (default: beside this script)
#   NICE=N       niceness, 0 to 19 (default: 10); the disk is used behind everybody else
#   FLAGS="…"    more flags of `thunderstorm scan`
set -u
home=$(dirname "$(readlink -f "$0")")
out=${OUT:-$home}
host=$(uname -n)
base=$out/$host-$(date -u +%Y%m%dT%H%M%SZ)
[ $# -gt 0 ] || set -- /
gentle=""
command -v nice >/dev/null 2>&1 && gentle="nice -n ${NICE:-10}"
# The last of those that want the disk, where the kernel's scheduler heeds it.
command -v ionice >/dev/null 2>&1 && gentle="ionice -c 2 -n 7 $gentle"
# shellcheck disable=SC2086
$gentle "$home/bin/thunderstorm" scan --source "$host" --json-logfile "$base.jsonl" --html-report "$base.html" \
    ${FLAGS:-} "$@" >"$base.log" 2>"$base.txt" &
scan=$!
# Who ends this script ends the scan.
trap 'kill "$scan" 2>/dev/null' HUP INT TERM
wait "$scan"
status=$?
cat "$base.txt"
[ "$status" -gt 1 ] || echo "$base.jsonl $base.html"
exit "$status"
RUN
chmod +x "$tree/run.sh"

cp -R rules "$tree/rules"
cp -R deploy/install.sh deploy/thunderstorm-update deploy/thunderstorm.yml deploy/update.conf deploy/logrotate deploy/systemd deploy/thunderstorm.1 \
    "$tree/deploy/"
echo "$version" >"$tree/deploy/VERSION"
# No link: a package that thunderstorm-update installs may hold files and folders only.
cat >"$tree/install.sh" <<'INSTALL'
#!/bin/sh
exec "$(dirname "$(readlink -f "$0")")/deploy/install.sh" "$@"
INSTALL
chmod +x "$tree/install.sh"
cp README.md CHANGELOG.md "$tree/"
tar -C dist -czf "dist/$name.tar.gz" --owner=0 --group=0 --sort=name "$name"
echo "dist/$name.tar.gz"
