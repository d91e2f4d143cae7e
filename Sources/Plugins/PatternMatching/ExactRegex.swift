import CPCRE2
import Pipeline

// One regular expression with Perl's semantics, by PCRE2 (pcre2api(3)): just-in-time compiled, and bounded, so that an
// expression that explodes on some text ends with an error.

/// A regular expression that says exactly where it matches.
public final class ExactRegex: Sendable {
    /// Steps that one search may take; about 20 ms.
    public static let matchLimit: UInt32 = 100_000
    private static let depthLimit: UInt32 = 20_000
    private static let heapLimit: UInt32 = 16 << 10  // KiB
    private static let workspaces = LeasePool<Workspace>()

    private static let nothing: [UInt8] = [0]

    private let code: Handle

    /// Compiles an expression in PCRE syntax; of the flags, `caseless`, `dotAll`, `multiline` and `utf8` count.
    ///
    /// - Throws: `badExpression` with the reason and its position.
    public init(_ expression: [UInt8], flags: Pattern.Flags = []) throws(PatternError) {
        code = try Self.compile(expression, flags: flags)
        // Without JIT (not built in, or no executable memory) the interpreter is used.
        _ = unsafe pcre2_jit_compile_8(code.pointer, PCRE2_JIT_COMPLETE)
    }

    /// Why a pattern is no valid expression; nil if it is one.
    ///
    /// - Parameter mayMatchNothing: false refuses expressions that match the empty text, and so every text.
    public static func problem(of pattern: Pattern, mayMatchNothing: Bool = true) -> String? {
        if let problem = structuralProblem(pattern.expression, isLiteral: pattern.isLiteral) { return problem }
        if pattern.isLiteral { return nil }
        do {
            let regex = ExactRegex(code: try compile(pattern.expression, flags: pattern.flags))
            if mayMatchNothing { return nil }
            let empty: [UInt8] = []
            let matches = try regex.matches(empty.rawSpan)
            return matches ? "the expression matches the empty text, and so everything" : nil
        } catch {
            return error.description
        }
    }

    private init(code: Handle) { self.code = code }

    private static func compile(_ expression: [UInt8], flags: Pattern.Flags) throws(PatternError) -> Handle {
        if let problem = structuralProblem(expression, isLiteral: false) {
            throw PatternError(.badExpression, problem)
        }
        var options = PCRE2_NEVER_BACKSLASH_C
        if flags.contains(.caseless) { options |= PCRE2_CASELESS }
        if flags.contains(.dotAll) { options |= PCRE2_DOTALL }
        if flags.contains(.multiline) { options |= PCRE2_MULTILINE }
        if flags.contains(.utf8) { options |= PCRE2_UTF | PCRE2_MATCH_INVALID_UTF }
        var failure: Int32 = 0
        var position = 0
        let compiled = unsafe pcre2_compile_8(expression, expression.count, options, &failure, &position, nil)
        guard let compiled = unsafe compiled else {
            throw PatternError(.badExpression, "\(message(failure)) at offset \(position)")
        }
        return unsafe Handle(compiled) { unsafe pcre2_code_free_8($0) }
    }

    /// Compiles an expression in PCRE syntax.
    ///
    /// - Throws: `badExpression` with the reason and its position.
    public convenience init(_ expression: String, flags: Pattern.Flags = []) throws(PatternError) {
        try self.init(Array(expression.utf8), flags: flags)
    }

    /// Compiles a pattern, plain text or not.
    ///
    /// - Throws: `badExpression` with the reason and its position.
    public convenience init(_ pattern: Pattern) throws(PatternError) {
        try self.init(pattern.regex, flags: pattern.flags)
    }

    /// The first match that begins at or after `from`.
    ///
    /// - Returns: Its bytes as offsets into `text`; nil if there is none.
    /// - Throws: `matchLimit` when the expression explodes on this text, `engine`.
    public func firstMatch(in text: RawSpan, from: Int = 0) throws(PatternError) -> Range<Int>? {
        guard from >= 0, from <= text.byteCount else { return nil }
        let workspace: Workspace
        if let idle = Self.workspaces.take() { workspace = idle } else { workspace = try Workspace() }
        defer { Self.workspaces.giveBack(workspace) }
        // An empty span may have no address, which PCRE2 takes as an error.
        if text.byteCount == 0 { return try search(Self.nothing.rawSpan, count: 0, from: 0, workspace) }
        return try search(text, count: text.byteCount, from: from, workspace)
    }

    /// Whether it matches anywhere.
    ///
    /// - Throws: as `firstMatch`.
    public func matches(_ text: RawSpan) throws(PatternError) -> Bool { try firstMatch(in: text) != nil }

    private func search(
        _ text: RawSpan, count: Int, from: Int, _ workspace: Workspace
    ) throws(PatternError) -> Range<Int>? {
        let status = unsafe text.withUnsafeBytes { buffer in
            unsafe pcre2_match_8(
                code.pointer, buffer.baseAddress?.assumingMemoryBound(to: UInt8.self), count, from, 0,
                workspace.matchData.pointer, workspace.context.pointer)
        }
        if status >= 0 {
            let pair = unsafe pcre2_get_ovector_pointer_8(workspace.matchData.pointer)
            guard let pair = unsafe pair, let start = unsafe Int(exactly: pair[0]),
                let end = unsafe Int(exactly: pair[1]), start <= end, end <= count
            else { return nil }
            return start..<end
        }
        switch status {
        case PCRE2_ERROR_NOMATCH: return nil
        case PCRE2_ERROR_MATCHLIMIT, PCRE2_ERROR_DEPTHLIMIT, PCRE2_ERROR_HEAPLIMIT, PCRE2_ERROR_JIT_STACKLIMIT:
            throw .exploded
        default: throw PatternError(.engine, "PCRE2: \(Self.message(status))")
        }
    }

    private static func message(_ code: Int32) -> String {
        var buffer = [UInt8](repeating: 0, count: 256)
        let length = unsafe pcre2_get_error_message_8(code, &buffer, buffer.count)
        return String(decoding: buffer.prefix(max(0, Int(length))), as: UTF8.self)
    }

    // What one search needs besides the code.
    private struct Workspace: Sendable {
        let matchData: Handle
        let context: Handle
        let stack: Handle

        init() throws(PatternError) {
            guard let data = unsafe pcre2_match_data_create_8(1, nil) else { throw .noWorkspace }
            matchData = unsafe Handle(data) { unsafe pcre2_match_data_free_8($0) }
            guard let context = unsafe pcre2_match_context_create_8(nil) else { throw .noWorkspace }
            self.context = unsafe Handle(context) { unsafe pcre2_match_context_free_8($0) }
            guard let stack = unsafe pcre2_jit_stack_create_8(32 << 10, 1 << 20, nil) else { throw .noWorkspace }
            self.stack = unsafe Handle(stack) { unsafe pcre2_jit_stack_free_8($0) }
            unsafe pcre2_jit_stack_assign_8(context, nil, UnsafeMutableRawPointer(stack))
            unsafe pcre2_set_match_limit_8(context, ExactRegex.matchLimit)
            unsafe pcre2_set_depth_limit_8(context, ExactRegex.depthLimit)
            unsafe pcre2_set_heap_limit_8(context, ExactRegex.heapLimit)
        }
    }
}

extension PatternError {
    static let exploded = PatternError(.matchLimit, "the expression takes too long on this text")
    static let noWorkspace = PatternError(.engine, "PCRE2 has no memory for a search")
}
