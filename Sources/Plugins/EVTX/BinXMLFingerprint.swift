import Pipeline

// What a template definition says, as one number. Every chunk defines its templates anew, with names at other places:
// the fingerprint follows the names, so that equal templates of a file are compiled once.

enum BinXMLFingerprint {
    /// A hash of tokens, names and texts; nil where there is something that is not simply hashed.
    ///
    /// The hash is seeded anew in each process: nobody can make two definitions that collide on purpose.
    static func of(_ chunk: RawSpan, from start: Int, to end: Int) -> Int? {
        var hasher = Hasher()
        var position = start
        while position < end, let token = chunk.uint8(at: position) {
            position &+= 1
            switch token & 0xBF {
            case 0x00:
                return hasher.finalize()
            case 0x01:
                // Dependency identifier and data size say nothing about the content.
                position &+= 6
                guard hash(token, nameAt: &position, chunk, &hasher) else { return nil }
                if token & 0x40 != 0 { position &+= 4 }
            case 0x06, 0x09, 0x0A:
                guard hash(token, nameAt: &position, chunk, &hasher) else { return nil }
            case 0x05:
                guard chunk.uint8(at: position) == EventValue.string else { return nil }
                position &+= 1
                guard hash(token, textAt: &position, chunk, &hasher) else { return nil }
            case 0x07, 0x0B:
                guard hash(token, textAt: &position, chunk, &hasher) else { return nil }
            case 0x08:
                guard let unit = chunk.uint16(at: position) else { return nil }
                hasher.combine(UInt32(token) << 16 | UInt32(unit))
                position &+= 2
            case 0x0D, 0x0E:
                guard let slot = chunk.uint16(at: position), let type = chunk.uint8(at: position &+ 2) else {
                    return nil
                }
                hasher.combine(UInt32(token) << 24 | UInt32(slot) << 8 | UInt32(type))
                position &+= 3
            case 0x0F:
                position &+= 3
            case 0x02, 0x03, 0x04:
                hasher.combine(token)
            default:
                return nil
            }
        }
        return hasher.finalize()
    }

    private static func hash(
        _ token: UInt8, nameAt position: inout Int, _ chunk: RawSpan, _ hasher: inout Hasher
    ) -> Bool {
        guard let offset = chunk.uint32(at: position), let count = chunk.uint16(at: Int(offset) &+ 6),
            count <= BinXMLDecoder.nameLimit
        else { return false }
        position &+= 4
        if Int(offset) == position { position &+= 10 &+ Int(count) &* 2 }
        return hash(token, Int(offset) &+ 8, count, chunk, &hasher)
    }

    private static func hash(
        _ token: UInt8, textAt position: inout Int, _ chunk: RawSpan, _ hasher: inout Hasher
    ) -> Bool {
        guard let count = chunk.uint16(at: position) else { return false }
        let start = position &+ 2
        position = start &+ Int(count) &* 2
        return hash(token, start, count, chunk, &hasher)
    }

    private static func hash(
        _ token: UInt8, _ start: Int, _ count: UInt16, _ chunk: RawSpan, _ hasher: inout Hasher
    ) -> Bool {
        guard let units = chunk.slice(at: start, count: Int(count) &* 2) else { return false }
        hasher.combine(UInt32(token) << 16 | UInt32(count))
        var position = 0
        while let word = units.uint64(at: position) {
            hasher.combine(word)
            position &+= 8
        }
        while let unit = units.uint16(at: position) {
            hasher.combine(unit)
            position &+= 2
        }
        return true
    }
}
