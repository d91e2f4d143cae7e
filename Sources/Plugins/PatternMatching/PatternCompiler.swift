import CHyperscan

// Compiles patterns to Hyperscan databases. One bad pattern makes Hyperscan refuse the whole list and names its index
// only sometimes: then the list is halved until the bad one stands alone, or the halves are small enough to compile.

struct PatternCompiler {
    struct Part {
        var database: Handle
        var indices: [Int]
    }

    private let patterns: [Pattern]
    private var parts: [Part] = []
    private(set) var refused: [RefusedPattern] = []

    init(_ patterns: [Pattern]) { self.patterns = patterns }

    mutating func compile() -> [Part] {
        var indices: [Int] = []
        for (index, pattern) in patterns.enumerated() {
            if let reason = structuralProblem(pattern.expression, isLiteral: pattern.isLiteral) {
                refuse(index, reason)
            } else {
                indices.append(index)
            }
        }
        compile(indices)
        return parts
    }

    private mutating func refuse(_ index: Int, _ reason: String) {
        refused.append(RefusedPattern(index: index, id: patterns[index].id, reason: reason))
    }

    private mutating func compile(_ all: [Int]) {
        var indices = all
        var wereChecked = false
        while !indices.isEmpty {
            switch attempt(indices) {
            case .success(let database):
                parts.append(Part(database: database, indices: indices))
                return
            case .failure(let failure):
                if indices.count == 1, let only = indices.first { return refuse(only, failure.reason) }
                if let culprit = failure.position, indices.indices.contains(culprit) {
                    refuse(indices.remove(at: culprit), failure.reason)
                    // Where there is one there are more: checking each alone is cheaper than starting over for each.
                    if !wereChecked { indices = checked(indices) }
                    wereChecked = true
                } else {
                    let middle = indices.count / 2
                    compile(Array(indices[..<middle]))
                    return compile(Array(indices[middle...]))
                }
            }
        }
    }

    // Leaves out the patterns that do not even parse.
    private mutating func checked(_ indices: [Int]) -> [Int] {
        var good: [Int] = []
        for index in indices {
            if let reason = hyperscanProblem(of: patterns[index]) { refuse(index, reason) } else { good.append(index) }
        }
        return good
    }

    private struct Failure: Error {
        var position: Int?
        var reason: String
    }

    private func attempt(_ indices: [Int]) -> Result<Handle, Failure> {
        let chosen = indices.map { patterns[$0] }
        // The literal compiler skips the regex parser: ten thousands of texts compile in a second.
        let isLiteral = chosen.allSatisfy { $0.isLiteral && isPlain($0) }
        var joined: [CChar] = []
        var starts: [Int] = []
        var lengths: [Int] = []
        for pattern in chosen {
            let text = isLiteral ? pattern.expression : pattern.regex
            starts.append(joined.count)
            lengths.append(text.count)
            joined += text.map { CChar(bitPattern: $0) }
            joined.append(0)
        }
        let flags = chosen.map { hyperscanFlags($0) }
        let numbers = indices.map { UInt32(truncatingIfNeeded: $0) }
        let count = UInt32(truncatingIfNeeded: chosen.count)
        var database: OpaquePointer?
        var failure: UnsafeMutablePointer<hs_compile_error_t>?
        let mode = UInt32(HS_MODE_BLOCK)
        let status = unsafe joined.withUnsafeBufferPointer { text in
            let expressions = unsafe starts.map { start in unsafe text.baseAddress.map { unsafe $0 + start } }
            guard isLiteral else {
                return unsafe hs_compile_multi(
                    expressions, flags, numbers, count, mode, nil, &database, &failure)
            }
            return unsafe hs_compile_lit_multi(
                expressions, flags, numbers, lengths, count, mode, nil, &database, &failure)
        }
        if status == HS_SUCCESS, let database = unsafe database {
            return .success(unsafe Handle(database) { unsafe _ = hs_free_database($0) })
        }
        // Negative: Hyperscan does not say which pattern it was.
        let index = unsafe failure.map { unsafe Int($0.pointee.expression) } ?? -1
        return .failure(Failure(position: index < 0 ? nil : index, reason: unsafe takeReason(failure)))
    }
}

/// Why Hyperscan does not even parse a pattern; nil if it does.
func hyperscanProblem(of pattern: Pattern) -> String? {
    if pattern.isLiteral && isPlain(pattern) { return nil }
    var info: UnsafeMutablePointer<hs_expr_info_t>?
    var failure: UnsafeMutablePointer<hs_compile_error_t>?
    let text = pattern.regex.map { CChar(bitPattern: $0) } + [0]
    let status = unsafe hs_expression_info(text, hyperscanFlags(pattern), &info, &failure)
    if let info = unsafe info { unsafe releaseMemory(info) }
    guard status != HS_SUCCESS else { return nil }
    return unsafe takeReason(failure)
}

// Case of letters beyond ASCII, and characters instead of bytes, are the regex compiler's.
private func isPlain(_ pattern: Pattern) -> Bool {
    !pattern.flags.contains([.utf8, .caseless]) || pattern.expression.allSatisfy { $0 < 0x80 }
}

private func hyperscanFlags(_ pattern: Pattern) -> UInt32 {
    var flags: Int32 = 0
    if pattern.flags.contains(.caseless) { flags |= HS_FLAG_CASELESS }
    if pattern.flags.contains(.singleMatch) { flags |= HS_FLAG_SINGLEMATCH }
    if pattern.flags.contains(.startOffset) { flags |= HS_FLAG_SOM_LEFTMOST }
    if !pattern.isLiteral {
        if pattern.flags.contains(.dotAll) { flags |= HS_FLAG_DOTALL }
        if pattern.flags.contains(.multiline) { flags |= HS_FLAG_MULTILINE }
        if pattern.flags.contains(.approximate) { flags |= HS_FLAG_PREFILTER }
    }
    if pattern.flags.contains(.utf8) && !(pattern.isLiteral && isPlain(pattern)) { flags |= HS_FLAG_UTF8 }
    return UInt32(bitPattern: flags)
}

private func takeReason(_ failure: UnsafeMutablePointer<hs_compile_error_t>?) -> String {
    guard let failure = unsafe failure else { return "Hyperscan gave no reason" }
    defer { unsafe _ = hs_free_compile_error(failure) }
    return unsafe failure.pointee.message.map { unsafe String(cString: $0) } ?? "Hyperscan gave no reason"
}

func databaseSize(_ database: Handle) -> Int {
    var size = 0
    return unsafe hs_database_size(database.pointer, &size) == HS_SUCCESS ? size : 0
}
