import PatternMatching
import Pipeline

// Conditions of STIX patterns made ready for evaluation on files and registry values. Names and paths are compared
// in any case and with either separator, as Windows does; MATCHES is as its author wrote it.

/// A property that can be tested.
enum STIXProperty: Sendable, Hashable {
    case fileName
    case fileParent
    case fileMD5
    case fileSHA1
    case fileSHA256
    case fileSize
    case fileCreated
    case fileModified
    case fileAccessed
    case registryKey
    case registryName
    case registryData
    case registryModified

    init?(path: String) {
        let path = path.lowercased()
        switch path {
        case "file:name": self = .fileName
        case "file:parent_directory_ref.path": self = .fileParent
        case "file:size": self = .fileSize
        case "file:created", "file:ctime": self = .fileCreated
        case "file:modified", "file:mtime": self = .fileModified
        case "file:accessed", "file:atime": self = .fileAccessed
        case "win-registry-key:key": self = .registryKey
        case "win-registry-key:values.name": self = .registryName
        case "win-registry-key:values.data": self = .registryData
        case "win-registry-key:values.modified_time", "win-registry-key:modified_time": self = .registryModified
        case "file:hashes.md5", "file:hashes.md-5": self = .fileMD5
        case "file:hashes.sha1", "file:hashes.sha-1": self = .fileSHA1
        case "file:hashes.sha256", "file:hashes.sha-256": self = .fileSHA256
        default: return nil
        }
    }

    var isOrdered: Bool { self == .fileSize || isTime }

    var isTime: Bool {
        switch self {
        case .fileCreated, .fileModified, .fileAccessed, .registryModified: true
        default: false
        }
    }

    var isHash: Bool { self == .fileMD5 || self == .fileSHA1 || self == .fileSHA256 }

    var isPath: Bool { self == .fileParent || self == .registryKey }

    var isRegistry: Bool {
        switch self {
        case .registryKey, .registryName, .registryData, .registryModified: true
        default: false
        }
    }
}

/// Something whose properties can be tested.
protocol STIXObject {
    /// The property as text, nil if not known. Times are RFC 3339 in UTC.
    func text(of property: STIXProperty) -> String?
    /// JSON pointer of the property.
    func pointer(to property: STIXProperty) -> String
}

/// A condition that is ready for evaluation.
indirect enum STIXProgram: Sendable {
    case all([STIXProgram])
    case any([STIXProgram])
    case test(STIXProperty, STIXPredicate, isNegated: Bool)

    init(_ condition: STIXCondition) throws(STIXPatternError) {
        switch condition {
        case .all(let parts): self = .all(try Self.programs(parts))
        case .any(let parts): self = .any(try Self.programs(parts))
        case .test(let test):
            guard let property = STIXProperty(path: test.path) else {
                throw STIXPatternError("the property '\(test.path)' is not supported")
            }
            let negates = test.isNegated != (test.comparison == .notEqual)
            self = .test(property, try STIXPredicate(test, property), isNegated: negates)
        }
    }

    private static func programs(_ parts: [STIXCondition]) throws(STIXPatternError) -> [STIXProgram] {
        var programs: [STIXProgram] = []
        for part in parts { programs.append(try STIXProgram(part)) }
        return programs
    }

    /// Whether an object fulfils the condition; what it was fulfilled by is added to `matched`.
    func holds(for object: some STIXObject, _ matched: inout [MatchedText]) -> Bool {
        switch self {
        case .all(let parts):
            let before = matched.count
            for part in parts where !part.holds(for: object, &matched) {
                matched.removeLast(matched.count - before)
                return false
            }
            return true
        case .any(let parts):
            for part in parts where part.holds(for: object, &matched) { return true }
            return false
        case .test(let property, let predicate, let isNegated):
            // What is not known is neither equal nor unequal to anything.
            guard let text = object.text(of: property), predicate.holds(for: text, property) != isNegated else {
                return false
            }
            matched.append(MatchedText(text, field: object.pointer(to: property)))
            return true
        }
    }

    /// The alternatives of which one has to hold.
    var alternatives: [STIXProgram] {
        if case .any(let parts) = self { return parts.flatMap(\.alternatives) }
        return [self]
    }

    /// Whether any test is about the registry, or any about files.
    func mentions(registry: Bool) -> Bool {
        switch self {
        case .all(let parts), .any(let parts): parts.contains { $0.mentions(registry: registry) }
        case .test(let property, _, _): property.isRegistry == registry
        }
    }
}

/// What a property's text is compared with.
enum STIXPredicate: Sendable {
    case oneOf(Set<String>)
    case regex(ExactRegex)
    case number(STIXTest.Comparison, Int)
    case time(STIXTest.Comparison, String)

