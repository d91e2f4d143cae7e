import Pipeline

// A template compiled to a flat list of steps: which field gets which value. Elements and attributes are named once,
// here; rendering a record only walks the list.
//
// Names of fields: in System an element's name (`EventID`) and element_attribute (`Provider_Name`), where
// `TimeCreated@SystemTime` is `TimeCreated` and `EventID@Qualifiers` is `Qualifiers`; in EventData the Name attribute
// of an element, else the element's name (`Data`, `Binary`); in UserData and anything else the names of the leaves and
// leaf_attribute, with the path below the payload's root before it where two different leaves have the same name;
// in RenderingInfo always with that path.
// Namespace declarations are left out. A name that occurs twice is a field that occurs twice.

/// Where in an event a fragment stands; decides how its elements are named.
enum EventScope: UInt8 {
    case document
    case event
    case system
    case eventData
    case userData
    case payload

    /// Whether an element without a value is a field of its own.
    var keepsEmpty: Bool { self == .eventData || self == .userData || self == .payload }

    /// The scope of what stands in an element.
    func inside(_ element: String) -> EventScope {
        switch self {
        case .document: element == "Event" ? .event : .payload
        case .event:
            switch element {
            case "System": .system
            case "EventData": .eventData
            default: .userData
            }
        case .system: .system
        case .eventData, .userData, .payload: .payload
        }
    }
}

/// One step of a program.
struct EventStep {
    enum Kind {
        /// A field with one value of the instance, or a nested fragment.
        case value
        /// A field with a fixed text.
        case text
        /// A field put together from parts.
        case mixed
        /// As `mixed`, with a name put together from parts.
        case named
        /// A template instance in the chunk.
        case instance
    }

    var kind: Kind
    /// Scope of a fragment that stands here.
    var scope: EventScope
    /// Whether there is no field when there is no value.
    var skipsEmpty: Bool
    var isEventID = false
    var key: KeyTable.ID
    /// Number of the value.
    var slot: Int32 = 0
    /// `text`: part of the texts; `mixed`, `named`: its parts; `instance`: part of the chunk.
    var start: Int32 = 0
    var count: Int32 = 0
    /// `named`: how many of the parts, at the front, are the name.
    var nameCount: Int32 = 0
}

/// A part of a field that is put together: a text, or a value if `slot` is not negative.
struct EventPart {
    var slot: Int32
    var start: Int32
    var count: Int32
}

/// Programs of one file, all in the same arrays.
struct EventPrograms: ~Copyable {
    // What is kept for the following chunks; real files have some thousand different steps.
    private static let stepLimit = 32_768
    private static let textLimit = 4 << 20

    private struct Content: Hashable {
        var fingerprint: Int
        var scope: EventScope
    }

    fileprivate(set) var steps: [EventStep] = []
    fileprivate(set) var parts: [EventPart] = []
    fileprivate(set) var texts = ByteArena(capacity: 4_096)
    private var byOffset: [Int: Range<Int>] = [:]
    private var byContent: [Content: Range<Int>] = [:]

    /// Forgets where the definitions of a chunk stand, and all programs when there are too many.
    mutating func startChunk() {
        byOffset.removeAll(keepingCapacity: true)
        if steps.count > Self.stepLimit || texts.count > Self.textLimit { reset() }
    }

    /// Forgets all programs; keeps the memory.
    mutating func reset() {
        steps.removeAll(keepingCapacity: true)
        parts.removeAll(keepingCapacity: true)
        texts.truncate(to: 0)
        byOffset.removeAll(keepingCapacity: true)
        byContent.removeAll(keepingCapacity: true)
    }

    /// The program of the template definition at an offset, if the chunk has used it.
    func program(ofDefinition offset: Int, in scope: EventScope) -> Range<Int>? {
        byOffset[offset &<< 3 | Int(scope.rawValue)]
    }

    /// The program of an equal definition of the file.
    func program(withFingerprint fingerprint: Int, in scope: EventScope) -> Range<Int>? {
        byContent[Content(fingerprint: fingerprint, scope: scope)]
    }

    /// Keeps a program for its template definition.
    mutating func keep(_ program: Range<Int>, ofDefinition offset: Int, _ fingerprint: Int?, in scope: EventScope) {
        byOffset[offset &<< 3 | Int(scope.rawValue)] = program
        if let fingerprint { byContent[Content(fingerprint: fingerprint, scope: scope)] = program }
    }
}

