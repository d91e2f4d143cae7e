import Pipeline

// Which class each record of a submission belongs to. The shared classes are looked up by texts once for each kind of
// record in a submission; from then on by small numbers.

struct ClassTable {
    /// What one class needs besides the shared, immutable part.
    struct Entry {
        let shared: RecordClass
        let usesLines: Bool
        // By key number of the batch: -1 not looked at yet, -2 not used, otherwise a position in `routes`.
        fileprivate var routeOfKey: [Int32] = []
        fileprivate(set) var routes: [FieldRoute] = []
        /// Fields of the plan by the names that lines have them under.
        fileprivate(set) var lineRoutes: [String: FieldRoute] = [:]
    }

    private struct Shape: Hashable {
        var type: Int32
        var channel: Int32 = -1
        var provider: Int32 = -1
        var event: Int64 = -1
        var form: Int8 = -1
        var path: Int32
    }

    private struct TypeState {
        var number: Int32
        var name: String
        var hasRules: Bool
        var hasLines: Bool
    }

    private struct KeyNumbers {
        var channel = -1
        var provider = -1
        var event = -1
        var line = -1
    }

    let plan: Plan
    private(set) var entries: [Entry] = []
    private(set) var lines = LineReader()
    /// Fields of the line that was classified last.
    private(set) var lineFields: LineFields?
    private var numbers: [Shape: Int] = [:]
    private var channels = Interner()
    private var providers = Interner()
    private var types: [RecordType: TypeState] = [:]
    private var keys: KeyTable?
    private var keyNumbers = KeyNumbers()
    private var path: String?
    private var pathSources: [Int] = []
    private var pathNumbers: [[Int]: Int] = [:]
    private var pathNumber = 0

    init(plan: Plan) { self.plan = plan }

    /// Gets ready for a batch.
    mutating func prepare(_ keys: KeyTable, path: String) {
        if self.keys !== keys {
            self.keys = keys
            keyNumbers = KeyNumbers(
                channel: keys.id(of: "Channel").index, provider: keys.id(of: "Provider_Name").index,
                event: keys.id(of: "EventID").index, line: keys.id(of: "line").index)
            for index in entries.indices { entries[index].routeOfKey = [] }
        }
        if self.path != path {
            self.path = path
            lines = LineReader()
            pathSources = plan.pathSources(taking: path)
            pathNumber = pathNumbers[pathSources] ?? pathNumbers.count
            pathNumbers[pathSources] = pathNumber
        }
    }

    /// The class of a record, -1 if no rule is about it.
    mutating func classify(_ record: Int, _ batch: borrowing RecordBatch) -> Int {
        lineFields = nil
        let type = state(of: batch.type(of: record))
        guard type.hasRules else { return -1 }
        var shape = Shape(type: type.number, path: Int32(truncatingIfNeeded: pathNumber))
        var fields = KeyNumbers()
        var left = type.hasLines ? 4 : 3
        for field in batch.fields(of: record) where left > 0 {
            let key = batch.key(of: field).index
            if key == keyNumbers.channel, fields.channel < 0 {
                fields.channel = field
                shape.channel = channels.number(of: batch.value(of: field))
            } else if key == keyNumbers.provider, fields.provider < 0 {
                fields.provider = field
                shape.provider = providers.number(of: batch.value(of: field))
            } else if key == keyNumbers.event, fields.event < 0 {
                fields.event = field
                shape.event = Self.eventNumber(batch.value(of: field))
            } else if key == keyNumbers.line, type.hasLines, fields.line < 0 {
                fields.line = field
                lineFields = lines.read(batch.value(of: field))
                shape.form = lineFields.map { $0.form.number } ?? -1
            } else {
                continue
            }
            left -= 1
        }
        // Rare values are not remembered.
        let isKnown = shape.event != .max && shape.channel != .max && shape.provider != .max
        if isKnown, let number = numbers[shape] { return number }
        let number = makeEntry(type, fields, batch)
        if isKnown, numbers.count < 65_536 { numbers[shape] = number }
        return number
    }

    private mutating func makeEntry(_ type: TypeState, _ fields: KeyNumbers, _ batch: borrowing RecordBatch) -> Int {
        var values: [[UInt8]?] = []
        for field in [fields.channel, fields.provider, fields.event] {
            values.append(field < 0 ? nil : batch.value(of: field).array)
        }
        let shared = plan.recordClass(
            RecordClass.Key(type: type.name, values: values, form: lineFields?.form, pathSources: pathSources))
        if shared.isEmpty { return -1 }
        entries.append(Entry(shared: shared, usesLines: lineFields != nil))
        return entries.count - 1
    }

    private mutating func state(of type: RecordType) -> TypeState {
        if let known = types[type] { return known }
        let name = type.name.lowercased()
        let state = TypeState(
            number: Int32(truncatingIfNeeded: types.count), name: name, hasRules: plan.types.contains(name),
            hasLines: plan.lineTypes.contains(name))
        types[type] = state
        return state
    }

    // Ids of up to nine digits as numbers, with their length because leading zeros are part of the text.
    private static func eventNumber(_ text: RawSpan) -> Int64 {
        guard text.byteCount > 0, text.byteCount <= 9 else { return text.byteCount == 0 ? -2 : .max }
        var value: Int64 = 0
        for index in 0..<text.byteCount {
            guard let byte = text.uint8(at: index), byte >= 0x30, byte <= 0x39 else { return .max }
            value = value * 10 + Int64(byte - 0x30)
        }
        return value << 4 | Int64(text.byteCount)
    }

    // MARK: Routes

    /// Where a field of a class's records goes, as a position in the entry's routes; negative if no rule uses it.
    mutating func route(ofKey id: KeyTable.ID, class number: Int) -> Int {
        let key = id.index
        if key < entries[number].routeOfKey.count {
            let known = entries[number].routeOfKey[key]
            if known != -1 { return Int(known) }
        }
        let missing = key + 1 - entries[number].routeOfKey.count
        if missing > 0 { entries[number].routeOfKey += [Int32](repeating: -1, count: missing) }
        let name = keys.map { $0.name(of: id) } ?? ""
        let route = makeRoute(name.lowercased(), entries[number].shared)
        var position: Int32 = -2
        if route.isUsed {
            position = Int32(truncatingIfNeeded: entries[number].routes.count)
            entries[number].routes.append(route)
        }
        entries[number].routeOfKey[key] = position
        return Int(position)
    }

    /// Where a field that a line is divided into goes.
    mutating func route(ofLineField name: String, class number: Int) -> FieldRoute {
        if let known = entries[number].lineRoutes[name] { return known }
        let route = makeRoute(name, entries[number].shared)
        if entries[number].lineRoutes.count < 4_096 { entries[number].lineRoutes[name] = route }
        return route
    }

    private func makeRoute(_ name: String, _ shared: RecordClass) -> FieldRoute {
        var route = FieldRoute()
        func add(_ field: String, _ form: FieldAlias.Form) {
            guard let number = plan.fieldNumbers[field] else { return }
            let isSearched = shared.searchedFields.contains(number)
            if form == .same {
                route.fields.append(number)
                if isSearched { route.searched.append(number) }
            } else {
                route.derived.append((number, form, isSearched))
            }
        }
        add(name, .same)
        for alias in shared.aliases where alias.actual == name { add(alias.field, alias.form) }
        return route
    }
}

extension LineForm {
    fileprivate var number: Int8 {
        switch self {
        case .access: 0
        case .proxy: 1
        case .audit: 2
        }
    }
}
