import Pipeline

// Keys and values by name, for the artefacts that live at known paths. Names are compared without regard to ASCII
// case, as all names of these paths are ASCII.

extension Hive {
    /// The only root key; nil when it is lost.
    public var root: HiveKey? { roots.count == 1 ? roots.first : nil }

    /// The key at a path below the root, parts joined by `\`; the root for an empty path.
    public func key(at path: String) -> HiveKey? {
        guard let root else { return nil }
        return key(at: path, below: root)
    }

    /// The key at a path below another one.
    public func key(at path: String, below start: HiveKey) -> HiveKey? {
        var key = start
        for part in path.split(separator: "\\") {
            let name = Array(part.utf8)
            var found: HiveKey?
            eachSubkey(of: key) { subkey in
                if isNamed(subkey, name) { found = subkey }
                return found == nil
            }
            guard let next = found else { return nil }
            key = next
        }
        return key
    }

    /// Calls `body` for each subkey until it answers false.
    ///
    /// Never for more subkeys than the file can hold.
    public func eachSubkey<E: Error>(of key: HiveKey, _ body: (HiveKey) throws(E) -> Bool) throws(E) {
        guard key.subkeyCount > 0 else { return }
        let span = bytes.span
        var left = bytes.count / HiveKey.fixedSize
        var index = HiveList()
        _ = index.open(key.subkeyList, span)
        var leaf = HiveList()
        if !index.isIndex { swap(&index, &leaf) }
        while left > 0 {
            left -= 1
            if leaf.left > 0 {
                guard let reference = span.uint32(at: leaf.takeEntry()), let subkey = self.key(reference) else {
                    continue
                }
                if try !body(subkey) { return }
            } else if index.left > 0 {
                leaf = HiveList()
                guard let reference = span.uint32(at: index.takeEntry()) else { continue }
                _ = leaf.open(reference, span)
                if leaf.isIndex { leaf = HiveList() }
            } else {
                return
            }
        }
    }

    /// Calls `body` for each value that can be read until it answers false.
    public func eachValue<E: Error>(of key: HiveKey, _ body: (HiveValue) throws(E) -> Bool) throws(E) {
        guard let list = try? values(of: key) else { return }
        for index in 0..<list.count {
            guard let value = try? value(index, of: list) else { continue }
            if try !body(value) { return }
        }
    }

    /// The value of a key with the given name; the default value for an empty name.
    public func value(_ name: String, of key: HiveKey) -> HiveValue? {
        let wanted = Array(name.utf8)
        var found: HiveValue?
        eachValue(of: key) { value in
            if isNamed(value.nameOffset, value.nameCount, value.isNameCompressed, wanted) { found = value }
            return found == nil
        }
        return found
    }

    private func isNamed(_ key: HiveKey, _ name: [UInt8]) -> Bool {
        isNamed(key.nameOffset, key.nameCount, key.isNameCompressed, name)
    }

    private func isNamed(_ offset: Int, _ count: Int, _ compressed: Bool, _ name: [UInt8]) -> Bool {
        let width = compressed ? 1 : 2
        guard count == name.count * width else { return false }
        let span = bytes.span
        for (index, wanted) in name.enumerated() {
            let place = offset &+ index &* width
            let unit = compressed ? span.uint8(at: place).map(UInt16.init) : span.uint16(at: place)
            guard let unit, unit < 0x80, lowercase(UInt8(unit)) == lowercase(wanted) else { return false }
        }
        return true
    }

    // MARK: Values as what they mean

    /// A string value up to its first NUL; nil for other types or missing data.
    public func text(_ name: String, of key: HiveKey) -> String? {
        value(name, of: key).flatMap { text(of: $0) }
    }

    /// The text of a string value up to its first NUL; nil for other types or missing data.
    public func text(of value: HiveValue) -> String? {
        guard value.type == ValueType.string || value.type == ValueType.expandString || value.type == ValueType.multi
        else { return nil }
        return bytes(of: value).map { String(utf16NullTerminated: $0.rawSpan) }
    }

    /// A number (`REG_DWORD`, `REG_QWORD`, or their bytes in a binary value); nil when it is none.
    public func number(_ name: String, of key: HiveKey) -> UInt64? {
        guard let value = value(name, of: key), value.size <= 8, let data = bytes(of: value) else { return nil }
        switch (value.type, data.count) {
        case (ValueType.bigEndian, 4): return data.rawSpan.bigEndianUInt32(at: 0).map(UInt64.init)
        case (ValueType.dword, 4), (ValueType.binary, 4): return data.rawSpan.uint32(at: 0).map(UInt64.init)
        case (ValueType.qword, 8), (ValueType.binary, 8): return data.rawSpan.uint64(at: 0)
        default: return nil
        }
    }
}

/// Type numbers of registry values.
public enum ValueType {
    /// `REG_SZ`.
    public static let string: UInt32 = 1
    /// `REG_EXPAND_SZ`.
    public static let expandString: UInt32 = 2
    /// `REG_BINARY`.
    public static let binary: UInt32 = 3
    /// `REG_DWORD`.
    public static let dword: UInt32 = 4
    /// `REG_DWORD_BIG_ENDIAN`.
    public static let bigEndian: UInt32 = 5
    /// `REG_LINK`.
    public static let link: UInt32 = 6
    /// `REG_MULTI_SZ`.
    public static let multi: UInt32 = 7
    /// `REG_QWORD`.
    public static let qword: UInt32 = 11
}

@inline(__always)
func lowercase(_ byte: UInt8) -> UInt8 { byte >= 0x41 && byte <= 0x5A ? byte | 0x20 : byte }
