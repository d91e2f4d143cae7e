/// Why a stage stopped; becomes an issue of the sample, and the chain goes on.
public struct StageError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What kind of failure it was: the code of the issue it becomes.
    public let code: Issue.Code
    /// One sentence with the names and numbers of this case, and what was not looked at.
    public let message: String
    /// Position in the sample in bytes, if there is one.
    public let offset: Int?
    // The runner has recorded the issue already (a refused child); the stage only has to stop.
    let isRecorded: Bool

    /// An error of the given kind.
    public init(_ code: Issue.Code, _ message: String, offset: Int? = nil) {
        self.init(code, message, offset: offset, isRecorded: false)
    }

    /// A parser's error as a stage's.
    public init(_ error: ParseError) {
        self.init(error.code == .limit ? .limit : .damaged, error.message, offset: error.offset)
    }

    init(_ code: Issue.Code, _ message: String, offset: Int?, isRecorded: Bool) {
        self.code = code
        self.message = message
        self.offset = offset
        self.isRecorded = isRecorded
    }

    /// Two errors are equal if their codes are.
    public static func == (left: StageError, right: StageError) -> Bool { left.code == right.code }

    /// The message.
    public var description: String { message }
}
