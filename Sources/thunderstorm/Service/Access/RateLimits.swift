import Pipeline
import Synchronization

/// How much a source or token may send.
struct Allowance: Sendable {
    /// Uploads a minute, a minute's worth of them at once; nil for no limit.
    var uploadsPerMinute: Int?
    /// Bytes a day; nil for no limit.
    var bytesPerDay: Int?
}

/// Counts what sources and tokens send; bounded in memory, whatever names clients make up.
final class RateLimits: Sendable {
    /// Why an upload is refused.
    enum Refusal: Equatable {
        case rate(seconds: Int)
        case quota(seconds: Int)
    }

    /// The bytes that a source or token has sent of a day, as they are stored over restarts.
    struct DayUse: Sendable, Equatable {
        /// Source or token.
        var name: String
        /// Bytes sent.
        var bytes: Int
        /// When its day is over, in seconds since 1970.
        var ends: Int64
    }

    private struct Account {
        var uploads: Double
        var bytes = 0
        var dayEnds: UInt64
        var last: UInt64
    }

    private struct Contents {
        var accounts: [String: Account] = [:]
        // Accounts whose bytes are not stored yet.
        var changed: Set<String> = []
    }

    private static let second: UInt64 = 1_000_000_000
    private static let day: UInt64 = 86_400 * second
    private static let accountLimit = 100_000

    private let contents: Mutex<Contents>

    /// Accounts with what was used before; a day that is over, or that a wrong clock made longer, counts as it should.
    init(
        stored: [DayUse] = [], wall: Timestamp = Timestamp(seconds: 0), now: UInt64 = monotonicNanoseconds()
    ) {
        var accounts: [String: Account] = [:]
        for use in stored.prefix(Self.accountLimit) {
            let left = min(max(use.ends.subtractingReportingOverflow(wall.seconds).partialValue, 0), 86_400)
            guard left > 0, use.bytes > 0 else { continue }
            // Its uploads a minute begin with nothing: a restart gives no burst.
            accounts[use.name] = Account(
                uploads: 0, bytes: use.bytes, dayEnds: now + UInt64(left) * Self.second, last: now)
        }
        contents = Mutex(Contents(accounts: accounts))
    }

    /// The days' use that has changed since the last call.
    func takeChanges(wall: Timestamp, now: UInt64 = monotonicNanoseconds()) -> [DayUse] {
        contents.withLock { contents in
            let names = contents.changed
            contents.changed = []
            return names.compactMap { name in
                contents.accounts[name].map { account in
                    let left = Self.elapsed(now, account.dayEnds) / Self.second
                    return DayUse(name: name, bytes: account.bytes, ends: wall.seconds + Int64(left))
                }
            }
        }
    }

    /// Takes an upload into account, or says why not.
    ///
    /// - Parameters:
    ///   - bytes: Its size as declared; what comes besides is added with `add`.
    ///   - now: Monotonic time in nanoseconds.
    func take(_ name: String, _ allowance: Allowance, bytes: Int, now: UInt64 = monotonicNanoseconds()) -> Refusal? {
        guard allowance.uploadsPerMinute != nil || allowance.bytesPerDay != nil else { return nil }
        let burst = Double(max(allowance.uploadsPerMinute ?? 1, 1))
        return contents.withLock { contents in
            if contents.accounts.count >= Self.accountLimit, contents.accounts[name] == nil {
                Self.shrink(&contents.accounts, now)
            }
            var account = contents.accounts[name] ?? Account(uploads: burst, dayEnds: now + Self.day, last: now)
            if now >= account.dayEnds {
                account.bytes = 0
                account.dayEnds = now + Self.day
            }
            if allowance.uploadsPerMinute != nil {
                let gained = Double(Self.elapsed(account.last, now)) / Double(Self.second) * burst / 60
                account.uploads = min(burst, account.uploads + gained)
            }
            account.last = max(account.last, now)
            defer { contents.accounts[name] = account }
            if let limit = allowance.bytesPerDay, account.bytes >= limit || bytes > limit - account.bytes {
                return .quota(seconds: Int((account.dayEnds - now) / Self.second) + 1)
            }
            if allowance.uploadsPerMinute != nil {
                guard account.uploads >= 1 else {
                    return .rate(seconds: Int(((1 - account.uploads) * 60 / burst).rounded(.up)))
                }
                account.uploads -= 1
            }
            account.bytes += bytes
            if allowance.bytesPerDay != nil { contents.changed.insert(name) }
            return nil
        }
    }

    /// Gives back what `take` took for an upload that came to nothing.
    ///
    /// - Parameters:
    ///   - bytes: Its size as it was taken into account.
    ///   - upload: Whether it does not count as an upload either.
    func giveBack(_ name: String, _ allowance: Allowance, bytes: Int, upload: Bool) {
        contents.withLock { contents in
            guard var account = contents.accounts[name] else { return }
            // Another day may have begun since.
            account.bytes = max(account.bytes - bytes, 0)
            // `take` sees to it that there are not more than a minute's worth.
            if upload, allowance.uploadsPerMinute != nil { account.uploads += 1 }
            contents.accounts[name] = account
            if allowance.bytesPerDay != nil { contents.changed.insert(name) }
        }
    }

    /// Counts bytes that were not declared.
    func add(_ name: String, bytes: Int) {
        contents.withLock { contents in
            guard let used = contents.accounts[name]?.bytes else { return }
            contents.accounts[name]?.bytes = used + bytes
            contents.changed.insert(name)
        }
    }

    // Requests do not come in the order in which they looked at the clock.
    private static func elapsed(_ from: UInt64, _ to: UInt64) -> UInt64 { to > from ? to - from : 0 }

    // Accounts that have been still for a minute have their whole allowance again, but for the day's bytes.
    private static func shrink(_ accounts: inout [String: Account], _ now: UInt64) {
        accounts = accounts.filter { _, account in
            elapsed(account.last, now) < (account.bytes > 0 ? day : 60 * second)
        }
        // Only made-up names fill it so: the stillest half goes.
        guard accounts.count >= accountLimit else { return }
        let sorted = accounts.sorted { $0.value.last > $1.value.last }
        accounts = Dictionary(uniqueKeysWithValues: sorted.prefix(accountLimit / 2).map { ($0.key, $0.value) })
    }
}
