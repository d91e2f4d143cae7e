import Dispatch
import Glibc
import Pipeline
import Synchronization

// Group commit: everything that has to be durable goes through here. While one batch is being written the next one
// gathers, so that many uploads share one sync of the directory and one transaction. The order is what makes an
// answered id safe: content and what is known of it, its name, the index, and only then the answer.

/// Makes samples and results durable, in batches.
final class Journal: Sendable {
    /// A sample that was received: content, and what is known of it behind that.
    enum Received: Sendable {
        /// In a file of its own.
        case file(SampleFile)
        /// In memory: it gets into a file together with others.
        case bytes([UInt8])
    }

    private struct Accept {
        var received: Received
        var sample: QueuedSample
        var done: CheckedContinuation<Result<SamplePlace, SystemError>, Never>
    }

    private typealias Kept = (accept: Accept, place: SamplePlace)
    private typealias Failed = (accept: Accept, error: SystemError)

    private struct Pending {
        var accepts: [Accept] = []
        var changes = ServiceIndex.Changes()
        // Where the samples of the concluded ones lie.
        var places: [SamplePlace] = []
        var waiters: [CheckedContinuation<Void, Never>] = []
        var isScheduled = false
        var isDelayed = false
        var isClosed = false
    }

    // Results that wait for their commit; workers are held when there are more.
    private static let resultLimit = 256
    // Results are in memory until they are committed, and their samples on disk: nobody waits for them.
    private static let delayMilliseconds = 50
    private static let retryMilliseconds = 1_000

    private let directory: UploadDirectory
    private let index: ServiceIndex
    private let work = DispatchQueue(label: "thunderstorm.journal")
    private let pending = Mutex(Pending())
    private let failure = Mutex<String?>(nil)
    private let beforeConclusions: @Sendable () -> Void
    private let concluded: @Sendable ([Int64]) -> Void

    /// A journal of one directory.
    ///
    /// - Parameters:
    ///   - beforeConclusions: Writes what else belongs to results; called before they are committed.
    ///   - concluded: Told the ids whose results are committed.
    init(
        directory: UploadDirectory, index: ServiceIndex, beforeConclusions: @escaping @Sendable () -> Void = {},
        concluded: @escaping @Sendable ([Int64]) -> Void
    ) {
        self.directory = directory
        self.index = index
        self.beforeConclusions = beforeConclusions
        self.concluded = concluded
    }

    /// Why the last commit failed; nil when it did not.
    var lastFailure: String? { failure.withLock { $0 } }

    /// Makes a sample durable; it will be in the queue after a restart.
    ///
    /// - Returns: Where it lies.
    /// - Throws: `SystemError`; nothing is left of the sample then.
    func accept(_ received: Received, as sample: QueuedSample) async throws(SystemError) -> SamplePlace {
        let result: Result<SamplePlace, SystemError> = await withCheckedContinuation { continuation in
            let isClosed = pending.withLock { pending in
                if pending.isClosed { return true }
                pending.accepts.append(Accept(received: received, sample: sample, done: continuation))
                return false
            }
            if isClosed {
                continuation.resume(returning: .failure(SystemError("the service ends", number: ECANCELED)))
            } else {
                schedule(now: true)
            }
        }
        return try result.get()
    }

