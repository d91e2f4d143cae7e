import Pipeline
import Synchronization

// What has become of async samples: those on their way, and the last N that are done. A result is kept as the report,
// since both generations of the API may ask for it.

/// A report with the context of its events.
struct StoredResult: Sendable {
    var report: Report
    var context: EventContext
}

/// States of async samples by id.
final class ResultCache: Sendable {
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

    private struct Contents {
        var states: [Int64: State] = [:]
        // Ids in the order of completion.
        var done: [Int64] = []
        var firstDone = 0
        var findings = 0
    }

    // Findings of all kept reports together: some samples have thousands.
    private static let findingLimit = 500_000

    private let capacity: Int
    private let contents = Mutex(Contents())

    /// A cache of the last `capacity` results; 0 keeps none.
    init(capacity: Int) { self.capacity = capacity }

    /// The state of a sample; nil when it was never there or is forgotten.
    func state(of id: Int64) -> State? { contents.withLock { $0.states[id] } }

    /// A sample is in the queue.
    func setWaiting(_ id: Int64) { contents.withLock { $0.states[id] = .waiting } }

    /// A sample is being scanned.
    func setScanning(_ id: Int64) { contents.withLock { $0.states[id] = .scanning } }

    /// A sample is done.
    func setComplete(_ id: Int64, _ result: StoredResult) { conclude(id, .complete(result)) }

    /// A sample could not be scanned.
    func setFailed(_ id: Int64) { conclude(id, .failed) }

    /// Forgets a sample that did not make it into the queue.
    func forget(_ id: Int64) { contents.withLock { _ = $0.states.removeValue(forKey: id) } }

    private func conclude(_ id: Int64, _ state: State) {
        contents.withLock { contents in
            contents.states[id] = state
            contents.done.append(id)
            contents.findings += weight(state)
            while contents.done.count - contents.firstDone > capacity
                || contents.findings > Self.findingLimit && contents.done.count - contents.firstDone > 1
            {
                let oldest = contents.done[contents.firstDone]
                contents.firstDone += 1
                if let dropped = contents.states.removeValue(forKey: oldest) { contents.findings -= weight(dropped) }
            }
            if contents.firstDone > 1024, contents.firstDone > contents.done.count / 2 {
                contents.done.removeFirst(contents.firstDone)
                contents.firstDone = 0
            }
        }
    }

    private func weight(_ state: State) -> Int {
        guard case .complete(let result) = state else { return 1 }
        return result.report.findings.count + 1
    }
}
