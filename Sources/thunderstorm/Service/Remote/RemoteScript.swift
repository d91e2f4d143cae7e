// What runs on the other machine: one shell script in one ssh session. It reads the distribution from its standard
// input, scans, writes a .tar.gz of what the scan left to its standard output, and says what it is at on its standard
// error. Whatever happens, it takes away what it brought: at its end, when it is told to stop, and when nobody listens
// any more, which the sign of life it gives every few seconds shows.

/// The script for one machine.
public struct RemoteScript: Sendable {
    /// How much of the machine a scan may take.
    public struct Limits: Sendable, Equatable {
        /// Niceness of the scan, 0...19.
        public var nice = 10
        /// Most processor time in percent of one processor; nil for no limit.
        public var cpuPercent: Int?
        /// Size of the RAM drive, as mount takes it.
        public var drive = "1G"

        /// The defaults.
        public init() {}
    }

    /// The script's text.
    public let text: String

    /// A script for a host.
    ///
    /// - Parameter run: Word that names the folder of this run; letters and digits only.
    public init(host: RemoteHosts.Host, limits: Limits, run: String) {
        let paths = host.paths.map(Self.quoted).joined(separator: " ")
        let flags = host.flags.map(Self.quoted).joined(separator: " ")
        let quota = limits.cpuPercent.map { "\($0)" } ?? ""
        text = """
            set -u
            umask 077
            base=/run
            [ -d /run ] && [ -w /run ] || base=/tmp
            drive=$base/thunderstorm-scan-\(run)
            mkdir "$drive" || { echo "error cannot make $drive" >&2; exit 90; }
            beat=
            cleanup() {
                trap '' HUP INT TERM PIPE
                [ -n "$beat" ] && kill "$beat" 2>/dev/null
                if [ -n "${scan:-}" ]; then
                    # All of its processes, where setsid has made them a group.
                    kill -TERM "-$scan" 2>/dev/null || kill -TERM "$scan" 2>/dev/null
                    wait "$scan" 2>/dev/null
                fi
                cd /
                if mountpoint -q "$drive" 2>/dev/null; then umount "$drive" 2>/dev/null || umount -l "$drive"; fi
                rm -rf "$drive"
            }
            trap cleanup EXIT
            trap 'exit 91' HUP INT TERM PIPE
            if mount -t tmpfs -o size=\(limits.drive),mode=0700 thunderstorm "$drive" 2>/dev/null; then :; else
                echo "note no RAM drive, $drive is on a disk" >&2
            fi
            mkdir "$drive/program" "$drive/out"
            echo "step copying" >&2
            tar -xzf - -C "$drive/program" --strip-components=1 || { echo "error cannot unpack the distribution" >&2; exit 92; }
            me=$$
            ( trap '' PIPE; while sleep 3; do echo alive >&2 || { kill -TERM "$me"; exit; }; done ) &
            beat=$!
            quota=\(quota)
            prefix=
            command -v setsid >/dev/null 2>&1 && prefix=setsid
            if [ -n "$quota" ]; then
                if command -v systemd-run >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
                    prefix="$prefix systemd-run --quiet --scope -p CPUQuota=$quota%"
                else
                    echo "note no systemd-run as root, the processor is limited by niceness only" >&2
                fi
            fi
            echo "step scanning" >&2
            OUT="$drive/out" NICE=\(limits.nice) FLAGS= $prefix "$drive/program/run.sh" \(flags) \(paths) >/dev/null 2>"$drive/out/messages.txt" </dev/null &
            scan=$!
            wait "$scan"
            code=$?
            scan=
            [ "$code" -le 1 ] || tail -n 3 "$drive/out/messages.txt" | sed 's/^/error /' >&2
            echo "step fetching" >&2
            tar -czf - -C "$drive/out" . || exit 93
            exit "$code"
            """
    }

    /// A word as a POSIX shell takes it literally.
    static func quoted(_ word: String) -> String { "'" + word.replacing("'", with: "'\\''") + "'" }
}
