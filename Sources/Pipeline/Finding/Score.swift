// The one score formula and the level rules (REFERENCE B.6).
//
// Positive subscores are sorted in descending order and weighed: total = 100 * (1 - prod(1 - s_i/100 / 2^i)).
// Negative subscores are not part of the published formula. Here their sum is subtracted from the total, never below 0:
// a signature of -100 (trusted hash) always ends at 0, and a small negative one shifts the score by just its size.

/// How severe an event is.
public enum Level: Int, Sendable, Comparable, CaseIterable {
    /// Every reason, whatever its score.
    case debug = 1
    /// Worth knowing.
    case info
    /// Worth a look.
    case notice
    /// The program could not do something.
    case error
    /// Suspicious.
    case warning
    /// Malicious.
    case alert

    /// The name as in logs: `Warning`.
    public var name: String {
        switch self {
        case .debug: "Debug"
        case .info: "Info"
        case .notice: "Notice"
        case .error: "Error"
        case .warning: "Warning"
        case .alert: "Alert"
        }
    }

    /// The level with the given name in any case, nil if there is none.
    public init?(name: String) {
        guard let level = Level.allCases.first(where: { $0.name.lowercased() == name.lowercased() }) else { return nil }
        self = level
    }

    /// The less severe level is less.
    public static func < (left: Level, right: Level) -> Bool { left.rawValue < right.rawValue }
}

/// The weighed sum of subscores, 0...100, not rounded.
public func totalScore(of subscores: [Int]) -> Double {
    var clean = 1.0
    var weight = 1.0
    for subscore in subscores.filter({ $0 > 0 }).sorted(by: >) {
        clean *= 1 - Double(min(subscore, 100)) / 100 * weight
        weight /= 2
    }
    let negative = subscores.reduce(0.0) { $0 + Double(min($1, 0)) }
    return max(0, 100 * (1 - clean) + negative)
}

/// From which score on an object has which level.
public struct LevelRules: Sendable, Equatable {
    /// Lowest score of level Info.
    public var info: Int
    /// Lowest score of level Notice.
    public var notice: Int
    /// Lowest score of level Warning.
    public var warning: Int
    /// Lowest score of level Alert.
    public var alert: Int
    /// An Alert also needs one subscore above this; nil for no such rule.
    public var alertNeedsSubscoreAbove: Int?

    /// Rules with the given thresholds.
    public init(info: Int, notice: Int, warning: Int, alert: Int, alertNeedsSubscoreAbove: Int? = nil) {
        self.info = info
        self.notice = notice
        self.warning = warning
        self.alert = alert
        self.alertNeedsSubscoreAbove = alertNeedsSubscoreAbove
    }

    /// Thresholds of THOR 11.
    public static let v11 = LevelRules(info: 30, notice: 40, warning: 60, alert: 81)
    /// Thresholds of THOR 10.7: no Info, and an Alert needs one subscore above 75.
    public static let v10 = LevelRules(info: 40, notice: 40, warning: 60, alert: 81, alertNeedsSubscoreAbove: 75)

    /// The level of an object with these subscores and this rounded score.
    public func level(score: Int, subscores: [Int]) -> Level {
        if score >= alert {
            guard let needed = alertNeedsSubscoreAbove else { return .alert }
            return subscores.contains { $0 > needed } ? .alert : .warning
        }
        if score >= warning { return .warning }
        if score >= notice { return .notice }
        return score >= info ? .info : .debug
    }
}