/// Turns one tree into steps.
struct EventCompiler {
    let keys: KeyTable
    private static let rendering = "RenderingInfo"
    private static let pathLimit = 512
    // Names that more than one kind of leaf of this payload has: those get their path.
    private var ambiguous: Set<String> = []

    init(keys: KeyTable) { self.keys = keys }

    /// Compiles elements that stand in `scope`.
    mutating func compile(
        _ content: [BinXMLContent], in scope: EventScope, into programs: inout EventPrograms
    ) -> Range<Int> {
        let start = programs.steps.count
        for case let item in content {
            switch item {
            case .element(let element): compile(element, in: scope, path: nil, into: &programs)
            case .instance(let range): addInstance(range, scope, &programs)
            case .text, .value: break
            }
        }
        return start..<programs.steps.count
    }

    // `path`: elements between the payload's root and this one; nil outside of a payload and for the root itself.
    private mutating func compile(
        _ element: BinXMLElement, in scope: EventScope, path: String?, into programs: inout EventPrograms
    ) {
        let isRoot = path == nil && (scope == .userData || scope == .payload)
        if isRoot { ambiguous = Self.ambiguousNames(of: element) }
        let path = path ?? ""
        let inner = scope.inside(element.name)
        let name = scope == .eventData ? element.attributes.first { $0.name == "Name" }?.content : nil
        let fieldName = Self.fixedText(name) ?? fullName(element.name, path, attribute: nil)
        for attribute in element.attributes where !attribute.name.starts(with: "xmlns") {
            if scope == .eventData && attribute.name == "Name" { continue }
            let attributeName: String
            switch (scope, element.name, attribute.name) {
            case (.system, "TimeCreated", "SystemTime"): attributeName = "TimeCreated"
            case (.system, "EventID", "Qualifiers"): attributeName = "Qualifiers"
            case (.eventData, _, _): attributeName = "\(fieldName)_\(attribute.name)"
            default: attributeName = fullName(element.name, path, attribute: attribute.name)
            }
            add(attribute.content, key: attributeName, scope: .payload, skipsEmpty: true, into: &programs)
        }
        if element.hasElements {
            let below: String?
            switch scope {
            case .userData, .payload: below = isRoot ? "" : Self.extended(path, by: element.name)
            // What the sending machine made of the System part: names that exist there already.
            case .event: below = element.name == Self.rendering ? Self.rendering : nil
            case .document, .system, .eventData: below = nil
            }
            compileMixed(element, inner, path: below, into: &programs)
        } else if let name, Self.fixedText(name) == nil {
            addNamed(name, element, scope: inner, into: &programs)
        } else if !element.content.isEmpty || (element.attributes.isEmpty || name != nil) && scope.keepsEmpty {
            let first = programs.steps.count
            add(element.content, key: fieldName, scope: inner, skipsEmpty: !scope.keepsEmpty, into: &programs)
            if scope == .system, element.name == "EventID", first < programs.steps.count {
                programs.steps[first].isEventID = true
            }
        }
    }

    // Elements beside each other, perhaps with text between them.
    private mutating func compileMixed(
        _ element: BinXMLElement, _ inner: EventScope, path: String?, into programs: inout EventPrograms
    ) {
        let key = keys.id(of: element.name)
        for item in element.content {
            switch item {
            case .element(let child): compile(child, in: inner, path: path, into: &programs)
            case .instance(let range): addInstance(range, inner, &programs)
            case .value(let slot, _):
                programs.steps.append(
                    EventStep(
                        kind: .value, scope: inner, skipsEmpty: true, key: key, slot: Int32(truncatingIfNeeded: slot)))
            case .text(let text):
                if text.contains(where: { $0 > 0x20 }) { addText(text, key, &programs) }
            }
        }
    }

    // MARK: Steps

