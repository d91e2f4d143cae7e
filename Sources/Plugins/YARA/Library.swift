import CYARA

// Start of libyara and the names of its error numbers, once for the process.

enum Library {
    static let version = "\(YR_MAJOR_VERSION).\(YR_MINOR_VERSION).\(YR_MICRO_VERSION)"

    // `yr_initialize` counts its calls without a lock, so it is called here only. Match data is not copied by
    // libyara: it is taken from the sample, which is still there when the scan is over.
    static let isReady: Bool = {
        guard yr_initialize() == ERROR_SUCCESS else { return false }
        return yr_set_configuration_uint32(YR_CONFIG_MAX_MATCH_DATA, 0) == ERROR_SUCCESS
    }()

    static func text(of error: Int32) -> String {
        switch error {
        case ERROR_INSUFFICIENT_MEMORY: "not enough memory"
        case ERROR_INVALID_FILE, ERROR_CORRUPT_FILE: "not a saved set of rules"
        case ERROR_UNSUPPORTED_FILE_VERSION: "saved by another version of libyara"
        case ERROR_EXEC_STACK_OVERFLOW: "a condition needs too deep a stack"
        case ERROR_SCAN_TIMEOUT: "the time is over"
        case ERROR_TOO_MANY_MATCHES: "a string matches too often"
        case ERROR_TOO_MANY_RE_FIBERS: "a regular expression branches too much on this data"
        case ERROR_REGULAR_EXPRESSION_TOO_COMPLEX: "a regular expression is too complex"
        default: "libyara error \(error)"
        }
    }
}

/// Why libyara could not do something.
public struct YARAError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What kind of failure it was.
    public enum Code: Sendable {
        /// The time given to the scan was over.
        case timeout
        /// libyara refused the rules, or failed on this data.
        case failed
        /// Saved rules cannot be used by this version.
        case format
    }

    /// What kind of failure it was.
    public let code: Code
    /// One sentence.
    public let description: String
    // Number of the rule that it is about, in `YARARules.rules`.
    let rule: Int?

    init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
        rule = nil
    }

    init(number: Int32, doing what: String, rule: Int? = nil) {
        self.rule = rule
        switch number {
        case ERROR_SCAN_TIMEOUT: code = .timeout
        case ERROR_INVALID_FILE, ERROR_CORRUPT_FILE, ERROR_UNSUPPORTED_FILE_VERSION: code = .format
        default: code = .failed
        }
        description = "\(what): \(Library.text(of: number))"
    }

    /// Two errors are equal if their codes are.
    public static func == (left: YARAError, right: YARAError) -> Bool { left.code == right.code }
}
