import Pipeline

// Servers that Office documents have been loaded from or have loaded from: the subkeys of `Server Cache` in a user's
// hive, one for each address. A document that fetches a template or an object leaves its server here.

/// Emits the connection cache of Office as records.
enum OfficeConnectionRecords {
    static let type = RecordType("MS Office connection cache entry", module: "RegistryHive")

    static func emit(_ hive: Hive, _ identity: HiveIdentity, _ out: inout Output) throws(StageError) {
        let office = "Software\\Microsoft\\Office"
        guard let versions = hive.key(at: office) else { return }
        try hive.eachSubkey(of: versions) { version throws(StageError) in
            let path = "Common\\Internet\\Server Cache"
            guard let cache = hive.key(at: path, below: version) else { return true }
            let key = identity.livePath + "\\\(office)\\\(hive.name(of: version))\\\(path)"
            try hive.eachSubkey(of: cache) { server throws(StageError) in
                try out.emit(type, offset: server.offset) { builder in
                    builder.field("entry", hive.name(of: server))
                    builder.field("modified", server.lastWritten)
                    builder.field("key", key)
                }
                return true
            }
            return true
        }
    }
}
