import Pipeline

// Passwords of TeamViewer up to version 14: AES-128-CBC with one key and vector for all installations, published with
// CVE-2019-18988. The first three characters are shown, so that the owner knows which one it is.

/// Passwords of TeamViewer in a SOFTWARE or a user's hive.
struct TeamViewerPassword: Equatable {
    /// Name of the value.
    var name: String
    /// The password.
    var password: String
    /// Position of the value in the hive, in bytes.
    var offset: Int

    // What `OptionsPasswordAES` and its sisters are encrypted with.
    private static let key: [UInt8] = [
        0x06, 0x02, 0x00, 0x00, 0x00, 0xA4, 0x00, 0x00, 0x52, 0x53, 0x41, 0x31, 0x00, 0x04, 0x00, 0x00,
    ]
    private static let vector: [UInt8] = [
        0x01, 0x00, 0x01, 0x00, 0x67, 0x24, 0x4F, 0x43, 0x6E, 0x67, 0x62, 0xF2, 0x5E, 0xA8, 0xD7, 0x04,
    ]

    /// Decrypts a stored password; nil when the data is not one.
    static func decrypt(_ data: [UInt8]) -> String? {
        guard !data.isEmpty, data.count <= 4096, let plain = AESBlock(key: key)?.decryptCBC(data, vector: vector) else {
            return nil
        }
        let text = String(utf16NullTerminated: plain.rawSpan)
        return text.isEmpty || text.unicodeScalars.contains("\u{FFFD}") ? nil : text
    }

    /// The form that is shown.
    var masked: String { maskedSecret(password) }
}

extension Hive {
    private static let teamViewerKeys = [
        "TeamViewer", "Wow6432Node\\TeamViewer", "Software\\TeamViewer", "Software\\Wow6432Node\\TeamViewer",
    ]
    private static let teamViewerNames: Set<String> = [
        "OptionsPasswordAES", "SecurityPasswordAES", "SecurityPasswordExported", "ServerPasswordAES",
        "ProxyPasswordAES", "LicenseKeyAES",
    ]

    /// Calls `body` for each password that TeamViewer has stored.
    func eachTeamViewerPassword<E: Error>(_ body: (TeamViewerPassword) throws(E) -> Void) throws(E) {
        for path in Self.teamViewerKeys {
            guard let top = key(at: path) else { continue }
            try passwords(of: top, body)
            // Older versions have a key each.
            try eachSubkey(of: top) { key throws(E) in
                try passwords(of: key, body)
                return true
            }
        }
    }

    private func passwords<E: Error>(
        of key: HiveKey, _ body: (TeamViewerPassword) throws(E) -> Void
    ) throws(E) {
        try eachValue(of: key) { value throws(E) in
            let name = name(of: value)
            guard Self.teamViewerNames.contains(name), let data = bytes(of: value, limit: 4096),
                let password = TeamViewerPassword.decrypt(data)
            else { return true }
            try body(TeamViewerPassword(name: name, password: password, offset: value.offset))
            return true
        }
    }
}

/// Emits passwords of TeamViewer as records.
enum TeamViewerRecords {
    static let type = RecordType("TeamViewer password", module: "RegistryChecks")

    static func emit(_ hive: Hive, _ out: inout Output) throws(StageError) {
        try hive.eachTeamViewerPassword { found throws(StageError) in
            try out.emit(type, offset: found.offset) { builder in
                builder.field("password", found.masked)
                builder.field("name", found.name)
                HiveHeuristics.password(found.name, type, &builder)
            }
        }
    }
}
