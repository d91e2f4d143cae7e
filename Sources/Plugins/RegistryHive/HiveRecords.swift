import Pipeline

// Turns the walk through a hive into records. This is the loop that sees every value of every hive, so it makes no
// strings: paths, times and texts go from the file into the batch.

/// Types of the records that every hive has.
enum HiveRecordType {
    static let value = RecordType("registry value", module: "RegistryHive", numbers: ["size"])
    static let key = RecordType("registry key", module: "RegistryHive")
}

/// Emits all keys and values of a hive.
struct HiveRecords: ~Copyable {
    private var walk: HiveWalk
    private let livePath: [UInt8]
    // The control set in use is shown as `CurrentControlSet`: a path below it begins with these bytes.
    private let controlSet: [UInt8]
    // Numbers of the field names, and the table that gave them: a new batch may bring a new one.
    private var table: KeyTable
    private var keys: Keys
    // What all values of one key share, and the name of the value at hand.
    private var target = ByteArena(capacity: 1024)
    private var modified = ByteArena(capacity: 64)
    private var modifiedSeconds: Int64?
    private var name = ByteArena(capacity: 256)

    init(_ hive: borrowing Hive, _ identity: HiveIdentity) {
        walk = HiveWalk(hive)
        table = KeyTable()
        keys = Keys(table)
        livePath = Array(identity.livePath.utf8)
        let current = identity == .system ? hive.currentControlSet : nil
        controlSet = current.map { Array(("\\" + $0).utf8) } ?? []
    }

    mutating func emit(_ hive: borrowing Hive, _ out: inout Output) throws(StageError) {
        var scratch = ByteArena()
        while let step = walk.next(hive) {
            switch step {
            case .problem(let problem):
                try out.checkpoint()
                note(problem.message, problem.offset, &out)
            case .key(let key):
                prepare(key)
                // A key whose values are lost is shown like one that has none.
                if try emitValues(of: key, hive, &scratch, &out) == 0 { try emit(key, &out) }
            }
        }
    }

    private func note(_ message: String, _ offset: Int, _ out: inout Output, code: Issue.Code = .damaged) {
        let path = walk.path.count == 0 ? "\\" : walk.path.span.utf8Text
        out.note(code, "\(path): \(message)", offset: offset)
    }

    @inline(__always)
    private mutating func use(_ given: KeyTable) {
        if given === table { return }
        table = given
        keys = Keys(given)
    }

    // MARK: Keys

    private mutating func prepare(_ key: HiveKey) {
        // Neighbours were mostly written in the same second.
        let written = key.lastWritten
        if written.seconds != modifiedSeconds {
            modifiedSeconds = written.seconds
            modified.truncate(to: 0)
            written.append(to: &modified)
        }
        let isCurrent = isInControlSet
        Self.write(livePath, walk.path, without: isCurrent ? controlSet.count : 0, to: &target)
    }

    private static func write(
        _ livePath: [UInt8], _ path: borrowing ByteArena, without prefix: Int, to target: inout ByteArena
    ) {
        target.truncate(to: 0)
        target.append(livePath.rawSpan)
        if prefix > 0 { target.append(literal: "\\CurrentControlSet") }
        target.append(path.span.suffix(from: prefix))
    }

    private var isInControlSet: Bool {
        guard !controlSet.isEmpty, walk.path.span.starts(with: controlSet.rawSpan) else { return false }
        return walk.path.count == controlSet.count || walk.path.span.uint8(at: controlSet.count) == 0x5C
    }

    private mutating func emit(_ key: HiveKey, _ out: inout Output) throws(StageError) {
        try out.emit(HiveRecordType.key, offset: key.offset) { builder in
            use(builder.keys)
            builder.field(keys.key) { $0.append(walk.path.span) }
            builder.field(keys.modified) { $0.append(modified.span) }
            builder.field(keys.target) { $0.append(target.span) }
        }
    }

    // MARK: Values

