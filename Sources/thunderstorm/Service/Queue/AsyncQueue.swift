import Synchronization

// The queue of async samples: first in, first out, bounded in number and bytes. A place is taken before a body is
// read, so that an answered id is always kept.

/// Samples that wait for their scan.
final class AsyncQueue: Sendable {
    private struct Contents {
        var samples: [QueuedSample] = []
        var first = 0
        var bytes = 0
        var promised = 0
        var promisedBytes = 0
        var takers: [CheckedContinuation<QueuedSample?, Never>] = []
        var isClosed = false

        var count: Int { samples.count - first }

        mutating func popFirst() -> QueuedSample? {
            guard first < samples.count else { return nil }
            let sample = samples[first]
            first += 1
            bytes -= sample.count
            if first > 1024, first > samples.count / 2 {
                samples.removeFirst(first)
                first = 0
            }
            return sample
        }
    }

    private let countLimit: Int
    private let byteLimit: Int
    private let contents = Mutex(Contents())

    /// An empty queue with its limits.
    init(countLimit: Int, byteLimit: Int) {
        self.countLimit = countLimit
        self.byteLimit = byteLimit
    }

    /// Samples that wait.
    var count: Int { contents.withLock { $0.count } }

    /// Bytes of samples that wait.
    var bytes: Int { contents.withLock { $0.bytes } }

    /// Whether nothing more is taken.
    var isFull: Bool { contents.withLock { !hasRoom($0, for: 0) } }

    /// Takes room for a sample of about so many bytes; false when the queue is full.
    ///
    /// Whoever has it gives it back with `release`, whether the sample was queued or not.
    func reserve(bytes: Int) -> Bool {
        contents.withLock { contents in
            guard hasRoom(contents, for: bytes) else { return false }
            contents.promised += 1
            contents.promisedBytes += bytes
            return true
        }
    }

    /// Gives room back that was reserved.
    func release(bytes: Int) {
        contents.withLock { contents in
            contents.promised -= 1
            contents.promisedBytes -= bytes
        }
    }

    /// Queues a sample; a worker that waits gets it at once.
    func append(_ sample: QueuedSample) {
        let taker = contents.withLock { contents -> CheckedContinuation<QueuedSample?, Never>? in
            if !contents.isClosed, let taker = contents.takers.popLast() { return taker }
            contents.samples.append(sample)
            contents.bytes += sample.count
            return nil
        }
        taker?.resume(returning: sample)
    }

    /// The next sample, as soon as there is one; nil when the queue was closed.
    func next() async -> QueuedSample? {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let (answers, sample) = contents.withLock { contents -> (Bool, QueuedSample?) in
                    if contents.isClosed { return (true, nil) }
                    if let sample = contents.popFirst() { return (true, sample) }
                    contents.takers.append(continuation)
                    return (false, nil)
                }
                if answers { continuation.resume(returning: sample) }
            }
        } onCancel: {
            close()
        }
    }

    /// Hands out nothing more; what waits stays on disk for the next run.
    func close() {
        let takers = contents.withLock { contents in
            contents.isClosed = true
            defer { contents.takers = [] }
            return contents.takers
        }
        for taker in takers { taker.resume(returning: nil) }
    }

    private func hasRoom(_ contents: Contents, for bytes: Int) -> Bool {
        contents.count + contents.promised < countLimit
            && bytes <= byteLimit - contents.bytes - contents.promisedBytes
    }
}
