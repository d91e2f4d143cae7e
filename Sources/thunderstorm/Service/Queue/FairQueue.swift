import Pipeline
import Synchronization

// The queue of async samples. Sources take turns, each with its oldest sample, so that a host that sends a million
// files does not hold up the next one that sends ten; within a source the order is that of arrival. Taking a sample
// costs the same whatever waits. Only ids and places are in memory: what is known of a sample lies in its file.

/// Ids of samples that wait for their scan, bounded in number and bytes.
final class FairQueue: Sendable {
    /// A sample whose turn it is.
    struct Ticket: Sendable, Equatable {
        /// Its async id.
        var id: Int64
        /// Where it lies.
        var place: SamplePlace
        /// Its size in bytes.
        var count: Int
        /// Monotonic time of its arrival in this run, in nanoseconds.
        var arrival: UInt64
    }

    // First in, first out without moving what is inside.
    private struct Line<Element> {
        private var elements: [Element] = []
        private var first = 0

        var count: Int { elements.count - first }

        mutating func append(_ element: Element) { elements.append(element) }

        mutating func popFirst() -> Element? {
            guard first < elements.count else { return nil }
            let element = elements[first]
            first += 1
            if first > 32, first > elements.count / 2 {
                elements.removeFirst(first)
                first = 0
            }
            return element
        }
    }

    private struct Contents {
        var lines: [String: Line<Ticket>] = [:]
        // Sources with samples, each once, in the order of their turns.
        var turns = Line<String>()
        var count = 0
        var bytes = 0
        var promised = 0
        var promisedBytes = 0
        var takers: [CheckedContinuation<Ticket?, Never>] = []
        var isClosed = false

        mutating func append(_ ticket: Ticket, source: String) {
            if lines[source] == nil { turns.append(source) }
            lines[source, default: Line()].append(ticket)
            count += 1
            bytes += ticket.count
        }

        mutating func popFirst() -> Ticket? {
            guard let source = turns.popFirst(), let ticket = lines[source]?.popFirst() else { return nil }
            if lines[source]?.count == 0 {
                lines[source] = nil
            } else {
                turns.append(source)
            }
            count -= 1
            bytes -= ticket.count
            return ticket
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

    /// Bytes of the samples that wait.
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
    ///
    /// - Parameter place: Where it lies; nil for a file of its own.
    func append(id: Int64, at place: SamplePlace? = nil, source: String, count: Int) {
        let ticket = Ticket(
            id: id, place: place ?? SamplePlace(file: id), count: count, arrival: monotonicNanoseconds())
        let taker = contents.withLock { contents -> CheckedContinuation<Ticket?, Never>? in
            if !contents.isClosed, let taker = contents.takers.popLast() { return taker }
            contents.append(ticket, source: source)
            return nil
        }
        taker?.resume(returning: ticket)
    }

    /// The sample whose turn it is, as soon as there is one; nil when the queue was closed.
    func next() async -> Ticket? {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let (answers, ticket) = contents.withLock { contents -> (Bool, Ticket?) in
                    if contents.isClosed { return (true, nil) }
                    if let ticket = contents.popFirst() { return (true, ticket) }
                    contents.takers.append(continuation)
                    return (false, nil)
                }
                if answers { continuation.resume(returning: ticket) }
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
