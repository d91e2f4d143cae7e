#!/bin/sh
# Installs Thunderstorm as a service, or removes it. Says what it will change, and asks before it does.
#
#   install.sh             ask, then install or update
#   install.sh auto        the same without asking
#   install.sh uninstall   remove the program and the service; logs, configuration and signatures stay
#
#   --program FILE         the program (default: bin/thunderstorm beside this script, or the release build)
#   --rules DIR            the shipped signatures (default: rules/ beside this script, or of the checkout)
#   --root DIR             install below DIR and touch no user and no service: for packages and tests
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$(readlink -f -- "$0")")" && pwd)
action=ask
root=""
program=""
rules=""

fail() { echo "install.sh: $*" >&2; exit 1; }

while [ $# -gt 0 ]; do
    case "$1" in
        auto) action=auto ;;
        uninstall) action=uninstall ;;
        --program) [ $# -gt 1 ] || fail "--program needs a file"; program=$2; shift ;;
        --rules) [ $# -gt 1 ] || fail "--rules needs a folder"; rules=$2; shift ;;
        --root) [ $# -gt 1 ] || fail "--root needs a folder"; root=${2%/}; shift ;;
        -h | --help) sed -n '2,12s/^# \{0,1\}//p' "$0"; exit 0 ;;
        *) fail "unknown word '$1'; see install.sh --help" ;;
    esac
    shift
done

prefix=/opt/thunderstorm
config=/etc/thunderstorm
logs=/var/log/thunderstorm
state=/var/lib/thunderstorm
units=/etc/systemd/system
user=thunderstorm

live() { [ -z "$root" ]; }
has() { command -v "$1" >/dev/null 2>&1; }
systemd() { live && has systemctl && [ -d /run/systemd/system ]; }

[ -n "$root" ] || [ "$(id -u)" -eq 0 ] || fail "run it as root (sudo $0 $action)"

confirm() {
    [ "$action" = ask ] || return 0
    printf 'Go on? [y/N] '
    read -r answer || answer=""
    case "$answer" in y | Y | yes) ;; *) echo "Nothing was changed."; exit 0 ;; esac
}

if [ "$action" = uninstall ]; then
    echo "This removes:"
    echo "  $root$prefix, $root/usr/local/bin/thunderstorm, $root/usr/local/sbin/thunderstorm-update"
    echo "  $root$units/thunderstorm.service, thunderstorm-update.service, thunderstorm-update.timer"
    echo "  $root/etc/logrotate.d/thunderstorm, $root/usr/local/share/man/man1/thunderstorm.1"
    echo "This stays: $root$logs, $root$config, $root$state (delete them yourself when you need them no more)"
    if systemd; then
        systemctl disable --now thunderstorm.service thunderstorm-update.timer 2>/dev/null || true
    fi
    rm -rf "$root$prefix"
    rm -f "$root/usr/local/bin/thunderstorm" "$root/usr/local/sbin/thunderstorm-update" \
        "$root$units/thunderstorm.service" "$root$units/thunderstorm-update.service" \
        "$root$units/thunderstorm-update.timer" "$root/etc/logrotate.d/thunderstorm" \
        "$root/usr/local/share/man/man1/thunderstorm.1"
    if systemd; then systemctl daemon-reload; fi
    echo "Removed."
    exit 0
fi

# What is installed.
if [ -z "$program" ]; then
    for candidate in "$here/../bin/thunderstorm" "$here/bin/thunderstorm" "$here/../.build/release/thunderstorm"; do
        [ -x "$candidate" ] && program=$candidate && break
    done
fi
[ -n "$program" ] && [ -x "$program" ] || fail "no program: build it (make build) or name it with --program FILE"
if [ -z "$rules" ]; then
    for candidate in "$here/../rules" "$here/rules"; do
        [ -f "$candidate/chains.yml" ] && rules=$candidate && break
    done
fi
[ -n "$rules" ] && [ -f "$rules/chains.yml" ] || fail "no signatures: name their folder with --rules DIR"
# A distribution has its libraries beside the program.
libraries=""
[ -d "$(dirname "$program")/../lib" ] && [ -f "$(dirname "$program")/../lib/thunderstorm" ] &&
    libraries=$(CDPATH='' cd -- "$(dirname "$program")/../lib" && pwd)

update=no
[ -e "$root$prefix/bin/thunderstorm" ] && update=yes
if [ "$update" = yes ]; then echo "This updates Thunderstorm:"; else echo "This installs Thunderstorm:"; fi
echo "  program        $root$prefix (and $root/usr/local/bin/thunderstorm), man page thunderstorm(1)"
if [ -e "$root$config/thunderstorm.yml" ]; then
    echo "  configuration  $root$config/thunderstorm.yml stays as it is; the new one beside it as thunderstorm.yml.new"
