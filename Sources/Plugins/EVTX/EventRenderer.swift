import Pipeline

// Renders binary XML of one chunk into fields. Templates are compiled when they are first met in a file; nothing is
// allocated for a record that uses known templates.

/// Takes fields in order: a record of a batch, or a list for callers without a chain.
protocol EventFieldWriter: ~Copyable {
    var keys: KeyTable { get }

    mutating func field<E: Error>(
        _ key: KeyTable.ID, _ write: (inout ByteArena) throws(E) -> Void
    ) throws(E)
}

extension RecordBuilder: EventFieldWriter {}

struct EventRenderer: ~Copyable {
    // Nested fragments, and what they may cost. A hostile file can refer to the same value many times and so make
    // text of almost any length from one chunk; a real chunk needs a small part of this.
    static let depthLimit = 16
    static let recordCost = 2 << 20
    static let chunkCost = 16 << 20
    static let definitionBytes = 256 << 10

    private struct Value {
        var offset: Int32
        var size: UInt16
        var type: UInt8
    }

    private struct Instance {
        var base: Int
        var count: Int
    }

    private(set) var keys: KeyTable
    private var programs = EventPrograms()
    // Values of the open instances, the innermost at the end.
    private var values: [Value] = []
    private var chunkCostLeft = 0
    private var recordCostLeft = 0
    private var definitionBytesLeft = 0
    private var depth = 0
    /// The System part's EventID of the last record.
    private(set) var eventID: UInt32?

    init(keys: KeyTable) { self.keys = keys }

    /// Forgets what belongs to a chunk.
    mutating func startChunk() {
        programs.startChunk()
        chunkCostLeft = Self.chunkCost
        definitionBytesLeft = Self.definitionBytes
    }

    /// Renders the fragment of a record: positions are those of the chunk.
    ///
    /// - Throws: where it breaks; the fields before it have been written.
    mutating func render<W: EventFieldWriter & ~Copyable>(
        _ chunk: RawSpan, from start: Int, to end: Int, into writer: inout W
    ) throws(ParseError) {
        if writer.keys !== keys {
            keys = writer.keys
            programs.reset()
        }
        eventID = nil
        depth = 0
        values.removeAll(keepingCapacity: true)
        recordCostLeft = min(Self.recordCost, chunkCostLeft)
        let allowed = recordCostLeft
        defer { chunkCostLeft -= allowed - recordCostLeft }
        try fragment(chunk, from: start, to: end, in: .document, into: &writer)
    }

    private mutating func charge(_ cost: Int, at position: Int) throws(ParseError) {
        recordCostLeft &-= cost
        if recordCostLeft < 0 {
            throw ParseError(.limit, "an event expands to more text than any real one", at: position)
        }
    }

    // MARK: Fragments and instances

    private mutating func fragment<W: EventFieldWriter & ~Copyable>(
        _ chunk: RawSpan, from start: Int, to end: Int, in scope: EventScope, into writer: inout W
    ) throws(ParseError) {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.depthLimit else {
            throw ParseError(.limit, "fragments are nested deeper than \(Self.depthLimit)", at: start)
        }
        var position = start
        while position < end, let token = chunk.uint8(at: position) {
            switch token & 0xBF {
            case 0x00: return
            case 0x0F: position &+= 4
            case 0x0C: position = try instance(chunk, at: position, to: end, in: scope, into: &writer)
            case 0x01: position = try element(chunk, at: position, to: end, in: scope, into: &writer)
            case 0x0A:
                var decoder = BinXMLDecoder(from: position, to: end, isTemplate: false)
                try decoder.instruction(chunk)
                position = decoder.position
            default:
                throw ParseError(
                    .invalid, "unexpected binary XML token 0x\(String(token, radix: 16))", at: position)
            }
        }
    }

    // An element without a template: compiled for this one use.
    private mutating func element<W: EventFieldWriter & ~Copyable>(
        _ chunk: RawSpan, at start: Int, to end: Int, in scope: EventScope, into writer: inout W
    ) throws(ParseError) -> Int {
        var decoder = BinXMLDecoder(from: start, to: end, isTemplate: false)
        let element = try decoder.element(chunk)
        try charge((decoder.position &- start) &* 8, at: start)
        var compiler = EventCompiler(keys: keys)
        let program = compiler.compile([.element(element)], in: scope, into: &programs)
        try run(program, Instance(base: values.count, count: 0), chunk, into: &writer)
        return decoder.position
    }

