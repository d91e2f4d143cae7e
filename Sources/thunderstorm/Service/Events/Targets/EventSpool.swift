import Synchronization

/// Lines that wait for a target: a queue with a limit in bytes, filled without ever waiting.
///
/// When it is full, new lines are dropped and counted: what is there already is older, and nearer to the cause.
final class EventSpool: Sendable {
    struct Counts: Equatable {
        /// Lines that wait.
        var waiting = 0
        /// Bytes of them.
        var bytes = 0
        /// Lines dropped since the start.
        var dropped = 0
        /// Lines delivered since the start.
        var delivered = 0
    }

    private struct State {
        var lines: [[UInt8]] = []
        // Position of the first waiting line: those before it are delivered.
        var first = 0
        var counts = Counts()
        var untoldDrops = 0
        var isClosed = false
    }

    let limit: Int
    /// Tells the reader that there is something to do.
    let wake: AsyncStream<Void>
    private let signal: AsyncStream<Void>.Continuation
    private let state = Mutex(State())

    init(limit: Int) {
        self.limit = limit
        (wake, signal) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    }

    var counts: Counts { state.withLock { $0.counts } }

    var isClosed: Bool { state.withLock { $0.isClosed } }

    /// Adds lines, or counts those that do not fit as dropped.
    ///
    /// - Parameter always: Add them although the spool is full: a word about what was dropped must not be dropped itself.
    func append(_ lines: [[UInt8]], always: Bool = false) {
        let added = state.withLock { state in
            let before = state.lines.count
            for line in lines {
                guard always || (!state.isClosed && state.counts.bytes + line.count <= limit) else {
                    state.counts.dropped += 1
                    state.untoldDrops += 1
                    continue
                }
                state.lines.append(line)
                state.counts.waiting += 1
                state.counts.bytes += line.count
            }
            return state.lines.count > before
        }
        if added { signal.yield() }
    }

    /// No lines from now on; the reader is woken.
    func close() {
        state.withLock { $0.isClosed = true }
        signal.yield()
    }

    /// The next lines, up to so many bytes but at least one; empty when none waits.
    func peek(bytes: Int) -> [[UInt8]] {
        state.withLock { state in
            var sum = 0
            var end = state.first
            while end < state.lines.count, end == state.first || sum + state.lines[end].count <= bytes {
                sum += state.lines[end].count
                end += 1
            }
            return Array(state.lines[state.first..<end])
        }
    }

    /// Takes away lines that were delivered.
    func remove(_ count: Int) {
        state.withLock { state in
            let end = min(state.first + count, state.lines.count)
            for line in state.lines[state.first..<end] { state.counts.bytes -= line.count }
            state.counts.waiting -= end - state.first
            state.counts.delivered += end - state.first
            state.first = end
            // Moved together now and then, so that a line costs a constant in the mean.
            if state.first > 1024, state.first * 2 > state.lines.count {
                state.lines.removeFirst(state.first)
                state.first = 0
            }
        }
    }

    /// Lines dropped since this was last asked.
    func takeUntoldDrops() -> Int {
        state.withLock { state in
            defer { state.untoldDrops = 0 }
            return state.untoldDrops
        }
    }
}
