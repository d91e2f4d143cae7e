// Command lines as Windows stores them: in services, Run keys, tasks and links.

/// A command line cut into program and arguments.
public struct CommandLineParts {
    /// The program, without quotes.
    public let image: String
    /// What follows it.
    public let arguments: String

    /// Cuts at the end of a quoted program, or of a known extension, or at the first blank.
    public init(_ command: String) {
        let text = command.drop { $0 == " " }
        if text.first == "\"" {
            let rest = text.dropFirst()
            let end = rest.firstIndex(of: "\"") ?? rest.endIndex
            image = String(rest[..<end])
            arguments = Self.trimmed(end < rest.endIndex ? rest[rest.index(after: end)...] : "")
            return
        }
        // Without quotes the name of a program may hold blanks: it goes on to the first known extension.
        let end = Self.endOfProgram(Array(text.utf8)).map { text.utf8.index(text.startIndex, offsetBy: $0) }
        let cut = end ?? text.firstIndex(of: " ") ?? text.endIndex
        image = String(text[..<cut])
        arguments = Self.trimmed(text[cut...])
    }

    private static func endOfProgram(_ text: [UInt8]) -> Int? {
        for start in text.indices where text[start] == 0x2E && start + 4 <= text.count {
            let suffix = text[(start + 1)..<(start + 4)].map(lowercase)
            let isEnd = start + 4 == text.count || text[start + 4] == 0x20
            if isEnd, extensions.contains(suffix) { return start + 4 }
        }
        return nil
    }

    private static let extensions = ["exe", "com", "bat", "cmd", "scr", "sys", "dll"].map { Array($0.utf8) }

    private static func trimmed(_ text: Substring) -> String { String(text.drop { $0 == " " }) }
}

private func lowercase(_ byte: UInt8) -> UInt8 { byte >= 0x41 && byte <= 0x5A ? byte | 0x20 : byte }
