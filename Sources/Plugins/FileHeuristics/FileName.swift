import Pipeline

// A path of any system taken apart: both `/` and `\` separate (REFERENCE A.9), letters are compared in lower case.

/// A path and its parts.
struct FileName {
    /// The path up to the name, as written.
    let directory: String
    // Folders and name, as written; the name without its stream.
    let folders: [String]
    let name: String
    /// Name of the alternate data stream, without `:$DATA`; nil if there is none.
    let stream: String?
    /// `\folder\folder\` in lower case; `\` when no folder is known.
    let place: String
    /// Whether the path is one of Windows, as far as it shows.
    let isWindows: Bool
    /// Extensions in lower case, the last one last.
    let extensions: [String]

    /// Longer names are judged by their end: file systems allow 255.
    private static let nameLimit = 1024

    init(_ path: String) {
        var parts = path.split(omittingEmptySubsequences: true) { $0 == "/" || $0 == "\\" }.map(String.init)
        let last = String((parts.popLast() ?? "").suffix(Self.nameLimit))
        let lower = parts.map { $0.lowercased() }
        let hasDrive = parts.first.map { Self.isDrive($0) } ?? false
        // As Windows writes them: `os/windows/tasks` is source code somewhere.
        let knownFolders: Set<String> = [
            "Windows", "WINDOWS", "Users", "Program Files", "Program Files (x86)", "ProgramData", "$Recycle.Bin",
            "$RECYCLE.BIN", "PerfLogs",
        ]
        isWindows = hasDrive || path.contains("\\") || parts.contains { knownFolders.contains($0) }
        place = lower.isEmpty ? "\\" : "\\" + lower.joined(separator: "\\") + "\\"
        folders = parts
        directory = String(path[..<(path.lastIndex { $0 == "/" || $0 == "\\" } ?? path.startIndex)])
        var base = last
        var stream: String?
        // `C:` alone is a drive; on other systems a colon is a letter like any other.
        if isWindows, let colon = last.firstIndex(of: ":"), !Self.isDrive(last) {
            base = String(last[..<colon])
            let rest = last[last.index(after: colon)...]
            stream = rest.lowercased().hasSuffix(":$data") ? String(rest.dropLast(6)) : String(rest)
        }
        name = base
        self.stream = stream?.isEmpty == true ? nil : stream
        extensions = base.lowercased().split(separator: ".", omittingEmptySubsequences: false).dropFirst()
            .map(String.init)
    }

    private static func isDrive(_ part: String) -> Bool {
        part.utf8.count == 2 && part.hasSuffix(":") && part.first?.isLetter == true
    }

    /// The last extension, without dot and blanks.
    var fileExtension: String { trimmedBlanks(extensions.last ?? "") }

    /// Whether the extension makes Windows or a server run the file.
    var isRunnable: Bool { runnableExtensions.contains(fileExtension) }
}

/// A text without blanks of any kind at its ends.
func trimmedBlanks(_ text: String) -> String {
    var text = Substring(text)
    while let first = text.unicodeScalars.first, isBlank(first) { text = text.dropFirst() }
    while let last = text.unicodeScalars.last, isBlank(last) { text = text.dropLast() }
    return String(text)
}

/// Whether a character shows as nothing but space.
func isBlank(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x09, 0x20, 0xA0, 0x1680, 0x2000...0x200A, 0x202F, 0x205F, 0x2800, 0x3000: true
    default: false
    }
}

// MARK: What extensions stand for

let runnableExtensions: Set<String> = [
    "exe", "com", "scr", "pif", "cpl", "dll", "sys", "ocx", "bat", "cmd", "ps1", "psm1", "vbs", "vbe", "js", "jse",
    "wsf", "wsh", "hta", "sct", "msi", "jar", "lnk",
]
/// Those that hide behind another extension: what runs on a double click.
let clickableExtensions: Set<String> = [
    "exe", "com", "scr", "pif", "cpl", "bat", "cmd", "ps1", "vbs", "vbe", "js", "jse", "wsf", "wsh", "hta", "sct",
    "msi", "jar", "lnk",
]
let officeExtensions: Set<String> = [
    "pdf", "doc", "docx", "xls", "xlsx", "ppt", "pptx", "rtf", "odt", "ods", "odp",
]
let pictureExtensions: Set<String> = [
    "jpg", "jpeg", "png", "gif", "bmp", "ico", "tif", "tiff", "webp", "svg", "mp3", "mp4", "avi", "mov", "mkv", "wav",
    "flac", "wmv", "ttf", "otf", "woff", "woff2",
]
let textExtensions: Set<String> = ["txt", "log", "csv", "md", "ini", "cfg", "xml", "json", "htm", "html", "css"]
let serverScriptExtensions: Set<String> = [
    "php", "php3", "php4", "php5", "php7", "phtml", "phar", "jsp", "jspx", "asp", "aspx", "ashx", "asmx", "cfm",
]
