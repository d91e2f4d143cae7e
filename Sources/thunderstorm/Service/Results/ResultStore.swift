import NIOPosix
import Pipeline
import Synchronization

// What has become of async samples: those being scanned and those just done are in memory, the rest in the index. A
// result is kept as the report, since both generations of the API may ask for it.

/// A report with the context of its events.
struct StoredResult: Sendable {
    var report: Report
    var context: EventContext
}

/// States of async samples by id.
final class ResultStore: Sendable {
    /// What has become of a sample.
    enum State: Sendable {
        case waiting
        case scanning
        case complete(StoredResult)
        case failed

        /// The status as clients know it.
        var words: String {
            switch self {
            case .waiting: "Waiting for execution"
            case .scanning: "Currently being scanned"
            case .complete: "Sample analysis complete"
            case .failed: "Sample analysis failed"
            }
        }
    }

    private let index: ServiceIndex
    private let keepsResults: Bool
    private let known = Mutex<[Int64: State]>([:])

    /// States over an index.
    ///
    /// - Parameter keepsResults: Whether the index keeps any; without, a sample is forgotten as soon as it is done.
    init(index: ServiceIndex, keepsResults: Bool = true) {
        self.index = index
        self.keepsResults = keepsResults
    }

    /// The state of a sample; nil when it was never there or is forgotten.
    ///
    /// - Throws: when the index cannot be read.
    func state(of id: Int64) async throws -> State? {
        if let state = known.withLock({ $0[id] }) { return state }
        return try await NIOThreadPool.singleton.runIfActive { [self] () -> State? in
            if let stored = try index.result(id) { return Self.decoded(stored) }
            if try index.isWaiting(id) { return .waiting }
            // It may have begun meanwhile, or be done by now.
            if let state = known.withLock({ $0[id] }) { return state }
            return try index.result(id).map(Self.decoded)
        }
    }

    /// A sample is being scanned.
    func setScanning(_ id: Int64) { known.withLock { $0[id] = .scanning } }

    /// A sample is done; what is to be stored of it.
    func conclude(_ id: Int64, _ state: State, source: String) -> ServiceIndex.Result {
        if keepsResults { known.withLock { $0[id] = state } }
        guard case .complete(let result) = state else {
            return ServiceIndex.Result(
                id: id, report: nil, context: EventContext(time: currentTime(), hostname: source, scanID: ""))
        }
        return ServiceIndex.Result(id: id, report: ReportCodec.encode(result.report), context: result.context)
    }

    /// Results are in the index from now on.
    func committed(_ ids: [Int64]) {
        known.withLock { known in
            for id in ids { known[id] = nil }
        }
    }

    private static func decoded(_ stored: ServiceIndex.Result) -> State {
        guard let encoded = stored.report, let report = ReportCodec.decode(Bytes(encoded)) else { return .failed }
        return .complete(StoredResult(report: report, context: stored.context))
    }
}
