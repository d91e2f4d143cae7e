import Dispatch
import Glibc
import Pipeline
import Synchronization

/// An engine whose scan threads live in this process.
///
/// Threads take jobs in the order of arrival; reserved threads take sync jobs only, so that a client who waits always
/// finds one even when async work is queued without end. Other threads without a job help with the slices of large
/// samples, one slice at a time.
public final class InProcessEngine: Engine, SliceHelpers {
    private struct Job: Sendable {
        let submission: Submission
        let witness: TrailWitness?
        let done: @Sendable (Report) -> Void
    }

    private struct Waiting {
        var jobs: [(lane: Lane, job: Job)] = []
        var slices: [SliceWork] = []
        var isClosed = false
    }

    /// Scan threads, the reserved ones included.
    public let threads: Int
    private let chain: Chain
    private let limits: Limits
    private let byteStore: ByteStore
    private let cancellation = Cancellation()
    private let trail: AuditTrail?
    private let waiting = Mutex(Waiting())
    private let anyJob = DispatchSemaphore(value: 0)
    private let syncJob = DispatchSemaphore(value: 0)

    /// Starts the threads.
    ///
    /// - Parameters:
    ///   - threads: All scan threads, at least 1.
    ///   - syncOnly: How many of them take sync jobs only; at least one thread always takes everything.
    ///   - niceness: How far the threads stand back behind others, added to what this process has.
    ///   - trail: Gets every object that is looked at.
    ///   - warmUp: Whether each thread scans a few bytes before this returns, so that libraries have opened what they
    ///     open when they are first used.
    /// - Throws: `SystemError` if a thread cannot be started.
    public init(
        chain: Chain, threads: Int, syncOnly: Int = 0, niceness: Int = 0, limits: Limits = Limits(),
        byteStore: ByteStore, trail: AuditTrail? = nil, warmUp: Bool = false
    ) throws(SystemError) {
        self.threads = max(threads, 1)
        self.chain = chain
        self.limits = limits
        self.byteStore = byteStore
        self.trail = trail
        let reserved = min(max(syncOnly, 0), self.threads - 1)
        let isWarm = DispatchSemaphore(value: 0)
        for index in 0..<self.threads {
            let isReserved = index < reserved
            try startThread { [self] in
                // On Linux that of the calling thread alone.
                if niceness > 0 { _ = nice(Int32(niceness)) }
                if warmUp {
                    _ = chain.scan(
                        Sample(path: "warm-up.txt", bytes: Bytes(utf8: "thunderstorm\n")), limits: limits,
                        byteStore: byteStore)
                    isWarm.signal()
                }
                work(isReserved: isReserved)
            }
        }
        if warmUp { for _ in 0..<self.threads { isWarm.wait() } }
    }

    /// Scans one submission on a thread of this engine.
    public func scan(_ submission: Submission, lane: Lane) async -> Report {
        let witness = trail?.witness(for: submission)
        return await withCheckedContinuation { continuation in
            submit(submission, lane: lane, witness: witness) { report in
                witness?.finish()
                continuation.resume(returning: report)
            }
        }
    }

    /// Scans one submission on a thread of this engine, which then calls `done`.
    func submit(
        _ submission: Submission, lane: Lane, witness: TrailWitness?, done: @escaping @Sendable (Report) -> Void
    ) {
        let accepted = waiting.withLock { waiting in
            guard !waiting.isClosed else { return false }
            waiting.jobs.append((lane, Job(submission: submission, witness: witness, done: done)))
            return true
        }
        guard accepted else { return done(Report(failure: "the engine has ended", of: submission)) }
        anyJob.signal()
        if lane == .sync { syncJob.signal() }
    }

    /// Ends the threads once no job is left.
    public func close() {
        waiting.withLock { $0.isClosed = true }
        for _ in 0..<threads {
            anyJob.signal()
            syncJob.signal()
        }
    }

    /// Calls idle threads to the slices of a large sample; threads reserved for sync jobs never come.
    public func offer(_ work: SliceWork) {
        waiting.withLock { $0.slices.append(work) }
        for _ in 1..<max(min(threads, work.count), 2) { anyJob.signal() }
    }

    /// Forgets work that is done.
    public func withdraw(_ work: SliceWork) {
        waiting.withLock { waiting in waiting.slices.removeAll { $0 === work } }
    }

    private func work(isReserved: Bool) {
        while true {
            (isReserved ? syncJob : anyJob).wait()
            let (job, slices, isClosed) = waiting.withLock { waiting in
                let index = isReserved ? waiting.jobs.firstIndex { $0.lane == .sync } : waiting.jobs.indices.first
                let job = index.map { waiting.jobs.remove(at: $0).job }
                return (job, job == nil && !isReserved ? waiting.slices.first : nil, waiting.isClosed)
            }
            if let slices {
                // Back for the next slice, unless a job has come meanwhile.
                if slices.workOnOneSlice() { anyJob.signal() } else { withdraw(slices) }
                continue
            }
            guard let job else {
                if isClosed { return }
                // Another thread was faster: sync jobs are announced to both kinds of threads.
                continue
            }
            job.done(scan(job))
        }
    }
    private func scan(_ job: Job) -> Report {
        let submission = job.submission
        var content = submission.content
        do {
            // On this thread: a slow disk holds up no other scan.
            if case .file(let file) = content, file.count <= ScanRequest.copyLimit {
                content = .whole(try file.read(at: 0, count: file.count))
            }
        } catch {
            return Report(failure: "\(error)", of: submission)
        }
        let sample = Sample(path: submission.path, content: content, companions: submission.companions)
        return chain.scan(
            sample, limits: limits, byteStore: byteStore, cancellation: cancellation, helpers: self,
            witness: job.witness)
    }
}
