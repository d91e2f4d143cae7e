#!/bin/sh
# Makes dist/thunderstorm_VERSION_ARCH.deb from the release program; its dependencies are those of its libraries.
#
#   scripts/deb.sh             build, then pack
#   scripts/deb.sh --no-build  pack the program that is there: the release build, or $PROGRAM
set -eu
cd "$(dirname "$0")/.."

if [ "${1:-}" != --no-build ]; then
    ${SWIFT:-swift} build -c release --product thunderstorm --static-swift-stdlib
fi
program=${PROGRAM:-.build/release/thunderstorm}
[ -x "$program" ] || { echo "deb.sh: there is no $program: build it first" >&2; exit 1; }
version=$("$program" --version)
arch=$(dpkg --print-architecture)
tree=dist/deb
rm -rf "$tree"
mkdir -p "$tree/DEBIAN"
chmod 0755 "$tree" "$tree/DEBIAN"

stripped=dist/thunderstorm-stripped
cp "$program" "$stripped"
strip "$stripped" 2>/dev/null || true
deploy/install.sh auto --root "$PWD/$tree" --program "$stripped" --rules rules >/dev/null
rm -f "$stripped"
# Units of packages live elsewhere than those of the administrator.
mkdir -p "$tree/lib/systemd"
mv "$tree/etc/systemd/system" "$tree/lib/systemd/system"
rmdir "$tree/etc/systemd"
mv "$tree/usr/local/bin" "$tree/usr/bin"
mv "$tree/usr/local/sbin" "$tree/usr/sbin"
mkdir -p "$tree/usr/share"
mv "$tree/usr/local/share/man" "$tree/usr/share/man"
gzip -9n "$tree/usr/share/man/man1/thunderstorm.1"
rmdir "$tree/usr/local/share" "$tree/usr/local"

# The packages that own the libraries of the program.
depends=$(ldd "$program" | awk '$2 == "=>" && $3 ~ /^\// { print $3 }' | while read -r library; do
    real=$(readlink -f "$library")
    dpkg-query -S "$real" 2>/dev/null || dpkg-query -S "${real#/usr}" 2>/dev/null || true
done | cut -d: -f1 | sort -u | paste -sd, | sed 's/,/, /g')

cat >"$tree/DEBIAN/control" <<CONTROL
Package: thunderstorm
Version: $version
Architecture: $arch
Maintainer: Thunderstorm project <thunderstorm@example.org>
Section: admin
Priority: optional
Installed-Size: $(du -sk "$tree" | cut -f1)
Depends: $depends, adduser, curl
Description: scans file samples received over HTTP
 Thunderstorm receives file samples, looks into each of them with YARA and Sigma
 rules, IOCs and forensic parsers, and answers with scored findings.
CONTROL
echo "/etc/thunderstorm/thunderstorm.yml
/etc/thunderstorm/update.conf
/etc/logrotate.d/thunderstorm" >"$tree/DEBIAN/conffiles"

cat >"$tree/DEBIAN/postinst" <<'SCRIPT'
#!/bin/sh
set -e
if [ "$1" = configure ]; then
    id thunderstorm >/dev/null 2>&1 || adduser --system --group --no-create-home --home /var/lib/thunderstorm thunderstorm
    chown -R thunderstorm:thunderstorm /var/log/thunderstorm /var/lib/thunderstorm/uploads
    chown root:thunderstorm /etc/thunderstorm/thunderstorm.yml
    if [ -d /run/systemd/system ]; then
        systemctl daemon-reload
        systemctl enable thunderstorm.service
        systemctl restart thunderstorm.service
    fi
fi
SCRIPT
cat >"$tree/DEBIAN/prerm" <<'SCRIPT'
#!/bin/sh
set -e
if [ "$1" = remove ] && [ -d /run/systemd/system ]; then
    systemctl disable --now thunderstorm.service thunderstorm-update.timer || true
fi
SCRIPT
chmod 0755 "$tree/DEBIAN/postinst" "$tree/DEBIAN/prerm"
dpkg-deb --root-owner-group --build "$tree" "dist/thunderstorm_${version}_$arch.deb" >/dev/null
rm -rf "$tree"
echo "dist/thunderstorm_${version}_$arch.deb"
