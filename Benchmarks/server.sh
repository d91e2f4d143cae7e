# What benchmarks of the service share; to be read with `.` after $program and $work are set.

# Starts the service on a free port, which is in $port then, and its process in $server.
start_server() { # start_server FLAGS...
    "$program" serve --server-port 0 --server-upload-dir "$work/uploads" "$@" >"$work/server.log" 2>&1 &
    server=$!
    port=
    tries=0
    while [ -z "$port" ] && [ $tries -lt 300 ]; do
        sleep 0.1
        port=$(sed -n 's/.*listening on https*:\/\/127\.0\.0\.1:\([0-9]*\).*/\1/p' "$work/server.log" | tail -1)
        tries=$((tries + 1))
    done
    [ -n "$port" ] || { cat "$work/server.log" >&2; exit 1; }
}
stop_server() { kill "$server"; wait "$server" 2>/dev/null || true; server=; }

# Nothing stays behind when the script ends.
server=
trap 'if [ -n "$server" ]; then kill "$server" 2>/dev/null || true; fi; rm -rf "$work"' EXIT INT TERM
