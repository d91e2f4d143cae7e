import Pipeline

// Records as the texts that rules are written for (REFERENCE C.6), all of a batch in one buffer: one scan of it says
// which records are worth a look of their own, and each of them is then a slice of it.

/// How the fields of a record become one text.
enum RecordForm {
    /// The line itself.
    case line
    /// `Key1: Value1  Key2: Value2` of the event's own data, without what every event has.
    case event
    /// The block of values that the record brings.
    case registryKey
    /// `KEYPATH;VALUENAME;VALUE`.
    case registryValue
    /// `KEY: value` with upper-case keys.
    case object

    init(_ type: RecordType) {
        switch type.name {
        case "log line": self = .line
        case "eventlog entry": self = .event
        case "registry key": self = .registryKey
        case "registry value": self = .registryValue
        default: self = .object
        }
    }
}

/// Text forms of the records of a batch, each ended by a newline.
struct RecordTexts: ~Copyable {
    /// Where a field's value stands in the buffer.
    struct Part {
        let field: Int
        let start: Int
        let end: Int
    }

    private(set) var buffer = ByteArena(capacity: 1 << 16)
    private(set) var parts: [Part] = []
    // First byte of each record, and at last the end of the buffer.
    private var starts: [Int] = [0]
    private var keys = KeyNames()

    init(_ batch: borrowing RecordBatch) {
        for record in 0..<batch.count {
            appendForm(of: record, batch)
            buffer.append(0x0A)
            starts.append(buffer.count)
        }
    }

    /// Text of a record, without the newline behind it unless that belongs to the form.
    func range(of record: Int, withNewline: Bool) -> Range<Int> {
        starts[record]..<(starts[record + 1] - (withNewline ? 0 : 1))
    }

    /// The record that holds the byte at `position`.
    func record(at position: Int) -> Int {
        var low = 0
        var high = starts.count - 1
        while low + 1 < high {
            let middle = (low + high) / 2
            if starts[middle] <= position { low = middle } else { high = middle }
        }
        return low
    }

    /// The field whose value holds all bytes of a range of the buffer.
    func part(holding range: Range<Int>) -> Part? {
        var low = 0
        var high = parts.count
        while low < high {
            let middle = (low + high) / 2
            if parts[middle].start <= range.lowerBound { low = middle + 1 } else { high = middle }
        }
        guard low > 0, range.upperBound <= parts[low - 1].end else { return nil }
        return parts[low - 1]
    }

    private mutating func appendForm(of record: Int, _ batch: borrowing RecordBatch) {
        let fields = batch.fields(of: record)
        switch RecordForm(batch.type(of: record)) {
        case .line:
            if let line = field("line", of: record, batch) { append(line, of: batch) }
        case .registryKey:
            if let values = field("values", of: record, batch) { append(values, of: batch) }
        case .registryValue:
            appendRegistryValue(record, of: batch)
        case .event:
            var isFirst = true
            for field in fields {
                let key = batch.key(of: field)
                if isFirst && keys.isSystem(key, batch.keys) { continue }
                appendPair(field, keys.name(key, batch.keys), isFirst: isFirst, batch)
                isFirst = false
            }
        case .object:
            for field in fields {
                let name = keys.upperName(batch.key(of: field), batch.keys)
                appendPair(field, name, isFirst: field == fields.startIndex, batch)
            }
        }
    }

    private func field(_ name: String, of record: Int, _ batch: borrowing RecordBatch) -> Int? {
        batch.field(named: batch.keys.id(of: name), of: record)
    }

    private mutating func append(_ field: Int, of batch: borrowing RecordBatch) {
        let start = buffer.count
        buffer.append(batch.value(of: field))
        parts.append(Part(field: field, start: start, end: buffer.count))
    }

    private mutating func appendPair(
        _ field: Int, _ name: String, isFirst: Bool, _ batch: borrowing RecordBatch
    ) {
        if !isFirst { buffer.append(literal: "  ") }
        buffer.append(name)
        buffer.append(literal: ": ")
        append(field, of: batch)
    }

    // The record's `key` is the path with the value's name at its end; the default value's name is empty.
    private mutating func appendRegistryValue(_ record: Int, of batch: borrowing RecordBatch) {
        guard let key = field("key", of: record, batch) else { return }
        let path = batch.value(of: key)
        var end = path.byteCount
        while end > 0, path.uint8(at: end - 1) != 0x5C { end -= 1 }
        let start = buffer.count
        buffer.append(path.prefix(end - 1))
        buffer.append(0x3B)
        buffer.append(path.suffix(from: end))
        parts.append(Part(field: key, start: start, end: buffer.count))
        buffer.append(0x3B)
        if let value = field("value", of: record, batch) { append(value, of: batch) }
    }
}

// What is known of field names, by their numbers in the batch's table.
private struct KeyNames {
    // Elements and attributes of an event's System part, as the event log parser names them.
    private static let system: Set<String> = [
        "Provider_Name", "Provider_Guid", "Provider_EventSourceName", "EventID", "Qualifiers", "Version", "Level",
        "Task", "Opcode", "Keywords", "TimeCreated", "EventRecordID", "Correlation_ActivityID",
        "Correlation_RelatedActivityID", "Execution_ProcessID", "Execution_ThreadID", "Execution_ProcessorID",
        "Execution_SessionID", "Execution_KernelTime", "Execution_UserTime", "Execution_ProcessorTime", "Channel",
        "Computer", "Security_UserID",
    ]

    private var known: [KeyTable.ID: (name: String, upper: String, isSystem: Bool)] = [:]

    mutating func name(_ key: KeyTable.ID, _ table: KeyTable) -> String { entry(key, table).name }

    mutating func upperName(_ key: KeyTable.ID, _ table: KeyTable) -> String { entry(key, table).upper }

    mutating func isSystem(_ key: KeyTable.ID, _ table: KeyTable) -> Bool { entry(key, table).isSystem }

    private mutating func entry(
        _ key: KeyTable.ID, _ table: KeyTable
    ) -> (name: String, upper: String, isSystem: Bool) {
        if let entry = known[key] { return entry }
        let name = table.name(of: key)
        let entry = (name: name, upper: name.uppercased(), isSystem: Self.system.contains(name))
        known[key] = entry
        return entry
    }
}