else
    echo "  configuration  $root$config/thunderstorm.yml"
fi
echo "  signatures     $root$state/signatures (shipped ones; yours go to $root$config/signatures)"
echo "  logs           $root$logs, with $root/etc/logrotate.d/thunderstorm"
live && ! id "$user" >/dev/null 2>&1 && echo "  user           $user, without a login"
if systemd; then
    echo "  service        thunderstorm.service (started), thunderstorm-update.timer (not started)"
else
    echo "  service        unit files in $root$units; systemd does not run here, nothing is started"
fi
confirm

if live && ! id "$user" >/dev/null 2>&1; then
    useradd --system --home-dir "$state" --no-create-home --shell /usr/sbin/nologin "$user"
fi

install -d -m 0755 "$root$prefix" "$root$prefix/bin" "$root$config" "$root$config/signatures" "$root$config/keys" \
    "$root$state/signatures" "$root/usr/local/bin" "$root/usr/local/sbin" "$root/usr/local/share/man/man1" "$root$units" "$root/etc/logrotate.d"
install -d -m 0750 "$root$logs" "$root$state/uploads"

# A program that runs is not written over: the new one is put beside it and takes its name.
place() { install -m "$3" "$1" "$2.new" && mv -f "$2.new" "$2"; }
if [ -n "$libraries" ]; then
    install -d -m 0755 "$root$prefix/lib"
    for file in "$libraries"/*; do
        mode=0644
        [ -x "$file" ] && mode=0755
        place "$file" "$root$prefix/lib/$(basename "$file")" "$mode"
    done
fi
place "$program" "$root$prefix/bin/thunderstorm" 0755
place "$here/thunderstorm-update" "$root$prefix/bin/thunderstorm-update" 0755
ln -sf "$prefix/bin/thunderstorm" "$root/usr/local/bin/thunderstorm"
ln -sf "$prefix/bin/thunderstorm-update" "$root/usr/local/sbin/thunderstorm-update"

# Shipped signatures are one version among those that updates bring; the link says which is in use.
version=shipped-$(cat "$here/VERSION" 2>/dev/null || date -u +%Y%m%d)
rm -rf "$root$state/signatures/$version.new"
cp -R "$rules" "$root$state/signatures/$version.new"
rm -rf "$root$state/signatures/$version"
mv "$root$state/signatures/$version.new" "$root$state/signatures/$version"
chmod -R u=rwX,go=rX "$root$state/signatures/$version"
if [ ! -e "$root$state/signatures/current" ] || [ "$update" = yes ]; then
    case "$(readlink "$root$state/signatures/current" 2>/dev/null || true)" in
        "" | shipped-*)
            ln -s "$version" "$root$state/signatures/current.new"
            mv -T "$root$state/signatures/current.new" "$root$state/signatures/current"
            ;;
    esac
fi

if [ -e "$root$config/thunderstorm.yml" ]; then
    cmp -s "$here/thunderstorm.yml" "$root$config/thunderstorm.yml" ||
        install -m 0640 "$here/thunderstorm.yml" "$root$config/thunderstorm.yml.new"
else
    install -m 0640 "$here/thunderstorm.yml" "$root$config/thunderstorm.yml"
fi
[ -e "$root$config/update.conf" ] || install -m 0644 "$here/update.conf" "$root$config/update.conf"
install -m 0644 "$here/thunderstorm.1" "$root/usr/local/share/man/man1/thunderstorm.1"
install -m 0644 "$here/logrotate" "$root/etc/logrotate.d/thunderstorm"
for unit in thunderstorm.service thunderstorm-update.service thunderstorm-update.timer; do
    install -m 0644 "$here/systemd/$unit" "$root$units/$unit"
done

if live; then
    chown -R "$user:$user" "$logs" "$state/uploads"
    chown "root:$user" "$config/thunderstorm.yml"
    if [ -e "$config/thunderstorm.yml.new" ]; then chown "root:$user" "$config/thunderstorm.yml.new"; fi
fi
if systemd; then
    systemctl daemon-reload
    systemctl enable thunderstorm.service
    systemctl restart thunderstorm.service
    systemctl --no-pager --lines 0 status thunderstorm.service || fail "the service did not start: journalctl -u thunderstorm"
fi

echo "Installed. Next:"
echo "  edit $root$config/thunderstorm.yml, then: systemctl restart thunderstorm"
echo "  signatures of your own: $root$config/signatures, then: systemctl reload thunderstorm"
echo "  updates: $root$config/update.conf, then: systemctl enable --now thunderstorm-update.timer"
