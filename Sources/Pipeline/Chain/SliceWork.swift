import Dispatch
import Synchronization

// The slices of one sample as work that several threads take from. What a slice may use is split beforehand and every
// slice has its own run of the chain, so that the result does not depend on who did what; only the deadline and the
// cancellation are shared.

/// The slices of one sample, for the thread that cut it and for those that help.
public final class SliceWork: Sendable {
    struct Result: Sendable {
        var reasons: [Reason] = []
        var records: [Finding] = []
        var inner: [(position: Int, findings: [Finding])] = []
        var issues: [Issue] = []
        var statistics: [StageStatistics] = []
        var samples = 0
        var recordCount = 0
        var byteCount = 0
        var expandedBytes = 0
        var positions = 0
        var trace: SampleTrace?
        // The deadline was over before it began.
        var isSkipped = false
    }

    /// What every slice is scanned with.
    struct Setting: Sendable {
        var chain: Chain
        var limits: Limits
        var childLimit: Int
        var byteStore: ByteStore
        var cancellation: Cancellation
        var submissionEnd: UInt64
        var helpers: (any SliceHelpers)?
        var witness: (any ScanWitness)?
        /// The sample that was cut, behind the samples around it.
        var samples: [Sample]
        /// Its place in the tree of the submission.
        var id: String
        var firstStage: Int
        var isTraced: Bool
    }

    let plan: SlicePlan
    let ranges: [Range<Int>]
    private let setting: Setting
    private let next = Atomic<Int>(0)
    private let results: Mutex<[Result?]>
    private let finished = DispatchSemaphore(value: 0)

    init(_ plan: SlicePlan, _ ranges: [Range<Int>], _ setting: Setting) {
        self.plan = plan
        self.ranges = ranges
        self.setting = setting
        results = Mutex(Array(repeating: nil, count: ranges.count))
    }

    /// Number of slices.
    public var count: Int { ranges.count }

    /// Takes a slice nobody has taken yet and scans it.
    ///
    /// - Returns: false when there was none left.
    public func workOnOneSlice() -> Bool {
        let index = next.add(1, ordering: .relaxed).oldValue
        guard index < ranges.count else { return false }
        let result = scan(index)
        results.withLock { $0[index] = result }
        finished.signal()
        return true
    }

    // Place of a slice in the tree of the submission.
    func id(ofSlice index: Int) -> String { "\(setting.id)@\(index + 1)" }

    // Waits for the slices that helpers have taken; all are taken by then.
    func allResults() -> [Result] {
        for _ in ranges { finished.wait() }
        return results.withLock { $0.compactMap { $0 } }
    }

    private func scan(_ index: Int) -> Result {
        var result = Result()
        guard !setting.cancellation.isCancelled, monotonicNanoseconds() < setting.submissionEnd,
            let sample = setting.samples.last
        else {
            result.isSkipped = true
            return result
        }
        let run = ChainRun(
            chain: setting.chain, limits: setting.limits, byteStore: setting.byteStore,
            cancellation: setting.cancellation, submissionEnd: setting.submissionEnd, helpers: setting.helpers,
            witness: setting.witness, isTraced: setting.isTraced)
        var frame: Frame?
        for around in setting.samples {
            frame = Frame(sample: around, parent: frame, position: 0, id: id(ofSlice: index))
        }
        guard let frame else { return result }
        frame.childLimit = setting.childLimit
        if setting.isTraced {
            frame.trace = SampleTrace(sample)
            frame.trace?.start(setting.chain)
        }
        run.nextPosition = 1
        let range = ranges[index]
        do {
            let slice = Slice(
                bytes: try sample.content.piece(at: range.lowerBound, count: range.count), range: range,
                overlap: index == 0 ? 0 : plan.overlap,
                next: index + 1 < ranges.count ? ranges[index + 1].lowerBound : range.upperBound)
            run.inspect(slice, on: frame, from: setting.firstStage)
        } catch {
            frame.add(
                Issue(
                    .failed, stage: run.name(of: setting.firstStage),
                    message: "\(error); bytes \(range.lowerBound) to \(range.upperBound) were not looked at",
                    offset: range.lowerBound))
        }
        result.reasons = frame.reasons
        result.records = frame.records
        result.inner = run.findings
        result.issues = frame.allIssues
        result.statistics = run.statistics
        result.samples = run.sampleCount
        result.recordCount = run.recordCount
        result.byteCount = run.byteCount
        result.expandedBytes = run.expandedBytes
        result.positions = run.nextPosition
        result.trace = frame.trace
        return result
    }
}