    private func add(
        _ content: [BinXMLContent], key name: String, scope: EventScope, skipsEmpty: Bool,
        into programs: inout EventPrograms
    ) {
        let key = keys.id(of: name)
        switch content.count {
        case 0:
            if !skipsEmpty { addText([], key, &programs) }
        case 1:
            switch content[0] {
            case .text(let text): addText(text, key, &programs)
            case .value(let slot, let type):
                programs.steps.append(
                    EventStep(
                        kind: .value, scope: scope, skipsEmpty: skipsEmpty || type == EventValue.binaryXML, key: key,
                        slot: Int32(truncatingIfNeeded: slot)))
            case .element, .instance: break
            }
        default:
            var step = EventStep(kind: .mixed, scope: scope, skipsEmpty: skipsEmpty, key: key)
            step.start = Int32(truncatingIfNeeded: programs.parts.count)
            step.count = addParts(content, &programs)
            programs.steps.append(step)
        }
    }

    private func addNamed(
        _ name: [BinXMLContent], _ element: BinXMLElement, scope: EventScope, into programs: inout EventPrograms
    ) {
        var step = EventStep(kind: .named, scope: scope, skipsEmpty: false, key: keys.id(of: element.name))
        step.start = Int32(truncatingIfNeeded: programs.parts.count)
        step.nameCount = addParts(name, &programs)
        step.count = step.nameCount &+ addParts(element.content, &programs)
        programs.steps.append(step)
    }

    private func addText(_ text: [UInt8], _ key: KeyTable.ID, _ programs: inout EventPrograms) {
        var step = EventStep(kind: .text, scope: .payload, skipsEmpty: false, key: key)
        step.start = Int32(truncatingIfNeeded: programs.texts.count)
        step.count = Int32(truncatingIfNeeded: text.count)
        programs.texts.append(text.rawSpan)
        programs.steps.append(step)
    }

    private func addInstance(_ range: Range<Int>, _ scope: EventScope, _ programs: inout EventPrograms) {
        var step = EventStep(kind: .instance, scope: scope, skipsEmpty: true, key: keys.id(of: ""))
        step.start = Int32(truncatingIfNeeded: range.lowerBound)
        step.count = Int32(truncatingIfNeeded: range.count)
        programs.steps.append(step)
    }

    private func addParts(_ content: [BinXMLContent], _ programs: inout EventPrograms) -> Int32 {
        let start = programs.parts.count
        for item in content {
            switch item {
            case .text(let text):
                programs.parts.append(
                    EventPart(
                        slot: -1, start: Int32(truncatingIfNeeded: programs.texts.count),
                        count: Int32(truncatingIfNeeded: text.count)))
                programs.texts.append(text.rawSpan)
            case .value(let slot, _):
                programs.parts.append(EventPart(slot: Int32(truncatingIfNeeded: slot), start: 0, count: 0))
            case .element, .instance: break
            }
        }
        return Int32(truncatingIfNeeded: programs.parts.count &- start)
    }

    // MARK: Names

    private func fullName(_ element: String, _ path: String, attribute: String?) -> String {
        let short = attribute.map { "\(element)_\($0)" } ?? element
        guard !path.isEmpty, path.utf8.count <= Self.pathLimit,
            ambiguous.contains(short) || path.starts(with: Self.rendering)
        else { return short }
        return "\(path)_\(short)"
    }

    // A hostile file nests long names; no real path comes near the limit.
    private static func extended(_ path: String, by name: String) -> String {
        if path.isEmpty { return name }
        return path.utf8.count > pathLimit ? path : "\(path)_\(name)"
    }

    // The text of a name that no value takes part in.
    private static func fixedText(_ content: [BinXMLContent]?) -> String? {
        guard let content, content.count == 1, case .text(let text) = content[0] else { return nil }
        return text.rawSpan.utf8Text
    }

    private static func ambiguousNames(of root: BinXMLElement) -> Set<String> {
        var paths: [String: String] = [:]
        var ambiguous: Set<String> = []
        func note(_ name: String, _ path: String) {
            if let known = paths[name] {
                if known != path { ambiguous.insert(name) }
            } else {
                paths[name] = path
            }
        }
        func walk(_ element: BinXMLElement, _ path: String, isRoot: Bool) {
            for attribute in element.attributes { note("\(element.name)_\(attribute.name)", path) }
            guard element.hasElements else { return note(element.name, path) }
            let below = isRoot ? "" : extended(path, by: element.name)
            for case .element(let child) in element.content { walk(child, below, isRoot: false) }
        }
        walk(root, "", isRoot: true)
        return ambiguous
    }
}
