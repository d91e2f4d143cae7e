import Pipeline

// What kind of text a text is. The sharpest signs come first: how it begins, then its structure (mail headers, markup,
// JSON, tables, logs), and only then the words of a script, which prose may hold too.

struct TextDetector: Sendable {
    /// Evidence of a script's words or of a structure, in bytes of magic it outweighs.
    private static let structureStrength = 6
    /// Evidence of plain text: a magic number of three bytes outweighs it.
    private static let plainStrength = 3

    private let beginnings = MagicTable(builtIn: textMagics)
    private let words = ScriptWords()

    /// Tells the kind of a text; nil when the sample is no text.
    func verdict(on span: RawSpan) -> Verdict? {
        guard let window = TextWindow(span) else { return nil }
        guard !window.lines.isEmpty else { return Verdict(kind: FileKind("Text"), strength: Self.plainStrength) }
        let begun = beginnings.best(in: window.lower.rawSpan)
        if begun.strength > 0 { return refine(begun, window) }
        if let kind = structure(of: window) { return Verdict(kind: kind, strength: Self.structureStrength) }
        return Verdict(kind: FileKind("Text"), strength: Self.plainStrength)
    }

    private func refine(_ begun: Verdict, _ window: TextWindow) -> Verdict {
        var exact: FileKind?
        switch begun.kind.name {
        case "XML": exact = kindOfXML(window)
        case "HTML": exact = kindOfMarkup(window)
        default: break
        }
        guard let exact, exact != begun.kind else { return begun }
        return Verdict(kind: exact, strength: begun.strength + Verdict.lookBonus)
    }

    private func structure(of window: TextWindow) -> FileKind? {
        if let kind = kindOfShebang(window) { return kind }
        if isEncodedProgram(window) { return FileKind("Base64 EXE") }
        if let kind = kindOfMail(window) { return kind }
        if let kind = kindOfMarkup(window) { return kind }
        if isJSON(window.lower) { return FileKind("JSON") }
        if isTable(window) { return FileKind("CSV") }
        if isLog(window) { return FileKind("Log") }
        if let kind = kindOfSettings(window) { return kind }
        if isYAML(window) { return FileKind("YAML") }
        // Code in fences stands in a document.
        return window.contains("\n```") ? nil : words.kind(of: window)
    }
}

// `#!/usr/bin/env -S python3 -u`: the name of the program, without directory and version.
func kindOfShebang(_ window: TextWindow) -> FileKind? {
    guard window.begins("#!"), let line = window.lines.first else { return nil }
    let words = window.lower[line].dropFirst(2).split(whereSeparator: isSpace)
    guard let first = words.first else { return nil }
    func name(_ word: ArraySlice<UInt8>) -> String {
        let base = word.split(separator: 0x2F).last ?? word
        return String(decoding: base.prefix { isLetter($0) }, as: UTF8.self)
    }
    var program = name(first)
    if program == "env" {
        let rest = words.dropFirst().first { $0.first != 0x2D && !$0.contains(0x3D) }
        program = rest.map(name) ?? ""
    }
    switch program {
    case "sh", "bash", "dash", "zsh", "ksh", "ash", "busybox", "fish", "csh", "tcsh", "mksh":
        return FileKind("Shell Script")
    case "python", "pypy": return FileKind("Python")
    case "perl": return FileKind("Perl")
    case "ruby", "jruby": return FileKind("Ruby")
    case "node", "nodejs", "deno", "bun": return FileKind("JavaScript")
    case "php": return FileKind("PHP")
    case "pwsh", "powershell": return FileKind("PowerShell")
    case "lua", "luajit": return FileKind("Lua")
    default:
        // `#!` is no script unless a path follows.
        return first.first == 0x2F ? FileKind("Script") : nil
    }
}

// A program in base64: `MZ` and the usual bytes behind it, then nothing but the alphabet.
func isEncodedProgram(_ window: TextWindow) -> Bool {
    guard let start = window.text.firstIndex(where: { !isSpace($0) }) else { return false }
    let head = window.text[start...].prefix(72)
    guard head.count >= 64, head.starts(with: [0x54, 0x56]), let third = head.dropFirst(2).first,
        [0x6E, 0x6F, 0x70, 0x71, 0x72].contains(third)
    else { return false }
    return head.prefix(64).allSatisfy { isLetter($0) || isDigit($0) || $0 == 0x2B || $0 == 0x2F }
}

private let mailHeaders: Set<String> = [
    "received", "from", "to", "subject", "date", "message-id", "mime-version", "return-path", "delivered-to",
    "content-type", "dkim-signature", "reply-to", "cc", "x-mailer", "x-originating-ip", "content-transfer-encoding",
    "authentication-results", "received-spf", "sender", "bcc", "in-reply-to", "references", "user-agent",
    "arc-seal", "x-received", "envelope-to", "x-priority", "resent-from", "list-unsubscribe",
]

// RFC 5322 headers at the head; a mailbox has a line `From ` before them (RFC 4155), Apple's .emlx a number.
func kindOfMail(_ window: TextWindow) -> FileKind? {
    guard let first = window.lines.first else { return nil }
    let isMailbox = window.begins("from ")
    let isNumber = window.lower[first].allSatisfy(isDigit)
    var known: Set<String> = []
    var others = 0
    for line in window.lines.dropFirst(isMailbox || isNumber ? 1 : 0).prefix(200) {
        let characters = window.lower[line]
        // A folded header goes on behind white space.
        if line.lowerBound > 0, [0x20, 0x09].contains(window.lower[line.lowerBound - 1]) { continue }
        guard let colon = characters.firstIndex(of: 0x3A), colon > characters.startIndex,
            characters[..<colon].allSatisfy({ isLetter($0) || isDigit($0) || [0x2D, 0x5F, 0x20].contains($0) })
        else {
            others += 1
            if others > 2 { break }
            continue
        }
        let name = String(decoding: characters[..<colon].prefix { $0 != 0x20 }, as: UTF8.self)
        if mailHeaders.contains(name) { known.insert(name) }
    }
    // The line before a message in a mailbox names sender and time.
    if isMailbox, hasTime(window.lower[first]), !known.isEmpty { return FileKind("MBOX") }
    let isSure = !known.isDisjoint(with: ["received", "message-id", "return-path", "mime-version", "subject", "from"])
    guard isSure, known.count >= (isMailbox || isNumber ? 2 : 3) else { return nil }
    return FileKind(isMailbox ? "MBOX" : "EMAIL")
}