    private mutating func instance<W: EventFieldWriter & ~Copyable>(
        _ chunk: RawSpan, at start: Int, to end: Int, in scope: EventScope, into writer: inout W
    ) throws(ParseError) -> Int {
        let head = try BinXMLInstance(chunk, at: start &+ 1, end: end)
        // A step is cheap, the table of values it brings need not be.
        try charge(4 &* head.count, at: start)
        let instance = Instance(base: values.count, count: head.count)
        var position = head.values
        for index in 0..<head.count {
            let entry = chunk.uint32(at: head.table &+ 4 &* index) ?? 0
            let size = UInt16(truncatingIfNeeded: entry)
            values.append(
                Value(
                    offset: Int32(truncatingIfNeeded: position), size: size,
                    type: UInt8(truncatingIfNeeded: entry >> 16)))
            position &+= Int(size)
        }
        guard position <= end else {
            throw ParseError(.truncated, "the template's values leave their record", at: head.values)
        }
        let program = try program(chunk, ofDefinition: head.definition, in: scope)
        try run(program, instance, chunk, into: &writer)
        values.removeLast(values.count - instance.base)
        return position
    }

    private mutating func program(
        _ chunk: RawSpan, ofDefinition offset: Int, in scope: EventScope
    ) throws(ParseError) -> Range<Int> {
        if let known = programs.program(ofDefinition: offset, in: scope) { return known }
        guard let size = chunk.uint32(at: offset &+ 20) else {
            throw ParseError(.invalid, "template offset \(offset) leads to no definition", at: offset)
        }
        let start = offset &+ 24
        let end = min(start &+ Int(size), chunk.byteCount)
        definitionBytesLeft -= end - start
        guard definitionBytesLeft >= 0 else {
            throw ParseError(.limit, "the template definitions of a chunk overlap", at: offset)
        }
        let fingerprint = BinXMLFingerprint.of(chunk, from: start, to: end)
        if let fingerprint, let equal = programs.program(withFingerprint: fingerprint, in: scope) {
            programs.keep(equal, ofDefinition: offset, nil, in: scope)
            return equal
        }
        var decoder = BinXMLDecoder(from: start, to: end, isTemplate: true)
        var compiler = EventCompiler(keys: keys)
        let program = compiler.compile(try decoder.fragment(chunk), in: scope, into: &programs)
        programs.keep(program, ofDefinition: offset, fingerprint, in: scope)
        return program
    }

    // MARK: Steps

    private mutating func run<W: EventFieldWriter & ~Copyable>(
        _ program: Range<Int>, _ instance: Instance, _ chunk: RawSpan, into writer: inout W
    ) throws(ParseError) {
        try charge(16 &* program.count, at: 0)
        for index in program {
            let step = programs.steps[index]
            switch step.kind {
            case .value: try write(step, instance, chunk, into: &writer)
            case .text: try writeText(step, into: &writer)
            case .mixed, .named: try writeParts(step, instance, chunk, into: &writer)
            case .instance:
                let start = Int(step.start)
                let end = start &+ Int(step.count)
                depth += 1
                defer { depth -= 1 }
                guard depth <= Self.depthLimit else {
                    throw ParseError(.limit, "fragments are nested deeper than \(Self.depthLimit)", at: start)
                }
                _ = try self.instance(chunk, at: start, to: end, in: step.scope, into: &writer)
            }
        }
    }

    private func value(_ slot: Int32, of instance: Instance) -> Value {
        let slot = Int(slot)
        guard slot >= 0, slot < instance.count else { return Value(offset: 0, size: 0, type: EventValue.null) }
        return values[instance.base &+ slot]
    }

    @inline(__always)
    private mutating func write<W: EventFieldWriter & ~Copyable>(
        _ step: EventStep, _ instance: Instance, _ chunk: RawSpan, into writer: inout W
    ) throws(ParseError) {
        let value = value(step.slot, of: instance)
        let offset = Int(value.offset)
        let size = Int(value.size)
        if size == 0 || value.type == EventValue.null {
            if !step.skipsEmpty { writer.field(step.key) { _ in } }
            return
        }
        try charge(size, at: offset)
        if value.type == EventValue.binaryXML {
            return try fragment(chunk, from: offset, to: offset &+ size, in: step.scope, into: &writer)
        }
        guard let bytes = chunk.slice(at: offset, count: size) else { return }
        // A text of nothing but its terminator is no value either.
        if step.skipsEmpty, value.type == EventValue.string, bytes.uint16(at: 0) == 0 { return }
        if value.type & EventValue.arrayFlag != 0 {
            return writeArray(bytes, type: value.type & ~EventValue.arrayFlag, step.key, into: &writer)
        }
        writer.field(step.key) { arena in EventValue.append(bytes, type: value.type, to: &arena) }
        if step.isEventID { eventID = EventValue.number(bytes, type: value.type) }
    }

