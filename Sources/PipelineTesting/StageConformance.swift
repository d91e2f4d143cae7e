import Pipeline

/// What every stage must stand: hostile input in all its simple forms, no budget, a cancelled scan; damaged or not, a
/// sample never takes the stage to its deadline, nor makes records out of proportion to itself.
///
/// A stage that traps ends the test process, which is the point: run the kit on every stage.
public struct StageConformance {
    /// Name of the sample, for its extension.
    public var path: String
    /// Kind the sample is taken for.
    public var kind: String?
    /// Files that belong to the sample.
    public var companions: [Companion]
    /// How many bit flips are tried.
    public var flips: Int

    /// A kit for samples of the given name and kind.
    public init(path: String = "sample", kind: String? = nil, companions: [Companion] = [], flips: Int = 400) {
        self.path = path
        self.kind = kind
        self.companions = companions
        self.flips = flips
    }

    /// Runs all checks with a good sample.
    ///
    /// - Returns: one sentence for each promise that the stage broke; empty when it conforms.
    public func violations(of stage: some Stage, sample: [UInt8]) -> [String] {
        var broken: [String] = []
        let whole = run(stage, sample)
        if whole != run(stage, sample) { broken.append("the same sample twice gave different output") }
        if run(stage, []).children.count > 0 { broken.append("empty input has children") }

        // Every truncation of a small sample, 512 of a large one.
        let step = max(1, sample.count / 512)
        for length in stride(from: 0, to: sample.count, by: step) {
            let cut = Array(sample[..<length])
            let output = run(stage, cut)
            if output.records.count > whole.records.count + 64 {
                broken.append("truncated to \(length) bytes it has \(output.records.count) records")
            }
        }

        var generator = SplitMix64(seed: 0x5EED)
        for _ in 0..<(sample.isEmpty ? 0 : flips) {
            var flipped = sample
            for _ in 0...Int(generator.next() % 3) {
                flipped[Int(generator.next() % UInt64(flipped.count))] ^= UInt8(1) << UInt8(generator.next() % 8)
            }
            let first = run(stage, flipped)
            if first != run(stage, flipped) { broken.append("a damaged sample twice gave different output") }
        }

        for damage in Self.damages(of: sample) {
            let output = run(stage, damage.bytes)
            if output.issues.contains(where: { $0.code == .timeout }) {
                broken.append("\(damage.name): it ran into its deadline")
            }
            let shown = output.records.reduce(0) { $0 + $1.fields.reduce(0) { $0 + $1.value.utf8.count } }
            if shown > Self.outputLimit + 64 * sample.count {
                broken.append("\(damage.name): records have \(shown) bytes, the sample \(sample.count)")
            }
        }

        var limits = Limits()
        limits.expandedBytes = 0
        limits.expansionGrace = 0
        let starved = run(stage, sample, limits: limits)
        if starved.children.contains(where: { !$0.bytes.isEmpty }) {
            broken.append("without a byte budget it still extracted children")
        }
        if starved.children.count < whole.children.count, starved.issues.isEmpty {
            broken.append("without a byte budget it left children out and did not say so")
        }

        let cancelled = Cancellation()
        cancelled.cancel()
        let stopped = run(stage, sample, cancellation: cancelled)
        if !stopped.issues.contains(where: { $0.code == .timeout }) {
            broken.append("a cancelled scan did not say that it stopped")
        }
        return broken
    }

    // Records of a damaged sample may not be larger than this and 64 times the sample.
    private static let outputLimit = 32 << 20
    // So many fields at the head are tried one after another, and as many spread over the rest.
    private static let fieldCount = 128

    /// Damage that chance seldom makes: counts and offsets of 2^32-1 and around 2^31 in every field of the head,
    /// pages that are zero or missing, the whole sample twice.
    ///
    /// The variants are made one at a time.
    public static func damages(of sample: [UInt8]) -> some Sequence<(name: String, bytes: [UInt8])> {
        let words = sample.count / 4
        let head = min(words, fieldCount)
        let step = max(1, (words - head) / fieldCount)
        let fields = Array(0..<head) + stride(from: head, to: words, by: step)
        let numbers: [UInt32] = [.max, 0x8000_0000, 0x7FFF_FFFF]
        let extreme = fields.lazy.flatMap { field in
            numbers.lazy.map { number in
                var bytes = sample
                for index in 0..<4 { bytes[field * 4 + index] = UInt8(truncatingIfNeeded: number >> (index * 8)) }
                return (name: "0x\(String(number, radix: 16)) at \(field * 4)", bytes: bytes)
            }
        }
        let page = min(4096, max(1, sample.count / 8))
        let pages = stride(from: 0, to: sample.count, by: max(page, sample.count / 64)).lazy
        let zeroed = pages.map { start in
            var bytes = sample
            for index in start..<min(start + page, bytes.count) { bytes[index] = 0 }
            return (name: "\(page) bytes of zero at \(start)", bytes: bytes)
        }
        let missing = pages.map { start in
            (name: "\(page) bytes missing at \(start)", bytes: Array(sample[..<start] + sample.dropFirst(start + page)))
        }
        let twice = CollectionOfOne((name: "the sample twice", bytes: sample + sample)).lazy
        return [AnySequence(extreme), AnySequence(zeroed), AnySequence(missing), AnySequence(twice)].joined()
    }

    private func run(
        _ stage: some Stage, _ sample: [UInt8], limits: Limits = Limits(),
        cancellation: Cancellation = Cancellation()
    ) -> ScannedOutput {
        scan(
            stage, Bytes(sample), path: path, kind: kind, companions: companions, limits: limits,
            cancellation: cancellation)
    }
}

/// A small generator with a seed: tests that use chance stay the same from run to run.
public struct SplitMix64: RandomNumberGenerator, Sendable {
    private var state: UInt64

    /// A generator that always gives the same numbers for the same seed.
    public init(seed: UInt64) { state = seed }

    /// The next number.
    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
