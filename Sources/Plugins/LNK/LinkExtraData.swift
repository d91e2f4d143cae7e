public import Pipeline

// The blocks at the end of a link: who made it and where, environment variables, console settings, known folders,
// properties. Source: MS-SHLLINK 2.5.

/// Extra data of a shell link.
public struct LinkExtraData: Sendable {
    /// Names of the blocks in the order of the file (`tracker`, `environment`, `property store`).
    public private(set) var blocks: [String] = []
    /// Name of the machine that the target was on when the link was made.
    public private(set) var machineID: String?
    /// Volume and file that link tracking knows.
    public private(set) var droid: Droid?
    /// Volume and file where the target was first.
    public private(set) var birthDroid: Droid?
    /// Target with environment variables.
    public private(set) var environmentTarget: String?
    /// Icon with environment variables.
    public private(set) var environmentIcon: String?
    /// Windows Installer's description of the target.
    public private(set) var darwin: String?
    /// Compatibility layer.
    public private(set) var shim: String?
    /// Folder that the target is below, by name or GUID.
    public private(set) var knownFolder: String?
    /// Number (CSIDL) of the folder that the target is below.
    public private(set) var specialFolder: UInt32?
    /// Code page of a console.
    public private(set) var codePage: UInt32?
    /// Font of a console.
    public private(set) var consoleFont: String?
    /// Target as item IDs for Vista and later.
    public private(set) var vistaItems: [ShellItem] = []
    /// Properties of the target.
    public private(set) var properties: [LinkProperty] = []

    /// Identifiers of the distributed link tracking service.
    public struct Droid: Sendable {
        /// The volume.
        public let volume: GUID
        /// The file; a version 1 UUID holds an address of the machine's network card.
        public let file: GUID
        /// Network card address inside `file`, as in `00:0C:29:01:02:03`; nil if it holds none.
        public let macAddress: String?

        init?(_ span: RawSpan, at offset: Int) {
            guard let volume = GUID(span, at: offset), let file = GUID(span, at: offset + 16) else { return nil }
            self.volume = volume
            self.file = file
            if (span.uint8(at: offset + 23) ?? 0) >> 4 == 1, let node = span.slice(at: offset + 26, count: 6) {
                let digits = Array(String(hex: node, uppercase: true))
                macAddress = stride(from: 0, to: digits.count - 1, by: 2).map { String(digits[$0...$0 + 1]) }
                    .joined(separator: ":")
            } else {
                macAddress = nil
            }
        }
    }

    // There are 11 kinds, each once in a link. A hostile one has millions of eight bytes.
    private static let blockLimit = 256
    // Lists of item IDs elsewhere in a link have a size of 16 bits; items of three bytes become many times that.
    private static let itemBytes = 0xFFFF

    init() {}

    /// Reads the blocks from `start` on.
    ///
    /// - Returns: offset behind the last block.
    mutating func read(_ span: RawSpan, at start: Int, _ problems: inout [ParseError]) -> Int {
        var offset = start
        while let size = span.uint32(at: offset) {
            guard blocks.count < Self.blockLimit else {
                problems.append(
                    ParseError(
                        .limit, "more than \(Self.blockLimit) extra data blocks; the others were not read", at: offset))
                return offset
            }
            // The terminal block is any size below 4.
            guard size >= 4 else { return offset + 4 }
            guard size >= 8, let signature = span.uint32(at: offset + 4),
                (0xA000_0000...0xA000_00FF).contains(signature)
            else {
                // Old links end without a terminal block; what stands here is not theirs.
                return offset
            }
            guard let block = span.slice(at: offset, count: Int(size)) else {
                problems.append(
                    ParseError(
                        .truncated, "an extra data block claims \(size) bytes, have \(span.byteCount - offset)",
                        at: offset))
                read(signature, span.suffix(from: offset))
                return span.byteCount
            }
            read(signature, block)
            offset += Int(size)
        }
        return offset
    }

    private mutating func read(_ signature: UInt32, _ block: RawSpan) {
        switch signature {
        case 0xA000_0001:
            blocks.append("environment")
            environmentTarget = doubleText(block)
        case 0xA000_0002:
            blocks.append("console")
            // Face name of 32 units; sizes and colours before and behind it are not shown.
            consoleFont = wideText(block.prefix(108), at: 44)
        case 0xA000_0003:
            blocks.append("tracker")
            machineID = text(block.prefix(32), at: 16)
            droid = Droid(block, at: 32)
            birthDroid = Droid(block, at: 64)
        case 0xA000_0004:
            blocks.append("console code page")
            codePage = block.uint32(at: 8)
        case 0xA000_0005:
            blocks.append("special folder")
            specialFolder = block.uint32(at: 8)
        case 0xA000_0006:
            blocks.append("darwin")
            darwin = doubleText(block)
        case 0xA000_0007:
            blocks.append("icon environment")
            environmentIcon = doubleText(block)
        case 0xA000_0008:
            blocks.append("shim")
            shim = wideText(block, at: 8)
        case 0xA000_0009:
            blocks.append("property store")
            properties = LinkProperty.store(block.suffix(from: 8))
        case 0xA000_000B:
            blocks.append("known folder")
            knownFolder = GUID(block, at: 8).map(shellFolderName)
        case 0xA000_000C:
            blocks.append("vista item ids")
            vistaItems = ShellItem.list(block.suffix(from: 8).prefix(Self.itemBytes))
        default:
            blocks.append("0x" + String(signature, radix: 16))
        }
    }

    // 260 bytes in the code page, then 260 UTF-16 units.
    private func doubleText(_ block: RawSpan) -> String? {
        if let wide = block.slice(at: 268, count: 520) {
            let found = String(utf16NullTerminated: wide)
            if !found.isEmpty { return found }
        }
        return text(block.prefix(268), at: 8).flatMap { $0.isEmpty ? nil : $0 }
    }
}
