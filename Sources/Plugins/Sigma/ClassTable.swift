import Pipeline

// Which class each record of a submission belongs to. The shared classes are looked up by texts once for each kind of
// record in a submission; from then on by small numbers.

struct ClassTable {
    /// Where a field of a class's records goes: parts of `targets` and `derivations`.
    struct Route {
        fileprivate var firstField: Int32 = 0
        fileprivate var fieldCount: Int32 = 0
        fileprivate var firstSearched: Int32 = 0
        fileprivate var searchedCount: Int32 = 0
        fileprivate var firstDerived: Int32 = 0
        fileprivate var derivedCount: Int32 = 0

        /// Positions in `targets` of the numbers under which rules know the field.
        var fields: Range<Int> { Int(firstField)..<Int(firstField + fieldCount) }
        /// Positions in `targets` of those that are searched.
        var searched: Range<Int> { Int(firstSearched)..<Int(firstSearched + searchedCount) }
        /// Positions in `derivations` of the values that are made from it.
        var derived: Range<Int> { Int(firstDerived)..<Int(firstDerived + derivedCount) }
    }

    /// A value that is made from another one.
    struct Derivation {
        var field: Int
        var form: FieldAlias.Form
        var isSearched: Bool
    }

    private struct Shape: Hashable {
        var type: Int32
        var channel: Int32 = -1
        var provider: Int32 = -1
        var event: Int64 = -1
        var form: Int8 = -1
        var path: Int32
    }

    private struct LineKey: Hashable {
        var number: Int
        var name: String
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

    // A hostile log may name any number of channels and fields. Classes are forgotten between batches when there are
    // more than this; routes are made anew for each field when there is no room for them.
    private static let classLimit = 8_192
    private static let routeLimit = 65_536
    private static let tableLimit = 1 << 22

    let plan: Plan
    /// The classes met so far, by number.
    private(set) var classes: [RecordClass] = []
    /// Whether the records of a class are lines with fields.
    private(set) var usesLines: [Bool] = []
    private(set) var routes: [Route] = []
    private(set) var targets: [Int32] = []
    private(set) var derivations: [Derivation] = []
    // For each class and key of the batch -1 if not looked at yet, -2 if not used, otherwise a position in `routes`.
    private var routeTable: [Int32] = []
    private var stride = 0
    private var lineRoutes: [LineKey: Route] = [:]
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
            stride = 0
        }
        if classes.count > Self.classLimit {
            classes.removeAll()
            usesLines.removeAll()
            numbers.removeAll()
            stride = 0
        }
        if stride < keys.count || routes.count > Self.routeLimit { forgetRoutes(stride: max(64, keys.count * 2)) }
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
        classes.append(shared)
        usesLines.append(lineFields != nil)
        if routeTable.count + stride <= Self.tableLimit { routeTable += [Int32](repeating: -1, count: stride) }
        return classes.count - 1
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

    private mutating func forgetRoutes(stride: Int) {
        self.stride = stride
        let rows = min(classes.count, Self.tableLimit / stride)
        routeTable = Array(repeating: -1, count: stride * rows)
        routes.removeAll()
        targets.removeAll()
        derivations.removeAll()
        lineRoutes.removeAll()
    }

    /// Where a field of a class's records goes, as a position in `routes`; negative if no rule uses it.
    mutating func route(ofKey key: KeyTable.ID, class number: Int) -> Int {
        let position = number &* stride &+ key.index
        let isKept = key.index < stride && position < routeTable.count
        if isKept, routeTable[position] != -1 { return Int(routeTable[position]) }
        let route = makeRoute(keys.map { $0.name(of: key).lowercased() } ?? "", classes[number])
        var index = -2
        if !route.fields.isEmpty || !route.derived.isEmpty {
            index = routes.count
            routes.append(route)
        }
        if isKept { routeTable[position] = Int32(truncatingIfNeeded: index) }
        return index
    }

    /// Where a field that a line is divided into goes.
    mutating func route(ofLineField name: String, class number: Int) -> Route {
        let key = LineKey(number: number, name: name)
        if let known = lineRoutes[key] { return known }
        let route = makeRoute(name, classes[number])
        if lineRoutes.count < 4_096 { lineRoutes[key] = route }
        return route
    }

    private mutating func makeRoute(_ name: String, _ shared: RecordClass) -> Route {
        var fields: [Int32] = []
        var searched: [Int32] = []
        var derived: [Derivation] = []
        let own = FieldAlias(field: name, actual: name, form: .same)
        for alias in [own] + shared.aliases where alias.actual == name {
            guard let number = plan.fieldNumbers[alias.field] else { continue }
            let isSearched = shared.searchedFields.contains(number)
            if alias.form == .same {
                fields.append(Int32(truncatingIfNeeded: number))
                if isSearched { searched.append(Int32(truncatingIfNeeded: number)) }
            } else {
                derived.append(Derivation(field: number, form: alias.form, isSearched: isSearched))
            }
        }
        var route = Route()
        (route.firstField, route.fieldCount) = (Int32(targets.count), Int32(fields.count))
        targets += fields
        (route.firstSearched, route.searchedCount) = (Int32(targets.count), Int32(searched.count))
        targets += searched
        (route.firstDerived, route.derivedCount) = (Int32(derivations.count), Int32(derived.count))
        derivations += derived
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
