public import Pipeline

// A registry hive as cells that are looked up by offset: nothing is read before it is asked for, nothing is copied.
// Format after "Windows registry file format specification" (M. Suhanov), sections "Cell", "Index leaf" to "Index
// root", "Key values list", "Big data", and the libregf documentation of the REGF format.

/// A registry hive.
///
/// Every read is checked against the file; what is damaged becomes a `HiveProblem` or an error, never a trap.
public struct Hive: Sendable {
    /// Data longer than this is cut into segments from version 1.4 on.
    static let segmentSize = 16_344
    // Most keys that are named as roots when the real root is lost.
    private static let rootLimit = 4096

    /// The whole file.
    public let bytes: Bytes
    /// The base block; nil when it is broken and the hive was read without it.
    public let header: HiveHeader?
    /// The root key; several keys, in file order, when the root is lost and only parts of the tree are there.
    public let roots: [HiveKey]
    /// What was found wrong with the frame of the file: base block and hive bins.
    public let problems: [HiveProblem]
    // Whether long data is cut into segments (from version 1.4 on).
    let usesBigData: Bool

    /// Opens a hive.
    ///
    /// - Throws: `badMagic` for another kind of file, `unsupported` for a transaction log, `truncated` when not even
    ///   one key is there.
    public init(_ bytes: Bytes) throws(ParseError) {
        self.bytes = bytes
        let span = bytes.span
        var found: [HiveProblem] = []
        var read: HiveHeader?
        do throws(ParseError) {
            let block = try HiveHeader(span)
            let binOrCell = span.uint32(at: HiveHeader.size)
            if block.role != .primary, binOrCell != Self.binSignature {
                throw ParseError(.unsupported, "this is a transaction log, not a hive: send both together", at: 28)
            }
            if !block.isChecksumValid { found.append(HiveProblem("base block: wrong checksum", at: 508)) }
            read = block
        } catch {
            if error.code == .unsupported || span.uint32(at: HiveHeader.size) != Self.binSignature { throw error }
            found.append(HiveProblem("\(error.message); read without it", at: error.offset))
        }
        header = read
        usesBigData = (read?.minorVersion ?? 5) >= 4
        Self.checkBins(span, read, &found)
        roots = Self.findRoots(span, read, &found)
        problems = found
        guard !roots.isEmpty else {
            throw ParseError(.truncated, "there is no key in the \(bytes.count) bytes of this hive", at: 0)
        }
    }

    // MARK: Frame

    private static let binSignature: UInt32 = 0x6E69_6268  // "hbin"

    // Bins are only frames: cells are found by offset. A broken one is told and does not stop anything.
    private static func checkBins(_ span: RawSpan, _ header: HiveHeader?, _ problems: inout [HiveProblem]) {
        var offset = HiveHeader.size
        var broken = 0
        var first = 0
        let claimed = header.map { HiveHeader.size &+ Int($0.binsSize) } ?? span.byteCount
        let end = min(claimed, span.byteCount)
        while offset < end {
            if span.uint32(at: offset) == binSignature, let size = span.uint32(at: offset &+ 8), size >= 4096,
                size & 0xFFF == 0
            {
                offset = offset &+ Int(size)
            } else {
                if broken == 0 { first = offset }
                broken += 1
                offset += 4096
            }
        }
        if broken > 0 {
            problems.append(HiveProblem("\(broken) hive bins have no proper header", at: first))
        }
        if claimed > span.byteCount {
            problems.append(
                HiveProblem(
                    "the file ends at \(span.byteCount) of \(claimed) bytes: keys and values behind it are lost",
                    at: span.byteCount))
        }
    }

    private static func findRoots(
        _ span: RawSpan, _ header: HiveHeader?, _ problems: inout [HiveProblem]
    ) -> [HiveKey] {
        if let header, let cell = cell(header.rootCell, in: span), let root = HiveKey(span, cell) { return [root] }
        let said = header.map { "the root cell 0x\(String($0.rootCell, radix: 16)) is not a key" } ?? "no root cell"
        // A key node is searched at every place where a cell may begin: first one that says it is a root, otherwise
        // all whose parent is not there.
        var orphans: [HiveKey] = []
        var position = HiveHeader.size
        while position &+ 80 <= span.byteCount {
            defer { position += 8 }
            guard span.uint16(at: position &+ 4) == 0x6B6E, let cell = cell(at: position, in: span),
                let key = HiveKey(span, cell)
            else { continue }
            if key.isRoot {
                problems.append(HiveProblem("\(said); the root was searched and found", at: key.offset))
                return [key]
            }
            let hasParent = Self.cell(key.parent, in: span).flatMap { HiveKey(span, $0) } != nil
            if !hasParent, orphans.count < rootLimit { orphans.append(key) }
        }
        if !orphans.isEmpty {
            problems.append(
                HiveProblem("\(said); \(orphans.count) keys without a parent stand for it", at: HiveHeader.size))
        }
        return orphans
    }

    // MARK: Cells

    @inline(__always)
    static func cell(_ reference: UInt32, in span: RawSpan) -> HiveCell? {
        guard reference & 7 == 0 else { return nil }
        return cell(at: HiveHeader.size &+ Int(reference), in: span)
    }

    // The content of the cell that begins at `start`; a size that reaches beyond the file is cut.
    @inline(__always)
    static func cell(at start: Int, in span: RawSpan) -> HiveCell? {
        guard let raw = span.uint32(at: start) else { return nil }
        let size = Int(Int32(bitPattern: raw).magnitude)
        let content = start &+ 4
        guard size >= 8, content < span.byteCount else { return nil }
        return HiveCell(offset: content, count: min(size &- 4, span.byteCount &- content))
    }

    /// The key whose cell stands at this offset from the start of the hive bins.
    func key(_ reference: UInt32) -> HiveKey? {
        let span = bytes.span
        return Self.cell(reference, in: span).flatMap { HiveKey(span, $0) }
    }

    // MARK: Names

    /// Appends the name of a key as UTF-8.
    public func appendName(of key: HiveKey, to arena: inout ByteArena) {
        append(key.nameOffset, key.nameCount, compressed: key.isNameCompressed, to: &arena)
    }

    /// Appends the name of a value as UTF-8; nothing for the default value.
    public func appendName(of value: HiveValue, to arena: inout ByteArena) {
        append(value.nameOffset, value.nameCount, compressed: value.isNameCompressed, to: &arena)
    }

    /// The name of a key.
    public func name(of key: HiveKey) -> String {
        var arena = ByteArena(capacity: 128)
        appendName(of: key, to: &arena)
        return arena.span.utf8Text
    }

    /// The name of a value; empty for the default value.
    public func name(of value: HiveValue) -> String {
        var arena = ByteArena(capacity: 128)
        appendName(of: value, to: &arena)
        return arena.span.utf8Text
    }

    /// The class name of a key; nil when it has none or it cannot be read.
    public func className(of key: HiveKey) -> String? {
        let span = bytes.span
        guard key.classLength > 0, let cell = Self.cell(key.classCell, in: span) else { return nil }
        return String(utf16: span.suffix(from: cell.offset).prefix(min(cell.count, key.classLength)))
    }

    private func append(_ offset: Int, _ count: Int, compressed: Bool, to arena: inout ByteArena) {
        guard let name = bytes.span.slice(at: offset, count: count) else { return }
        if compressed { arena.append(latin1: name) } else { arena.append(utf16: name) }
    }
}
