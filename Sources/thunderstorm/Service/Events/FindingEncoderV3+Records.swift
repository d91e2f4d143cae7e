import Pipeline

// Records as jsonlog v3: the published fields of their type, and what we know beyond them (REFERENCE B.2).

extension FindingEncoderV3 {
    /// Which fields of a record are written.
    enum Part {
        case all, published, own
    }

    /// Writes a record with all its fields.
    func write(_ record: RecordSubject, _ writer: inout JSONWriter) { write(record, .all, &writer) }

    /// Writes a record with some of its fields.
    func write(_ record: RecordSubject, _ part: Part, _ writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("type", record.type.name)
            guard let container = record.type.container else { return fields(record, part, &writer) }
            writer.key(container)
            writer.object { writer in fields(record, .all, &writer) }
        }
    }

    /// What we know of a record beyond the published fields of its type.
    func details(_ record: RecordSubject, _ writer: inout JSONWriter) {
        guard record.type.container == nil, let published = PublishedTypes.fields(of: record.type),
            record.fields.contains(where: { published[$0.key] == nil })
        else { return }
        writer.key("details")
        writer.object { writer in fields(record, .own, &writer) }
    }

    private func fields(_ record: RecordSubject, _ part: Part, _ writer: inout JSONWriter) {
        let published = PublishedTypes.fields(of: record.type)
        let repeated = repeatedTexts(record.fields.count) { record.fields[$0].key }
        var written = Set<String>()
        for field in record.fields {
            let isRepeated = !repeated.isEmpty && repeated.contains(field.key)
            if isRepeated, !written.insert(field.key).inserted { continue }
            let kind = record.type.container == nil ? published?[field.key] : .text
            // Nothing is published about types of ours: they are written whole.
            if published != nil, part != .all, (kind == nil) != (part == .own) { continue }
            let values = isRepeated ? record.fields.filter { $0.key == field.key }.map(\.value) : [field.value]
            writer.key(PublishedTypes.key(field.key, of: record.type))
            write(values, of: field.key, record.type, as: kind, &writer)
        }
    }

    /// Writes the values that a record has under one key.
    func write(
        _ values: [String], of key: String, _ type: RecordType, as kind: PublishedField?, _ writer: inout JSONWriter
    ) {
        let value = values.first ?? ""
        switch kind {
        case .text: writer.value(values.count == 1 ? value : values.joined(separator: ", "))
        case .texts: writer.value(values)
        case .file: writeFile(value, &writer)
        case .number where values.count == 1: number(value, &writer)
        case .flag where values.count == 1: flag(value, &writer)
        case .hexadecimal where values.count == 1:
            if let number = UInt64(value, radix: 16) { writer.value(number) } else { writer.value(value) }
        case .number, .hexadecimal, .flag, nil:
            guard type.lists.contains(key) || values.count > 1 else { return scalar(value, of: key, type, &writer) }
            writer.array { writer in
                for value in values { scalar(value, of: key, type, &writer) }
            }
        }
    }

    private func scalar(_ value: String, of key: String, _ type: RecordType, _ writer: inout JSONWriter) {
        if type.numbers.contains(key) { return number(value, &writer) }
        if type.booleans.contains(key) { return flag(value, &writer) }
        writer.value(value)
    }

    private func number(_ value: String, _ writer: inout JSONWriter) {
        if let number = Int(value) { writer.value(number) } else { writer.value(value) }
    }

    private func flag(_ value: String, _ writer: inout JSONWriter) {
        if let flag = Bool(value) { writer.value(flag) } else { writer.value(value) }
    }

    // A file that a record names: whether it exists, nobody has looked.
    private func writeFile(_ path: String, _ writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("type", "file")
            writer.field("path", path)
            writer.field("exists", "unknown")
            writer.field("extension", Sample(path: path, bytes: .empty).fileExtension)
        }
    }
}

/// Texts that stand more than once among so many; nearly always none.
func repeatedTexts(_ count: Int, _ text: (Int) -> String) -> Set<String> {
    var repeated = Set<String>()
    // Few are compared with each other quicker than a table is made; many come from hostile samples, too.
    if count <= 8 {
        for index in 0..<count where (0..<index).contains(where: { text($0) == text(index) }) {
            repeated.insert(text(index))
        }
        return repeated
    }
    var seen = Set<String>(minimumCapacity: min(count, 1024))
    for index in 0..<count where !seen.insert(text(index)).inserted { repeated.insert(text(index)) }
    return repeated
}
