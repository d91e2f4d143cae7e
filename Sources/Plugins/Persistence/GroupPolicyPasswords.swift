public import Pipeline

// Passwords in group policy preferences: the attribute `cpassword` of Groups.xml and its sisters, AES-256-CBC with a
// key that Microsoft published (MS-GPPREF 2.2.1.1.4), in Base64 without its padding. Emits each as one record
// `groups.xml user`: user, password (the first three characters), file_time of its element.

/// An account with its password in group policy preferences.
struct GroupPolicyPassword: Equatable {
    var user: String
    /// Nil when the text does not decrypt.
    var password: String?
    /// When the entry was changed, as it is written.
    var changed: String?

    private static let key: [UInt8] = [
        0x4E, 0x99, 0x06, 0xE8, 0xFC, 0xB6, 0x6C, 0xC9, 0xFA, 0xF4, 0x93, 0x10, 0x62, 0x0F, 0xFE, 0xE8,
        0xF4, 0x96, 0xE8, 0x06, 0xCC, 0x05, 0x79, 0x90, 0x20, 0x9B, 0x09, 0xA4, 0x33, 0xB6, 0x6C, 0x1B,
    ]

    /// All of a document, in its order.
    static func all(in root: XMLElement) -> [GroupPolicyPassword] {
        var found: [GroupPolicyPassword] = []
        collect(root, changed: nil, into: &found)
        return found
    }

    // The time stands at the element around the properties.
    private static func collect(_ element: XMLElement, changed: String?, into found: inout [GroupPolicyPassword]) {
        let changed = element.attribute("changed") ?? changed
        if let secret = element.attribute("cpassword"), !secret.isEmpty {
            let user = element.attribute("newName").flatMap { $0.isEmpty ? nil : $0 }
            found.append(
                GroupPolicyPassword(
                    user: user ?? element.attribute("userName", "runAs", "accountName", "username") ?? "",
                    password: decrypt(secret), changed: changed))
        }
        for child in element.children { collect(child, changed: changed, into: &found) }
    }

    /// Decrypts a password; nil when it is not one.
    static func decrypt(_ text: String) -> String? {
        guard let data = decodedBase64(text), !data.isEmpty, data.count <= 4096,
            var plain = AESBlock(key: key)?.decryptCBC(data, vector: [UInt8](repeating: 0, count: 16)),
            let padding = plain.last, (1...16).contains(padding),
            plain.suffix(Int(padding)).allSatisfy({ $0 == padding })
        else { return nil }
        plain.removeLast(Int(padding))
        let password = String(utf16NullTerminated: plain.rawSpan)
        return password.unicodeScalars.contains("\u{FFFD}") ? nil : password
    }
}

/// Bytes of a Base64 text, with or without padding; nil for other characters.
func decodedBase64(_ text: String) -> [UInt8]? {
    var bytes: [UInt8] = []
    var bits: UInt32 = 0
    var count = 0
    for byte in text.utf8 {
        let value: UInt8
        switch byte {
        case 0x41...0x5A: value = byte - 0x41
        case 0x61...0x7A: value = byte - 0x61 + 26
        case 0x30...0x39: value = byte - 0x30 + 52
        case 0x2B: value = 62
        case 0x2F: value = 63
        case 0x3D, 0x20, 0x09, 0x0A, 0x0D: continue
        default: return nil
        }
        bits = bits << 6 | UInt32(value)
        count += 6
        if count >= 8 {
            count -= 8
            bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
        }
    }
    return bytes
}

/// Reads passwords in group policy preferences.
public struct GroupsXMLStage: Stage {
    static let password = Heuristic(
        "GroupsXMLPassword", score: 75, "Found decryptable password in Groups.xml", tags: ["T1552.006"],
        falsePositives: ["Passwords that were changed since"])

    /// What it is, as data.
    public static let descriptor = StageDescriptor(
        name: "groups-xml", summary: "Reads passwords in group policy preferences: Groups.xml and its sisters.",
        interest: .kinds("XML"), module: "GroupsXML", heuristics: [password],
        references: ["https://learn.microsoft.com/openspecs/windows_protocols/ms-gppref (section 2.2.1.1.4)"],
        limitations: ["Of a password the first three characters are shown, of the others their number."])

    /// Type of the records.
    public static let recordType = RecordType("groups.xml user", module: "GroupsXML")

    /// Builds the stage.
    public init(options: NoOptions = NoOptions(), environment: StageEnvironment = StageEnvironment()) {}

    /// Reads one document, if it has a password.
    public func inspect(_ sample: Sample, _ state: inout NoState, _ out: inout Output) throws(StageError) {
        try out.checkpoint()
        let span = sample.bytes.span
        guard let start = span.firstOffset(of: Self.mark) ?? span.firstOffset(of: Self.wideMark) else { return }
        let tree = try XMLTree(sample, &out)
        for entry in GroupPolicyPassword.all(in: tree.root) {
            try out.emit(Self.recordType, offset: start) { builder in
                builder.field("user", entry.user)
                builder.field("password", entry.password.map { maskedSecret($0) })
                builder.field("changed", entry.changed)
                guard entry.password != nil else { return }
                builder.report(Self.password.reason(entry.user, at: Self.recordType.pointer(to: "user")))
            }
        }
    }

    private static let mark = Array("cpassword".utf8)
    private static let wideMark = mark.flatMap { [$0, 0] as [UInt8] }
}
