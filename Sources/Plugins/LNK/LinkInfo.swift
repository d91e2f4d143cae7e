import Pipeline

// Where the target of a link was found: volume and path, or network share. Source: MS-SHLLINK 2.3.

/// Place of a link's target.
public struct LinkInfo: Sendable {
    /// Type of the drive as in GetDriveType: 2 removable, 3 fixed, 4 remote, 5 optical, 6 memory.
    public private(set) var driveType: UInt32?
    /// Serial number of the volume.
    public private(set) var volumeSerial: UInt32?
    /// Label of the volume.
    public private(set) var volumeLabel: String?
    /// Path on the volume.
    public private(set) var localBasePath: String?
    /// What is appended to either path.
    public private(set) var commonPathSuffix: String?
    /// Share, as in `\\server\share`.
    public private(set) var networkName: String?
    /// Drive letter that the share was connected to.
    public private(set) var deviceName: String?

    // Reads a link info structure; parts that do not lie inside are left out.
    init(_ span: RawSpan) {
        guard let headerSize = span.uint32(at: 4), let flags = span.uint32(at: 8) else { return }
        func offset(_ position: Int) -> Int? { span.uint32(at: position).map(Int.init).flatMap { $0 == 0 ? nil : $0 } }
        let hasUnicode = headerSize >= 0x24
        if flags & 1 != 0 {
            if let start = offset(12) { readVolume(span.suffix(from: start)) }
            localBasePath =
                (hasUnicode ? offset(28) : nil).flatMap { wideText(span, at: $0) }
                ?? offset(16).flatMap { text(span, at: $0) }
        }
        if flags & 2 != 0, let start = offset(20) { readShare(span.suffix(from: start)) }
        commonPathSuffix =
            (hasUnicode ? offset(32) : nil).flatMap { wideText(span, at: $0) }
            ?? offset(24).flatMap { text(span, at: $0) }
    }

    /// The whole path, nil if neither volume nor share is known.
    public var path: String? {
        let suffix = commonPathSuffix ?? ""
        if let base = localBasePath, !base.isEmpty { return joined(base, suffix) }
        if let base = networkName, !base.isEmpty { return joined(base, suffix) }
        return nil
    }

    /// Name of the drive's type, nil if unknown.
    public var driveTypeName: String? {
        switch driveType {
        case 1: "no root directory"
        case 2: "removable"
        case 3: "fixed"
        case 4: "remote"
        case 5: "optical"
        case 6: "memory"
        default: nil
        }
    }

    private func joined(_ base: String, _ suffix: String) -> String {
        if suffix.isEmpty || base.utf8.last == 0x5C { return base + suffix }
        return base + "\\" + suffix
    }

    private mutating func readVolume(_ span: RawSpan) {
        driveType = span.uint32(at: 4)
        volumeSerial = span.uint32(at: 8)
        guard let label = span.uint32(at: 12) else { return }
        if label == 0x14, let wide = span.uint32(at: 16) {
            volumeLabel = wideText(span, at: Int(wide))
        } else {
            volumeLabel = text(span, at: Int(label))
        }
    }

    private mutating func readShare(_ span: RawSpan) {
        guard let name = span.uint32(at: 8).map(Int.init), let device = span.uint32(at: 12).map(Int.init)
        else { return }
        let hasUnicode = name > 0x14
        networkName =
            (hasUnicode ? span.uint32(at: 20) : nil).flatMap { wideText(span, at: Int($0)) }
            ?? text(span, at: name)
        if device != 0 {
            deviceName =
                (hasUnicode ? span.uint32(at: 24) : nil).flatMap { wideText(span, at: Int($0)) }
                ?? text(span, at: device)
        }
    }
}

/// NUL-terminated text in the system's code page; nil if `offset` lies outside.
///
/// The code page is not told: text that is not UTF-8 is read as Latin-1.
func text(_ span: RawSpan, at offset: Int) -> String? {
    guard offset >= 0, offset < span.byteCount else { return nil }
    let rest = span.suffix(from: offset)
    return String(lossy: rest.prefix(rest.firstOffset(of: 0 as UInt8) ?? rest.byteCount))
}

/// NUL-terminated UTF-16 text; nil if `offset` lies outside or there is no text.
func wideText(_ span: RawSpan, at offset: Int) -> String? {
    guard offset > 0, offset < span.byteCount else { return nil }
    let found = String(utf16NullTerminated: span.suffix(from: offset))
    return found.isEmpty ? nil : found
}
