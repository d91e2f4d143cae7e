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

    private struct Account {
        var uploads: Double
        var bytes = 0
        var dayEnds: UInt64
        var last: UInt64
    }

    private static let second: UInt64 = 1_000_000_000
    private static let day: UInt64 = 86_400 * second
    private static let accountLimit = 100_000

    private let accounts = Mutex<[String: Account]>([:])

    /// Takes an upload into account, or says why not.
    ///
    /// - Parameters:
    ///   - bytes: Its size as declared; what comes besides is added with `add`.
    ///   - now: Monotonic time in nanoseconds.
    func take(_ name: String, _ allowance: Allowance, bytes: Int, now: UInt64 = monotonicNanoseconds()) -> Refusal? {
        guard allowance.uploadsPerMinute != nil || allowance.bytesPerDay != nil else { return nil }
        let burst = Double(max(allowance.uploadsPerMinute ?? 1, 1))
        return accounts.withLock { accounts in
            if accounts.count >= Self.accountLimit, accounts[name] == nil { Self.shrink(&accounts, now) }
            var account = accounts[name] ?? Account(uploads: burst, dayEnds: now + Self.day, last: now)
            if now >= account.dayEnds {
                account.bytes = 0
                account.dayEnds = now + Self.day
            }
            if allowance.uploadsPerMinute != nil {
                let gained = Double(Self.elapsed(account.last, now)) / Double(Self.second) * burst / 60
                account.uploads = min(burst, account.uploads + gained)
            }
            account.last = max(account.last, now)
            defer { accounts[name] = account }
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
            return nil
        }
    }

    /// Counts bytes that were not declared.
    func add(_ name: String, bytes: Int) {
        accounts.withLock { accounts in
            if let used = accounts[name]?.bytes { accounts[name]?.bytes = used + bytes }
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
