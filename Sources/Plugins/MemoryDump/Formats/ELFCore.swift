import Pipeline

// ELF core files: segments of type PT_LOAD hold memory, notes tell the process, its threads and its files. Sources: the
// ELF specification (gABI 4.1, chapters 4 and 5), elf(5), core(5), and linux/elfcore.h for the notes.

/// A core file of a process or a machine.
public struct ELFCore: Sendable {
    /// One thread.
    public struct Thread: Sendable, Equatable {
        /// Number of the thread.
        public var id: UInt32
        /// Signal it got; 0 if none.
        public var signal: UInt32
        /// Where its note stands.
        public var entry: Int
    }

    /// Most segments that are kept.
    public static let segmentLimit = 1_000_000
    static let noteLimit = 65_536

    /// Segments may all point at the same notes: what is read is bounded for all together.
    struct NoteBudget {
        var count = ELFCore.noteLimit
        var bytes = UInt64(DumpReader.pieceLimit)
    }

    static let fileLimit = 65_536

    /// Memory that the file holds.
    public internal(set) var ranges: [MemoryRange] = []
    /// Files that were mapped.
    public internal(set) var modules: [LoadedModule] = []
    /// Threads.
    public internal(set) var threads: [Thread] = []
    /// Facts about the process as they are shown, in order.
    public internal(set) var facts: [(name: String, value: String)] = []
    /// What could not be read.
    public internal(set) var problems: [ParseError] = []

    let reader: DumpReader
    let is64: Bool
    let isBigEndian: Bool

    /// Reads program headers and notes.
    ///
    /// - Throws: `ParseError` when it is no ELF core file.
    public init(_ content: Content) throws(ParseError) {
        reader = DumpReader(content: content)
        let header = reader.available(at: 0, count: 64)
        let span = header.span
        guard span.matches([0x7F, 0x45, 0x4C, 0x46], at: 0), let width = span.uint8(at: 4),
            let order = span.uint8(at: 5)
        else { throw ParseError(.badMagic, "no ELF header", at: 0) }
        is64 = width == 2
        isBigEndian = order == 2
        guard header.count >= (is64 ? 64 : 52) else {
            throw ParseError(.truncated, "ELF header: need \(is64 ? 64 : 52) bytes, have \(header.count)", at: 0)
        }
        guard number16(header, 16) == 4 else { throw ParseError(.invalid, "an ELF file, but no core", at: 16) }
        let machine = number16(header, 18)
        facts.append(("architecture", Self.machines[machine] ?? "ELF machine \(machine)"))
        let table = word(header, is64 ? 32 : 28)
        let size = Int(number16(header, is64 ? 54 : 42))
        var count = UInt64(number16(header, is64 ? 56 : 44))
        // More segments than the field holds: the number stands in the first section header.
        if count == 0xFFFF, let first = word(header, is64 ? 40 : 32).plus(is64 ? 44 : 28) {
            let held = reader.available(at: first, count: 4)
            if held.count == 4 { count = UInt64(number32(held, 0)) }
        }
        guard size >= (is64 ? 56 : 32) else {
            problems.append(ParseError(.invalid, "program headers of \(size) bytes", at: 0))
            return
        }
        readSegments(at: table, size: size, count: count)
    }

    private mutating func readSegments(at table: UInt64, size: Int, count: UInt64) {
        let place = Int(truncatingIfNeeded: table)
        var wanted = min(count, UInt64(Self.segmentLimit))
        let data = reader.available(at: table, count: wanted * UInt64(size))
        wanted = min(wanted, UInt64(data.count / size))
        if wanted < count {
            let code: ParseError.Code = count > UInt64(Self.segmentLimit) ? .limit : .truncated
            problems.append(ParseError(code, "\(count) segments, \(wanted) were read", at: place))
        }
        var notes = NoteBudget()
        for index in 0..<Int(wanted) {
            guard let entry = data.slice(at: index * size, count: size) else { return }
            let offset = word(entry, is64 ? 8 : 4)
            let address = word(entry, is64 ? 16 : 8)
            let held = word(entry, is64 ? 32 : 16)
            switch number32(entry, 0) {
            case 1 where held > 0:
                ranges.append(MemoryRange(address: address, size: held, offset: offset))
                if offset.plus(held).map({ $0 > UInt64(reader.count) }) ?? true, problems.count < 100 {
                    problems.append(
                        ParseError(
                            .truncated, "the segment at \(address.hex) ends behind the end of the file",
                            at: place + index * size))
                }
            case 4: readNotes(at: offset, size: held, &notes)
            default: break
            }
        }
    }

    func number16(_ bytes: Bytes, _ offset: Int) -> UInt16 {
        (isBigEndian ? bytes.span.bigEndianUInt16(at: offset) : bytes.span.uint16(at: offset)) ?? 0
    }

    func number32(_ bytes: Bytes, _ offset: Int) -> UInt32 {
        (isBigEndian ? bytes.span.bigEndianUInt32(at: offset) : bytes.span.uint32(at: offset)) ?? 0
    }

    /// A word of the file's width; 0 where there is none.
    func word(_ bytes: Bytes, _ offset: Int) -> UInt64 {
        guard is64 else { return UInt64(number32(bytes, offset)) }
        return (isBigEndian ? bytes.span.bigEndianUInt64(at: offset) : bytes.span.uint64(at: offset)) ?? 0
    }

    private static let machines: [UInt16: String] = [
        3: "x86", 8: "MIPS", 20: "PowerPC", 21: "PowerPC64", 22: "S390", 40: "ARM", 62: "AMD64", 183: "ARM64",
        243: "RISC-V",
    ]
}