    init(_ test: STIXTest, _ property: STIXProperty) throws(STIXPatternError) {
        let value = test.values.first ?? ""
        switch test.comparison {
        case .like, .matches:
            guard !property.isOrdered, !property.isHash else {
                throw STIXPatternError("\(test.comparison.rawValue) has no meaning for '\(test.path)'")
            }
            let isLike = test.comparison == .like
            do {
                self = .regex(
                    try ExactRegex(
                        isLike ? Self.regex(forLike: normalised(value, property)) : Array(value.utf8),
                        flags: isLike ? [.caseless, .utf8, .dotAll] : [.utf8]))
            } catch {
                throw STIXPatternError("the expression '\(value.prefix(80))' is refused: \(error)")
            }
        case .equal, .notEqual, .oneOf:
            if property == .fileSize || property.isTime {
                guard test.comparison != .oneOf else {
                    throw STIXPatternError("IN has no meaning for '\(test.path)'")
                }
                self = try Self.ordered(.equal, value, property)
            } else {
                self = .oneOf(Set(test.values.map { normalised($0, property) }))
            }
        case .less, .lessOrEqual, .greater, .greaterOrEqual:
            guard property.isOrdered else {
                throw STIXPatternError("\(test.comparison.rawValue) has no meaning for '\(test.path)'")
            }
            self = try Self.ordered(test.comparison, value, property)
        }
    }

    private static func ordered(
        _ comparison: STIXTest.Comparison, _ value: String, _ property: STIXProperty
    ) throws(STIXPatternError) -> STIXPredicate {
        if property.isTime {
            guard let time = comparableTime(value) else {
                throw STIXPatternError("'\(value)' is no time; write t'2026-01-02T03:04:05Z'")
            }
            return .time(comparison, time)
        }
        guard let number = Int(value) else { throw STIXPatternError("'\(value)' is no whole number") }
        return .number(comparison, number)
    }

    // `%` any characters, `_` one character, everything else as it is; the whole value.
    private static func regex(forLike text: String) -> [UInt8] {
        var regex = Array("\\A".utf8)
        for byte in text.utf8 {
            switch byte {
            case 0x25: regex += [0x2E, 0x2A]
            case 0x5F: regex += [0x2E]
            default: regex += escapedForRegex([byte])
            }
        }
        return regex + Array("\\z".utf8)
    }

    func holds(for text: String, _ property: STIXProperty) -> Bool {
        switch self {
        case .oneOf(let values):
            let text = normalised(text, property)
            return values.contains(text) || (property == .registryKey && values.contains { isTail(text, of: $0) })
        case .regex(let regex):
            let bytes = Array(text.utf8)
            if (try? regex.matches(bytes.rawSpan)) == true { return true }
            let other = Array(normalised(text, property).utf8)
            return property.isPath && (try? regex.matches(other.rawSpan)) == true
        case .number(let comparison, let number):
            return Int(text).map { Self.compare($0, comparison, number) } ?? false
        case .time(let comparison, let time):
            return comparableTime(text).map { Self.compare($0, comparison, time) } ?? false
        }
    }

    // A hive knows its keys from its own root on: `\Microsoft\Windows` for `HKLM\SOFTWARE\Microsoft\Windows`.
    private func isTail(_ key: String, of whole: String) -> Bool {
        key.contains("\\") && whole.hasSuffix("\\" + key)
    }

    private static func compare<T: Comparable>(_ left: T, _ comparison: STIXTest.Comparison, _ right: T) -> Bool {
        switch comparison {
        case .less: left < right
        case .lessOrEqual: left <= right
        case .greater: left > right
        case .greaterOrEqual: left >= right
        default: left == right
        }
    }
}

/// The form in which texts of a property are equal: lower case; of paths, one separator, none at the end, and no
/// name of a registry root.
func normalised(_ text: String, _ property: STIXProperty) -> String {
    var lower = text.lowercased()
    guard property.isPath else { return lower }
    lower = String(lower.map { $0 == "/" ? "\\" : $0 })
    while lower.hasSuffix("\\") { lower.removeLast() }
    guard property == .registryKey else { return lower }
    for root in registryRoots where lower.hasPrefix(root + "\\") {
        lower = String(lower.dropFirst(root.count))
        break
    }
    return lower.hasPrefix("\\") ? String(lower.dropFirst()) : lower
}

private let registryRoots = [
    "hkey_local_machine", "hklm", "hkey_current_user", "hkcu", "hkey_users", "hku", "hkey_classes_root", "hkcr",
    "hkey_current_config", "hkcc", "\\registry\\machine", "\\registry\\user",
]

// A UTC time so that texts compare as times do: to the second, without a zone. Only UTC is read.
private func comparableTime(_ text: String) -> String? {
    let bytes = Array(text.utf8.prefix(19))
    guard bytes.count == 19, text.utf8.count == 19 || text.utf8.last == 0x5A else { return nil }
    for (index, byte) in bytes.enumerated() {
        switch index {
        case 4, 7: if byte != 0x2D { return nil }
        case 10: if byte != 0x54 && byte != 0x20 { return nil }
        case 13, 16: if byte != 0x3A { return nil }
        default: if !(0x30...0x39).contains(byte) { return nil }
        }
    }
    return String(decoding: bytes[..<10] + [0x54] + bytes[11...], as: UTF8.self)
}
