import Pipeline

// Lines of Linux audit logs: `[node=HOST ]type=NAME msg=audit(SECONDS.MILLIS:SERIAL): KEY=VALUE …`. Values that hold
// blanks, quotes or other odd bytes are written by the kernel as upper-case hexadecimal without quotes; which fields
// may be is fixed (audit-userspace, lib/auparse, `typetab.h`). Programs of the user space put their fields into one
// quoted value, `msg='op=… res=success'`; enriched logs repeat some behind the byte 0x1D.

/// One line of an audit log, by positions in it.
struct AuditLine: Equatable {
    /// What stands in `audit(…)`: the same for all lines of an event.
    let stamp: Range<Int>
    let type: Range<Int>
    /// Name of the host, where logs of several are gathered.
    let node: Range<Int>?
    /// Where the fields begin.
    let body: Int

    private static let typeMark = Array("type=".utf8)
    private static let nodeMark = Array("node=".utf8)
    private static let stampMark = Array(" msg=audit(".utf8)

    /// Finds the parts of a line; nil when it is none of an audit log.
    init?(_ line: RawSpan) {
        var start = 0
        var node: Range<Int>?
        if line.matches(Self.nodeMark, at: 0) {
            guard let end = line.firstOffset(of: 0x20) else { return nil }
            node = Self.nodeMark.count..<end
            start = end + 1
        }
        guard line.matches(Self.typeMark, at: start) else { return nil }
        let name = start + Self.typeMark.count
        guard let end = line.firstOffset(of: 0x20, from: name), line.matches(Self.stampMark, at: end) else {
            return nil
        }
        let first = end + Self.stampMark.count
        guard let close = line.firstOffset(of: 0x29, from: first) else { return nil }
        type = name..<end
        stamp = first..<close
        body = line.uint8(at: close + 1) == 0x3A ? close + 2 : close + 1
        self.node = node
    }

    /// Seconds and milliseconds of the stamp; nil when it is not one.
    static func time(_ stamp: RawSpan) -> Timestamp? {
        guard let dot = stamp.firstOffset(of: 0x2E), let colon = stamp.firstOffset(of: 0x3A), dot < colon,
            let seconds = Int64(stamp.prefix(dot).utf8Text), abs(seconds) < 1 << 40,
            let part = stamp.slice(at: dot + 1, count: colon - dot - 1), let millis = UInt32(part.utf8Text),
            millis < 1000
        else { return nil }
        return Timestamp(seconds: seconds, nanoseconds: millis * 1_000_000)
    }

    /// Calls `body` with name and value of each field of a line, from `start` on.
    static func eachField<E: Error>(
        of line: RawSpan, from start: Int,
        _ body: (_ name: RawSpan, _ value: RawSpan, _ isQuoted: Bool) throws(E) -> Void
    ) throws(E) {
        var position = start
        while let equals = line.firstOffset(of: 0x3D, from: position) {
            var first = equals
            while first > position, let byte = line.uint8(at: first - 1), isName(byte) { first -= 1 }
            position = equals + 1
            guard first < equals, let name = line.slice(at: first, count: equals - first) else { continue }
            switch line.uint8(at: position) {
            case 0x22?:
                let end = line.firstOffset(of: 0x22, from: position + 1) ?? line.byteCount
                if let value = line.slice(at: position + 1, count: end - position - 1) { try body(name, value, true) }
                position = end + 1
            case 0x27?:
                // The fields of a program: they are read like the others.
                position += 1
            default:
                var end = position
                while let byte = line.uint8(at: end), byte > 0x20, byte != 0x27 { end += 1 }
                if let value = line.slice(at: position, count: end - position) { try body(name, value, false) }
                position = end
            }
        }
    }

    private static func isName(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x5F, 0x2D, 0x5B, 0x5D: true
        default: false
        }
    }
}

/// Values that may be written in hexadecimal.
enum AuditValue {
    private static let encodedNames: Set<String> = [
        "acct", "cmd", "comm", "cwd", "data", "dir", "exe", "file", "grp", "key", "name", "new", "ocomm", "old", "path",
        "proctitle", "root_dir", "sw", "vm", "watch", "invalid_context", "device", "new-disk", "old-disk",
    ]

    /// Whether an unquoted value of this field may be one; `a0`, `a1`, … are numbers in all records but EXECVE.
    static func mayBeEncoded(_ name: String, isExecve: Bool) -> Bool {
        if encodedNames.contains(name) { return true }
        return isExecve && isArgument(name)
    }

    /// Whether a name is `a` and a number, `a1[0]` included.
    static func isArgument(_ name: String) -> Bool {
        let rest = name.utf8.dropFirst()
        guard name.utf8.first == 0x61, let first = rest.first, (0x30...0x39).contains(first) else { return false }
        return rest.allSatisfy { (0x30...0x39).contains($0) || $0 == 0x5B || $0 == 0x5D }
    }

    /// The bytes of a hexadecimal value, NULs as blanks; nil when it is not one.
    static func decoded(_ value: RawSpan) -> [UInt8]? {
        guard value.byteCount >= 2, value.byteCount % 2 == 0 else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(value.byteCount / 2)
        for offset in stride(from: 0, to: value.byteCount, by: 2) {
            guard let high = digit(value.uint8(at: offset)), let low = digit(value.uint8(at: offset + 1)) else {
                return nil
            }
            let byte = high << 4 | low
            bytes.append(byte == 0 ? 0x20 : byte)
        }
        return bytes
    }

    private static func digit(_ byte: UInt8?) -> UInt8? {
        switch byte {
        case (0x30...0x39)?: byte.map { $0 - 0x30 }
        case (0x41...0x46)?: byte.map { $0 - 0x37 }
        default: nil
        }
    }
}
