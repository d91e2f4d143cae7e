#!/bin/sh
# Unpacks the demo tree: source/PATH.b64 is decoded to DEST/PATH, any other file of source/ is copied as it is.
#
#    samples/unpack.sh [DEST]        DEST is samples/tree if not given; it is created
#
# Running it again gives the same tree. Files of DEST that the sources do not have are left alone. Nothing is written
# outside DEST: a symbolic link in the way is an error. Needs a POSIX shell and coreutils only.
# The files look like malware to a virus scanner, but none of them does harm: see SOURCES.md.

set -eu
LC_ALL=C
export LC_ALL

fail() {
    printf 'unpack.sh: %s\n' "$1" >&2
    exit 1
}

[ "$#" -le 1 ] || fail "usage: unpack.sh [DEST]"
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
source=$here/source
dest=${1-$here/tree}
[ -n "$dest" ] || fail "the destination is empty"
[ -d "$source" ] || fail "no folder $source"
case $dest in
    /*) ;;
    *) dest=$PWD/$dest ;;
esac
umask 022
mkdir -p -- "$dest" || fail "cannot create $dest"

count=0
place() { # source file, target
    case $1 in
        *.b64) target=${2%.b64} ;;
        *) target=$2 ;;
    esac
    [ ! -L "$target" ] || fail "a symbolic link is in the way: $target"
    [ ! -d "$target" ] || fail "a folder is in the way: $target"
    part=$target.unpack-$$
    case $1 in
        *.b64) base64 -d <"$1" >"$part" || { rm -f -- "$part"; fail "cannot decode $1"; } ;;
        *) cat <"$1" >"$part" || { rm -f -- "$part"; fail "cannot copy $1"; } ;;
    esac
    mv -f -- "$part" "$target" || { rm -f -- "$part"; fail "cannot write $target"; }
    count=$((count + 1))
}

walk() { # source folder, target folder
    [ ! -L "$2" ] || [ "$2" = "$dest" ] || fail "a symbolic link is in the way: $2"
    mkdir -p -- "$2" || fail "cannot create $2"
    for entry in "$1"/* "$1"/.[!.]* "$1"/..?*; do
        [ -e "$entry" ] || continue
        if [ -d "$entry" ]; then
            walk "$entry" "$2/${entry##*/}"
        else
            place "$entry" "$2/${entry##*/}"
        fi
    done
}

walk "$source" "$dest"
printf '%s files in %s\n' "$count" "$dest"