    // One field for each element of the array, as the elements would be repeated in XML.
    private func writeArray<W: EventFieldWriter & ~Copyable>(
        _ bytes: RawSpan, type: UInt8, _ key: KeyTable.ID, into writer: inout W
    ) {
        var position = 0
        while position < bytes.byteCount {
            let length: Int
            let next: Int
            switch type {
            case EventValue.string:
                length = utf16Length(bytes.suffix(from: position))
                next = position &+ length &+ 2
            case EventValue.ansi:
                length = (bytes.firstOffset(of: 0, from: position) ?? bytes.byteCount) &- position
                next = position &+ length &+ 1
            default:
                let width =
                    type == EventValue.sid
                    ? EventValue.sidWidth(bytes.suffix(from: position)) : EventValue.width(of: type)
                length = min(width ?? bytes.byteCount, bytes.byteCount &- position)
                next = position &+ length
            }
            if let part = bytes.slice(at: position, count: length) {
                writer.field(key) { arena in EventValue.append(part, type: type, to: &arena) }
            }
            position = next
        }
    }

    private mutating func writeText<W: EventFieldWriter & ~Copyable>(
        _ step: EventStep, into writer: inout W
    ) throws(ParseError) {
        let count = Int(step.count)
        try charge(count, at: 0)
        var number: UInt32?
        if let text = programs.texts.span.slice(at: Int(step.start), count: count) {
            writer.field(step.key) { arena in arena.append(text) }
            if step.isEventID { number = UInt32(text.utf8Text) }
        }
        if step.isEventID { eventID = number }
    }

    private mutating func writeParts<W: EventFieldWriter & ~Copyable>(
        _ step: EventStep, _ instance: Instance, _ chunk: RawSpan, into writer: inout W
    ) throws(ParseError) {
        let start = Int(step.start)
        let parts = start &+ Int(step.nameCount)..<start &+ Int(step.count)
        var isEmpty = true
        for index in start..<parts.upperBound {
            let part = programs.parts[index]
            let value = value(part.slot, of: instance)
            if part.slot < 0 || value.size > 0, parts.contains(index) { isEmpty = false }
            try charge(Int(part.count) &+ Int(value.size), at: Int(value.offset))
        }
        if isEmpty && step.skipsEmpty { return }
        var key = step.key
        if step.nameCount > 0 {
            var name = ByteArena(capacity: 64)
            append(start..<parts.lowerBound, instance, chunk, to: &name)
            if name.count > 0 { key = keys.id(of: name.span.utf8Text) }
        }
        writer.field(key) { arena in append(parts, instance, chunk, to: &arena) }
        try writeNested(parts, step.scope, instance, chunk, into: &writer)
    }

    private func append(_ parts: Range<Int>, _ instance: Instance, _ chunk: RawSpan, to arena: inout ByteArena) {
        for index in parts {
            let part = programs.parts[index]
            if part.slot < 0 {
                if let text = programs.texts.span.slice(at: Int(part.start), count: Int(part.count)) {
                    arena.append(text)
                }
                continue
            }
            let value = value(part.slot, of: instance)
            guard value.type != EventValue.binaryXML,
                let bytes = chunk.slice(at: Int(value.offset), count: Int(value.size))
            else { continue }
            EventValue.append(bytes, type: value.type, to: &arena)
        }
    }

    // Fragments among the parts come after the field that they stand in.
    private mutating func writeNested<W: EventFieldWriter & ~Copyable>(
        _ parts: Range<Int>, _ scope: EventScope, _ instance: Instance, _ chunk: RawSpan, into writer: inout W
    ) throws(ParseError) {
        for index in parts {
            let value = value(programs.parts[index].slot, of: instance)
            guard value.type == EventValue.binaryXML, value.size > 0 else { continue }
            let start = Int(value.offset)
            try fragment(chunk, from: start, to: start &+ Int(value.size), in: scope, into: &writer)
        }
    }
}
