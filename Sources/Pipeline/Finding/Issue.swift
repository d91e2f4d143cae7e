/// Something that was not done or not looked at, and why: a limit, a damaged structure, a failed stage.
public struct Issue: Sendable, Equatable {
    /// What happened, in one word.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        /// The code as it is shown.
        public let description: String

        /// A code with the given name.
        public init(_ description: String) { self.description = description }

        /// A limit was reached; what lies beyond was not looked at.
        public static let limit = Code("limit")
        /// The time of a stage or submission was over.
        public static let timeout = Code("timeout")
        /// The data is damaged; what could be read was read.
        public static let damaged = Code("damaged")
        /// The stage itself failed.
        public static let failed = Code("failed")
        /// Something is not supported or not possible here (an unknown version, a missing password).
        public static let unsupported = Code("unsupported")
    }

    /// What happened.
    public let code: Code
    /// Stage that said it.
    public let stage: String
    /// One sentence: what, and what was not looked at.
    public let message: String
    /// Position in the sample in bytes, if there is one.
    public let offset: Int?

    /// An issue of a stage.
    public init(_ code: Code, stage: String, message: String, offset: Int? = nil) {
        self.code = code
        self.stage = stage
        self.message = message
        self.offset = offset
    }
}
