#!/bin/bash
# Keeps seven daily copies of the map catalogue.
set -eu
dest=/srv/backup/$(date +%u)
mkdir -p "$dest"
rsync -a --delete /srv/maps/ "$dest/"
curl -fsS --retry 3 -o /dev/null https://monitor.library.test/ping/backup
logger -t backup "done: $dest"
