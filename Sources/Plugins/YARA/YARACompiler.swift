import CYARA
import Pipeline

// From sources to one compiled set. libyara gives up a whole compiler at the first error, so the set is tried as it
// is, and only when that fails each source is compiled alone; those that fail lose the rules that do not compile.

struct Compilation: Sendable {
    var rules: RulesHandle?
    // Sources in the set, in the order of their namespaces.
    var sources: [YARASource] = []
    var problems: [YARAProblem] = []

    init(_ sources: [YARASource]) {
        guard Library.isReady else { return }
        for source in sources {
            if let problem = source.problem { problems.append(problem) } else { self.sources.append(source) }
        }
        let attempt = CompilerRun(numbered(self.sources))
        if attempt.failed == nil {
            finish(attempt)
            return
        }
        self.sources = self.sources.compactMap { source in
            let alone = CompilerRun(numbered([source]))
            if alone.failed == nil { return source }
            let repair = SourceRepair(source, alone)
            problems += repair.problems
            return repair.source
        }
        // Good alone, bad together: a limit of the set. The one that breaks it stays out.
        while !self.sources.isEmpty {
            let attempt = CompilerRun(numbered(self.sources))
            guard let failed = attempt.failed else {
                finish(attempt)
                return
            }
            problems += attempt.problems.filter(\.isError)
            self.sources.remove(at: failed)
        }
    }

    private func numbered(_ sources: [YARASource]) -> [(number: Int, source: YARASource)] {
        sources.enumerated().map { (number: $0, source: $1) }
    }

    private mutating func finish(_ run: CompilerRun) {
        problems += run.problems
        rules = run.rules
    }
}

// One use of a compiler: all sources, each in a namespace of its own that is named by its number.
struct CompilerRun {
    var rules: RulesHandle?
    var problems: [YARAProblem] = []
    // The source that the compiler gave up at.
    var failed: Int?

    // What the callback adds to while a source is compiled.
    private final class Messages {
        var source = ""
        var problems: [YARAProblem] = []
    }

    init(_ sources: [(number: Int, source: YARASource)]) {
        var created: UnsafeMutablePointer<YR_COMPILER>?
        guard unsafe yr_compiler_create(&created) == ERROR_SUCCESS, let compiler = unsafe created else { return }
        defer { unsafe yr_compiler_destroy(compiler) }
        let messages = Messages()
        unsafe yr_compiler_set_callback(
            compiler, Self.report, Unmanaged.passUnretained(messages).toOpaque())
        // Without a callback `include` is an error: a rule file reads no other files.
        unsafe yr_compiler_set_include_callback(compiler, nil, nil, nil)
        unsafe YARAExternals().define(in: compiler)
        for (index, (number, source)) in sources.enumerated() {
            messages.source = source.name
            let errors = unsafe (source.text + [0]).withUnsafeBufferPointer { text in
                unsafe text.withMemoryRebound(to: CChar.self) {
                    unsafe yr_compiler_add_string(compiler, $0.baseAddress, String(number))
                }
            }
            guard errors == 0 else {
                failed = index
                break
            }
        }
        problems = messages.problems
        withExtendedLifetime(messages) {}
        guard failed == nil else { return }
        var compiled: UnsafeMutablePointer<YR_RULES>?
        let result = unsafe yr_compiler_get_rules(compiler, &compiled)
        if result == ERROR_SUCCESS, let compiled = unsafe compiled {
            rules = unsafe RulesHandle(compiled)
        } else {
            failed = sources.count - 1
            problems.append(
                YARAProblem(
                    source: sources.last?.source.name ?? "", line: nil, message: Library.text(of: result), isError: true
                ))
        }
    }

    private static let report:
        @convention(c) (
            Int32, UnsafePointer<CChar>?, Int32, UnsafePointer<YR_RULE>?, UnsafePointer<CChar>?,
            UnsafeMutableRawPointer?
        ) -> Void = { level, _, line, rule, message, target in
            guard let target = unsafe target else { return }
            let messages = unsafe Unmanaged<Messages>.fromOpaque(target).takeUnretainedValue()
            let name = unsafe rule?.pointee.identifier.map { unsafe String(cString: $0) }
            let text = unsafe message.map { unsafe String(cString: $0) } ?? ""
            messages.problems.append(
                YARAProblem(
                    source: messages.source, rule: name, line: line > 0 ? Int(line) : nil,
                    message: name.map { "rule \($0): \(text)" } ?? text, isError: level == YARA_ERROR_LEVEL_ERROR))
        }
}

/// Owns a compiled set of libyara.
///
/// libyara only reads it while scanners work, from any number of threads, which is why it may cross threads although
/// it holds a raw pointer.
@safe final class RulesHandle: @unchecked Sendable {
    let pointer: UnsafeMutablePointer<YR_RULES>

    init(_ pointer: UnsafeMutablePointer<YR_RULES>) { unsafe self.pointer = pointer }

    deinit { unsafe yr_rules_destroy(pointer) }
}