    // The number of values that are there.
    private mutating func emitValues(
        of key: HiveKey, _ hive: borrowing Hive, _ scratch: inout ByteArena, _ out: inout Output
    ) throws(StageError) -> Int {
        let list: HiveValueList
        do throws(ParseError) {
            list = try hive.values(of: key)
        } catch {
            note(error.message, error.offset, &out)
            return 0
        }
        var emitted = 0
        if list.count < Int(key.valueCount) {
            note("it claims \(key.valueCount) values, its list has room for \(list.count)", key.offset, &out)
        }
        for index in 0..<list.count {
            let value: HiveValue
            do throws(ParseError) {
                value = try hive.value(index, of: list)
            } catch {
                try out.checkpoint()
                note(error.message, error.offset, &out)
                continue
            }
            guard walk.isNew(value) else {
                try out.checkpoint()
                note("an entry of its value list belongs to another key", value.offset, &out)
                continue
            }
            try emit(value, hive, &scratch, &out)
            emitted += 1
        }
        return emitted
    }

    private mutating func emit(
        _ value: HiveValue, _ hive: borrowing Hive, _ scratch: inout ByteArena, _ out: inout Output
    ) throws(StageError) {
        name.truncate(to: 0)
        hive.appendName(of: value, to: &name)
        if value.isNameCut { note("the name of a value reaches beyond its cell and was cut", value.offset, &out) }
        let data: HiveData
        do throws(ParseError) {
            data = try hive.data(of: value)
        } catch {
            note("value '\(name.span.utf8Text)': \(error.message)", error.offset, &out)
            return try emit(value, .none, hive, &scratch, &out)
        }
        if value.size > RegistryHiveStage.valueLimit {
            note(
                "value '\(name.span.utf8Text)' has \(value.size) bytes; the first \(RegistryHiveStage.valueLimit) "
                    + "were looked at", value.offset, &out, code: .limit)
        }
        try emit(value, data, hive, &scratch, &out)
    }

    private mutating func emit(
        _ value: HiveValue, _ data: HiveData, _ hive: borrowing Hive, _ scratch: inout ByteArena, _ out: inout Output
    ) throws(StageError) {
        var there = 0
        try hive.withData(data, limit: RegistryHiveStage.valueLimit, scratch: &scratch) { bytes throws(StageError) in
            there = bytes.byteCount
            try out.emit(HiveRecordType.value, offset: value.offset) { builder in
                use(builder.keys)
                builder.field(keys.key) { arena in
                    arena.append(walk.path.span)
                    arena.append(0x5C)
                    arena.append(name.span)
                }
                builder.field(keys.name) { $0.append(name.span) }
                builder.field(keys.modified) { $0.append(modified.span) }
                var text: Range<Int>?
                builder.field(keys.value) { text = ValueText.append(value.type, bytes, to: &$0) }
                builder.field(keys.size) { $0.append(decimal: UInt64(value.size)) }
                builder.field(keys.target) { arena in
                    arena.append(target.span)
                    arena.append(0x5C)
                    if value.isDefault { arena.append(literal: "(Default)") } else { arena.append(name.span) }
                }
                builder.field(keys.details) { ValueText.appendDetails(value.type, bytes, text: text, to: &$0) }
            }
        }
        if data != .none, there < min(value.isInline ? 4 : value.size, RegistryHiveStage.valueLimit), there < value.size
        {
            note(
                "value '\(name.span.utf8Text)': \(there) of its \(value.size) bytes of data are there",
                value.offset, &out)
        }
    }
}

private struct Keys {
    let key, name, modified, value, size, target, details: KeyTable.ID

    init(_ table: KeyTable) {
        key = table.id(of: "key")
        name = table.id(of: "value_name")
        modified = table.id(of: "modified")
        value = table.id(of: "value")
        size = table.id(of: "size")
        target = table.id(of: "TargetObject")
        details = table.id(of: "Details")
    }
}
