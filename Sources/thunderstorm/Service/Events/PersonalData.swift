import Pipeline

// Replaces what names a person: values of fields that hold users or owners, and the name in paths of home folders
// (`C:\Users\NAME\`, `C:\Documents and Settings\NAME\`, `/home/NAME/`, `/Users/NAME/`).

enum PersonalData {
    static let replacement = "ANONYMIZED"

    private static let folders = ["users", "documents and settings", "home"]
    // Accounts that every system has name nobody.
    private static let common: Set<String> = [
        "public", "default", "default user", "all users", "shared", "system", "localservice", "networkservice", "root",
    ]
    private static let userKeys: Set<String> = [
        "user", "owner", "username", "user_name", "subjectusername", "targetusername", "authenticated_user_name",
        "sourceuser", "targetuser", "parentuser", "accountname",
    ]

    /// The finding without names of persons.
    static func hidden(in finding: Finding) -> Finding {
        var finding = finding
        switch finding.subject {
        case .file(let file): finding.subject = .file(hidden(in: file))
        case .record(var record):
            record.fields = record.fields.map { field in
                let isUser = userKeys.contains(field.key.lowercased())
                return RecordSubject.Field(key: field.key, value: isUser ? replacement : hidden(in: field.value))
            }
            finding.subject = .record(record)
        case .chunk(var chunk):
            chunk.file = hidden(in: chunk.file)
            finding.subject = .chunk(chunk)
        }
        finding.context = finding.context.map { element in
            var element = element
            element.file = hidden(in: element.file)
            return element
        }
        finding.reasons = finding.reasons.map { reason in
            var reason = reason
            reason.summary = hidden(in: reason.summary)
            reason.matched = reason.matched.map { match in
                var match = match
                let isUser = match.field.map { userKeys.contains($0.split(separator: "/").last?.lowercased() ?? "") }
                match.data = isUser == true ? Array(replacement.utf8) : hidden(in: match.data)
                match.context = isUser == true ? [] : hidden(in: match.context)
                if let module = match.place?.module { match.place?.module = hidden(in: module) }
                return match
            }
            return reason
        }
        finding.issues = finding.issues.map {
            Issue($0.code, stage: $0.stage, message: hidden(in: $0.message), offset: $0.offset)
        }
        return finding
    }

    // Its first bytes are shown, too, and may be a path.
    private static func hidden(in file: FileSubject) -> FileSubject {
        var file = file
        file.path = hidden(in: file.path)
        file.firstBytes = hidden(in: file.firstBytes)
        return file
    }

    /// The text with the names of home folders replaced.
    static func hidden(in text: String) -> String {
        let bytes = Array(text.utf8)
        let changed = hidden(in: bytes)
        return changed == bytes ? text : String(decoding: changed, as: UTF8.self)
    }

    private static func hidden(in bytes: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        var copied = 0
        var index = 0
        while index < bytes.count {
            guard isSeparator(bytes[index]), let name = nameRange(in: bytes, after: index) else {
                index += 1
                continue
            }
            let isCommon = common.contains(String(decoding: bytes[name], as: UTF8.self).lowercased())
            if !isCommon {
                result += bytes[copied..<name.lowerBound]
                result += replacement.utf8
                copied = name.upperBound
            }
            index = name.upperBound
        }
        return copied == 0 ? bytes : result + bytes[copied...]
    }

    // The name behind `\Users\` or the like, whose first separator stands at `start`.
    private static func nameRange(in bytes: [UInt8], after start: Int) -> Range<Int>? {
        for folder in folders {
            let end = start + 1 + folder.utf8.count
            guard end < bytes.count, isSeparator(bytes[end]),
                zip(bytes[(start + 1)..<end], folder.utf8).allSatisfy({ $0 == $1 || $0 | 0x20 == $1 })
            else { continue }
            // A doubled separator, as in an escaped path, is one.
            var first = end + 1
            while first < bytes.count, isSeparator(bytes[first]) { first += 1 }
            let last = bytes[first...].firstIndex { isSeparator($0) || $0 == 0x22 || $0 < 0x20 } ?? bytes.count
            return first < last ? first..<last : nil
        }
        return nil
    }

    private static func isSeparator(_ byte: UInt8) -> Bool { byte == 0x2F || byte == 0x5C }
}
