import Pipeline
import Synchronization

// What `/api/status` counts, and the rate at which work is done, from which `Retry-After` follows.

/// Counters since the start of the service.
final class ServiceCounters: Sendable {
    /// A moment's values.
    struct Snapshot: Equatable {
        /// Samples scanned.
        var scanned = 0
        /// Samples that are scanned now, or wait for a thread that takes them next.
        var running = 0
        /// Uploads refused for want of room.
        var denied = 0
        /// Uploads asked for, the refused ones included.
        var requests = 0
        /// Samples whose verdict was known.
        var cacheHits = 0
        /// Uploads refused because their source or token sends too much.
        var quotaWaits = 0
        /// Mean time in stages, in nanoseconds.
        var meanScan: UInt64 = 0
        /// Mean time before and between, in nanoseconds.
        var meanWait: UInt64 = 0
        /// Mean time from receipt to result, in nanoseconds.
        var meanTotal: UInt64 = 0
    }

    private struct Contents {
        var scanned = 0
        var running = 0
        var denied = 0
        var requests = 0
        var cacheHits = 0
        var quotaWaits = 0
        var scanTime: UInt64 = 0
        var totalTime: UInt64 = 0
        // Samples done in each of the last seconds, by second modulo the window.
        var recent = [Int](repeating: 0, count: Int(window))
        var newest: UInt64 = 0
    }

    private static let window: UInt64 = 60

    private let contents = Mutex(Contents())
    private let started = monotonicNanoseconds()

    /// Whole seconds since the start, at least 1: clients take 0 for a service that does not run.
    var uptime: Int { Int(max(1, (monotonicNanoseconds() - started) / 1_000_000_000)) }

    /// Counts an upload that was asked for.
    func countRequest() { contents.withLock { $0.requests += 1 } }

    /// Counts an upload that was refused.
    func countDenied() { contents.withLock { $0.denied += 1 } }

    /// Counts a sample whose verdict was known; it counts as scanned besides.
    func countCacheHit() { contents.withLock { $0.cacheHits += 1 } }

    /// Counts an upload that was refused because its source or token sends too much.
    func countQuotaWait() { contents.withLock { $0.quotaWaits += 1 } }

    /// A sample is handed to the engine (1) or comes back (-1).
    func countRunning(_ change: Int) { contents.withLock { $0.running += change } }

    /// Counts a scanned sample.
    ///
    /// - Parameters:
    ///   - scan: Nanoseconds in stages.
    ///   - total: Nanoseconds from receipt to result.
    func countScanned(scan: UInt64, total: UInt64) {
        let second = (monotonicNanoseconds() - started) / 1_000_000_000
        contents.withLock { contents in
            contents.scanned += 1
            contents.scanTime &+= min(scan, total)
            contents.totalTime &+= total
            Self.advance(&contents, to: second)
            contents.recent[Int(second % Self.window)] += 1
        }
    }

    /// The values now.
    var snapshot: Snapshot {
        contents.withLock { contents in
            let samples = UInt64(max(contents.scanned, 1))
            return Snapshot(
                scanned: contents.scanned, running: contents.running, denied: contents.denied,
                requests: contents.requests,
                cacheHits: contents.cacheHits, quotaWaits: contents.quotaWaits, meanScan: contents.scanTime / samples,
                meanWait: (contents.totalTime - contents.scanTime) / samples,
                meanTotal: contents.totalTime / samples)
        }
    }

    /// Seconds until so many samples are done at the rate of the last minute, 1...120; a guess while nothing is.
    func seconds(for samples: Int) -> Int {
        let second = (monotonicNanoseconds() - started) / 1_000_000_000
        let done = contents.withLock { contents in
            Self.advance(&contents, to: second)
            return contents.recent.reduce(0, +)
        }
        guard done > 0 else { return samples > 100 ? 30 : 5 }
        let seconds = Int(min(second + 1, Self.window))
        return min(max((max(samples, 1) * seconds + done - 1) / done, 1), 120)
    }

    private static func advance(_ contents: inout Contents, to second: UInt64) {
        guard second > contents.newest else { return }
        for passed in 1...min(second - contents.newest, window) {
            contents.recent[Int((contents.newest + passed) % window)] = 0
        }
        contents.newest = second
    }
}
