/// Limits of one submission.
///
/// Every one that is reached is said in the report.
public struct Limits: Sendable, Equatable {
    /// Deepest level of extraction; the submitted sample is level 0.
    public var depth = 8
    /// Most children extracted from one sample.
    public var childrenPerSample = 10_000
    /// Most bytes of all children together.
    public var expandedBytes = 4 << 30
    /// Most children that a triage collection may have, whatever its stage is told.
    public var collectionChildren = 1_000_000
    /// Most bytes of all children together once a triage collection was recognised.
    public var collectionBytes = 64 << 30
    /// Longest time for a submission with a triage collection in it, in seconds.
    public var collectionSeconds = 7200.0
    /// Added for each megabyte of a triage collection, up to `collectionSeconds`: it unpacks to many times its size, and
    /// a small file that hangs is still noticed soon.
    public var collectionSecondsPerMegabyte = 30.0
    /// Most bytes extracted from one sample for each byte of it, once `expansionGrace` is used up.
    public var expansionRatio = 200
    /// Bytes that a sample may always expand to, whatever the ratio.
    public var expansionGrace = 100 << 20
    /// Longest time for the whole submission, in seconds.
    public var seconds = 600.0
    /// Added to `seconds` for each megabyte of the submitted sample: a large dump takes longer than a script.
    public var secondsPerMegabyte = 0.1
    /// Longest time of one stage for one sample, in seconds.
    public var stageSeconds = 120.0

    /// The default limits.
    public init() {}

    /// Longest time for a submission of so many bytes, in seconds.
    public func seconds(forBytes count: Int) -> Double { seconds + Double(count) / 1e6 * secondsPerMegabyte }

    /// Longest time for a submission that turns out to be a triage collection, in seconds.
    public func seconds(forCollectionOf count: Int) -> Double {
        let bySize = seconds + Double(count) / 1e6 * collectionSecondsPerMegabyte
        return max(seconds(forBytes: count), min(collectionSeconds, bySize))
    }
}
