#!/bin/sh
# Installs the system libraries that Thunderstorm links, when they are missing (Debian 12, Ubuntu 24.04).
set -eu

arch=$(dpkg --print-architecture 2>/dev/null || echo unknown)
if [ "$arch" = amd64 ]; then patterns=libhyperscan-dev; else patterns=libvectorscan-dev; fi
wanted="pkg-config libyara-dev $patterns libpcre2-dev libarchive-dev zlib1g-dev liblzma-dev libbz2-dev libzstd-dev libxml2-dev libsqlite3-dev yara libarchive-tools openssl curl python3"

if ! command -v apt-get >/dev/null 2>&1; then
    echo "This machine has no apt. Install the libraries of these Debian packages by other means:" >&2
    echo "  $wanted" >&2
    exit 0
fi

missing=""
for package in $wanted; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q "ok installed" || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

run=""
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null 2>&1; then
        echo "Missing packages:$missing. Install them as root: apt-get install$missing" >&2
        exit 1
    fi
    run=sudo
fi
echo "Installing system packages:$missing"
$run apt-get update -q
$run env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing
