import Pipeline

// What the published definitions of jsonlog v3 say about records (REFERENCE B.5): the fields of each type, and how each
// is written. Readers made from those definitions refuse an object with a field of another kind, and in their strict
// mode one with a field more. docs/events.md lists where our records hold more than these.

/// How JSON events are formed.
public enum JSONForm: String, Sendable, CaseIterable {
    /// `THOR finding`, matched text as text, records with all of their fields: as the published examples of the API.
    case finding
    /// `THOR assessment`, matched text with its encoding, records with the published fields only and the others in
    /// `details`: as current readers want it.
    case assessment
}

/// How a published field is written.
enum PublishedField {
    /// A text or a time; several values are joined.
    case text
    /// A whole number.
    case number
    /// A whole number that records have as hexadecimal digits.
    case hexadecimal
    /// true or false.
    case flag
    /// A list of texts.
    case texts
    /// An object of type `file` of which only the path is known.
    case file
}

enum PublishedTypes {
    /// Fields of the record types that jsonlog v3 knows; nil for types of ours.
    static func fields(of type: RecordType) -> [String: PublishedField]? { known[type.name] }

    /// Name of a field in JSON: `type` is taken by the type of the object.
    static func key(_ name: String, of type: RecordType) -> String {
        name == "type" && type.container == nil ? "subtype" : name
    }

    /// Where a field of a record stands in its JSON, nil if it does not stand there in this form.
    static func pointer(_ field: String, of type: RecordType, _ form: JSONForm) -> String? {
        guard type.container == nil, field.hasPrefix("/") else { return field }
        let name = String(field.dropFirst())
        let kind = fields(of: type)?[name]
        if form == .assessment, kind == nil { return nil }
        if kind == .file { return field + "/path" }
        return "/" + key(name, of: type)
    }

    private static func texts(_ names: String...) -> [String: PublishedField] {
        Dictionary(uniqueKeysWithValues: names.map { ($0, .text) })
    }

    private static let known: [String: [String: PublishedField]] = [
        "AmCache entry": texts("sha1", "desc", "first_run", "created", "product", "company")
            .and(.file, "file").and(.number, "size"),
        "at job": texts("command"),
        "authorized_keys entry": texts("key_type", "key", "comment", "line"),
        "autorun entry": texts("autorun_type", "location", "arguments", "entry", "launch_string", "old_md5")
            .and(.file, "image"),
        "cron job": texts("user", "schedule", "command"),
        "environment variable": texts("variable", "value"),
        "groups.xml user": texts("user", "password"),
        "hosts file entry": texts("host", "ip"),
        "jump list entry": texts(
            "path", "last_access", "netbios_name", "object_id", "volume_id", "birth_volume_id"
        ).and(.number, "access_count", "entry_id").and(.hexadecimal, "checksum").and(.flag, "pinned"),
        "log line": texts("line").and(.number, "line_index"),
        "MS Office connection cache entry": texts("entry", "modified", "key"),
        "PowerShell module analysis cache module entry": texts("path", "command"),
        "prefetch info": ["executable": .file, "execution_count": .number]
            .and(.texts, "execution_times", "accessed_files"),
        "registered debugger": texts("executable", "debugger"),
        "registry key": texts("key", "modified", "values"),
        "registry scheduled task": texts(
            "guid", "path", "created", "last_run", "last_stopped", "status", "last_result"
        ),
        "registry value": texts("key", "modified", "value").and(.number, "size"),
        "scheduled task": texts("name", "path", "user", "logon_type", "run_level", "last_run", "next_run")
            .and(.texts, "commands", "com_handlers", "triggers", "privileges").and(.flag, "enabled"),
        "shellbag entry": texts("path", "name", "date_access"),
        "shim cache": [:].and(.number, "entries", "last_known_entries"),
        "shim cache entry": texts("timestamp", "path").and(.flag, "exec_flag"),
        "TeamViewer password": texts("password", "name"),
        "Tomcat user": texts("user"),
        "Windows service": texts(
            "key", "key_name", "service_name", "modified", "start_type", "service_type", "user", "description",
            "failure_command"
        ).and(.file, "image"),
    ]
}

extension [String: PublishedField] {
    fileprivate func and(_ kind: PublishedField, _ names: String...) -> Self {
        merging(names.map { ($0, kind) }) { first, _ in first }
    }
}
