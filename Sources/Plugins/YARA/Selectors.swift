import Pipeline

// Tags by which a YARA rule says what a file is (REFERENCE C.8), and the types they stand for. The stages that read a
// type are chosen by it, whoever found it.

enum Selectors {
    /// Meta key that names any type, also one that only a user's own stage reads.
    static let meta = "selects"

    /// Types by tag.
    static let kinds: [String: FileKind] = [
        "AMCACHE": "Registry Hive", "ATJOBS": "Windows At Job", "AUDITLOG": "Auditd Log",
        "AUTHORIZEDKEYS": "Authorized Keys", "BZIP2COMPRESSEDFILE": "BZIP2", "CABARCHIVE": "CAB", "CHM": "CHM",
        "CHROMEHISTORY": "SQLite", "DUMPSCAN": "Memory Image", "EMAILFILE": "EMAIL", "ESEDB": "ESE Database",
        "ETL": "ETL", "EVTX": "EVTX", "FIREFOXHISTORY": "SQLite", "GROUPSXML": "XML", "GZIPCOMPRESSEDFILE": "GZIP",
        "ICS": "ICS", "JOURNALD": "Journald", "JUMPLIST": "Jump List", "LNK": "LNK", "LOGSCAN": "Log",
        "MFT": "NTFS MFT", "OLE": "OLE", "PREFETCHFILE": "Prefetch", "PSMODULECACHE": "PowerShell Module Cache",
        "QUARANTINEDB": "SQLite", "RARARCHIVE": "RAR", "REGISTRYHIVE": "Registry Hive", "SDB": "SDB",
        "SEVENZIPARCHIVE": "7ZIP", "SQLITEDB": "SQLite", "SYSTEMCRONTAB": "System Crontab", "TARARCHIVE": "TAR",
        "TARBZ2ARCHIVE": "BZIP2", "TARGZARCHIVE": "GZIP", "TOMCATUSERS": "XML", "USERCRONTAB": "User Crontab",
        "WER": "WER", "ZIPARCHIVE": "ZIP",
    ].mapValues { FileKind($0) }

    /// Types that say little: a tag may give a file of such a type another one.
    ///
    /// Rules of others have these tags, too, as words for what they detect: a disk image in which a rule tagged LNK finds
    /// something is unpacked all the same.
    static let uncertainKinds: Set<FileKind> = Set(
        ["UNKNOWN", "Text", "CSV", "Log", "INI", "JSON", "YAML", "XML", "SQL", "Script", "Memory Image"].map {
            FileKind($0)
        })

    /// Rules of the files that select a type, with the rules they need and without all others.
    static func rules(in files: [SignatureFile]) -> YARARules {
        let named = YARARules(compiling: files.map(YARASource.init).filter(\.mayHaveSelectors), splitLimit: .max)
        guard named.rules.contains(where: { $0.isSelector }) else { return YARARules(compiling: []) }
        let sources = Dictionary(uniqueKeysWithValues: files.map { ($0.path, YARASource($0)) })
        let thinned = named.sources.enumerated().compactMap { number, name -> YARASource? in
            let rules = named.rules.filter { $0.source == number }
            let selecting = Set(rules.filter { $0.isSelector }.map(\.signature.ruleName))
            guard !selecting.isEmpty, let source = sources[name] else { return nil }
            let selection = RuleSelection(source, compiled: rules.map(\.signature.ruleName))
            return selection?.source(keeping: selecting) ?? source
        }
        return YARARules(compiling: thinned, splitLimit: .max)
    }
}

extension YARARule {
    fileprivate var isSelector: Bool { !taggedKinds.isEmpty || !namedKinds.isEmpty }

    /// Types that a match gives a file that was recognised as `kind`.
    func selections(for kind: FileKind) -> [FileKind] {
        namedKinds + (Selectors.uncertainKinds.contains(kind) ? taggedKinds : [])
    }
}

extension YARASource {
    // A tag or the meta key stands somewhere in the text: the compiled rules tell whether it is one.
    fileprivate var mayHaveSelectors: Bool {
        let tokens = Tokens(text)
        for token in tokens where token.kind == .word && token.end - token.start <= 24 {
            let word = String(decoding: text[token.start..<token.end], as: UTF8.self)
            if word == Selectors.meta || Selectors.kinds[word] != nil { return true }
        }
        return false
    }
}