    /// Stores a result, then removes the sample; returns at once unless too many wait for their commit.
    func conclude(_ result: ServiceIndex.Result, at place: SamplePlace) async {
        let isFull = pending.withLock { pending in
            pending.changes.concluded.append(result)
            pending.places.append(place)
            return pending.changes.concluded.count > Self.resultLimit && !pending.isClosed
        }
        schedule(now: isFull)
        guard isFull else { return }
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            let waits = pending.withLock { pending in
                guard pending.changes.concluded.count > Self.resultLimit, !pending.isClosed else { return false }
                pending.waiters.append(continuation)
                return true
            }
            if !waits { continuation.resume() }
        }
    }

    /// Stores other changes soon.
    func note(_ change: (inout ServiceIndex.Changes) -> Void) {
        pending.withLock { change(&$0.changes) }
        schedule(now: false)
    }

    /// Writes all that waits.
    func flush() { work.sync { commit() } }

    /// Writes all that waits, and takes no samples any more.
    func close() {
        pending.withLock { $0.isClosed = true }
        flush()
        let waiters = pending.withLock { pending in
            defer { pending.waiters = [] }
            return pending.waiters
        }
        for waiter in waiters { waiter.resume() }
        index.close()
    }

    private func schedule(now: Bool) {
        let schedules = pending.withLock { pending in
            if pending.isClosed || (now ? pending.isScheduled : pending.isScheduled || pending.isDelayed) {
                return false
            }
            if now { pending.isScheduled = true } else { pending.isDelayed = true }
            return true
        }
        guard schedules else { return }
        if now {
            work.async { [self] in commit() }
        } else {
            let delay = lastFailure == nil ? Self.delayMilliseconds : Self.retryMilliseconds
            work.asyncAfter(deadline: .now() + .milliseconds(delay)) { [self] in commit() }
        }
    }

    private func commit() {
        let (accepts, changes, places) = pending.withLock { pending in
            let batch = (pending.accepts, pending.changes, pending.places)
            pending.accepts = []
            pending.changes = ServiceIndex.Changes()
            pending.places = []
            pending.isScheduled = false
            pending.isDelayed = false
            return batch
        }
        guard !accepts.isEmpty || !changes.isEmpty else { return }
        let (kept, failed) = keep(accepts)
        var all = changes
        all.accepted = kept.map(\.accept.sample)
        if !changes.concluded.isEmpty { beforeConclusions() }
        do {
            try index.commit(all)
            failure.withLock { $0 = nil }
            // Clients wait for their answers, nobody for what comes after.
            for (accept, place) in kept { accept.done.resume(returning: .success(place)) }
            concluded(changes.concluded.map(\.id))
            for place in places { directory.remove(place) }
            wakeWaiters()
        } catch {
            let reason = SystemError("cannot write the index: \(error)", number: ENOSPC)
            failure.withLock { $0 = reason.description }
            for (accept, place) in kept {
                directory.remove(place)
                accept.done.resume(returning: .failure(reason))
            }
            // Their samples are still there; tried again, and scanned again if this run ends before.
            pending.withLock { pending in
                pending.changes.concluded = changes.concluded + pending.changes.concluded
                pending.places = places + pending.places
                pending.changes.minutes = changes.minutes + pending.changes.minutes
                pending.changes.collections = changes.collections + pending.changes.collections
                // Busy sources have newer ones by now; while the disk is full, old ones must not pile up.
                let newer = Set(pending.changes.dayUses.map(\.name))
                pending.changes.dayUses =
                    changes.dayUses.filter { !newer.contains($0.name) } + pending.changes.dayUses
            }
            if !changes.isEmpty { schedule(now: false) }
        }
        for (accept, reason) in failed { accept.done.resume(returning: .failure(reason)) }
    }

    // Names first, then one sync for all: a name without its whole content ends without the mark of a trailer, so the
    // next run sees that it was never acknowledged.
    private func keep(_ accepts: [Accept]) -> (kept: [Kept], failed: [Failed]) {
        var kept: [Kept] = []
        var failed: [Failed] = []
        var files: [SampleFile] = []
        var small: [(Accept, [UInt8])] = []
        for accept in accepts {
            switch accept.received {
            case .bytes(let bytes): small.append((accept, bytes))
            case .file(let file):
                do {
                    try file.keep()
                    files.append(file)
                    kept.append((accept, file.place))
                } catch {
                    failed.append((accept, error))
                }
            }
        }
        if let first = small.first?.0 {
            do {
                let file = try directory.newFile(first.sample.id, samples: small.count)
                try file.append(small.reduce(into: []) { $0 += $1.1 })
                try file.keep()
                files.append(file)
                if small.count > 1 { directory.shared.add(file.place.file, waiting: small.count) }
                var place = file.place
                for (accept, bytes) in small {
                    place.end = (place.end ?? 0) + bytes.count
                    kept.append((accept, place))
                }
            } catch {
                failed += small.map { ($0.0, error) }
            }
        }
        guard !files.isEmpty else { return (kept, failed) }
        do {
            try directory.files.sync(files.map(\.descriptor))
        } catch {
            for (accept, place) in kept {
                directory.remove(place)
                failed.append((accept, error))
            }
            kept = []
        }
        return (kept, failed)
    }

    private func wakeWaiters() {
        let waiters = pending.withLock { pending in
            defer { pending.waiters = [] }
            return pending.waiters
        }
        for waiter in waiters { waiter.resume() }
    }
}
