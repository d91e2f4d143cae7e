/// A part of a large sample, as the stages see it.
public struct Slice: Sendable {
    /// The bytes of the part.
    public let bytes: Bytes
    /// Where the part stands in the sample, in bytes from its start.
    public let range: Range<Int>
    /// How many bytes at the beginning the part before has too.
    ///
    /// A stage reports what it finds there like everything else: the runner leaves out what the part before has told.
    public let overlap: Int
    /// Where the part after begins; the end for the last one.
    ///
    /// What begins at or behind it belongs to that part.
    public let next: Int
}

/// How a large sample is cut.
public struct SlicePlan: Sendable {
    /// Bytes of one slice.
    public var size: Int
    /// Bytes that two neighbouring slices share: a match up to this length lies in one slice as a whole.
    public var overlap: Int
    /// Feature name of findings in slices (`DumpScan`).
    public var module: String
    /// Tells which memory a byte of the sample shows; called from several threads.
    public var place: @Sendable (Int) -> MemoryPlace?

    /// A plan with its parts.
    public init(
        size: Int, overlap: Int, module: String, place: @escaping @Sendable (Int) -> MemoryPlace? = { _ in nil }
    ) {
        self.size = size
        self.overlap = overlap
        self.module = module
        self.place = place
    }

    // The slices of a sample; the last one is the shorter one. Whatever lies in an overlap only makes no slice.
    func ranges(of count: Int) -> [Range<Int>] {
        let step = size - overlap
        guard count > size else { return count > 0 ? [0..<count] : [] }
        let number = (count - overlap + step - 1) / step
        return (0..<number).map { ($0 * step)..<min($0 * step + size, count) }
    }
}

/// Threads without work that may help with the slices of a large sample.
public protocol SliceHelpers: Sendable {
    /// Offers work and returns at once; nobody has to come. Each helper takes one slice at a time.
    func offer(_ work: SliceWork)

    /// Takes the offer back: no slice is left to be taken.
    func withdraw(_ work: SliceWork)
}
