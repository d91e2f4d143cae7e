import Pipeline

// Magic numbers that users bring: text files with `HEX BYTES;Name` or `offset;HEX BYTES;Name` on each line, `??` for
// any byte, `#` for comments. This is the format of file-type-signatures.txt in Neo23x0's signature-base.

struct MagicList {
    /// Other spellings of built-in names in lists of the field: stages are chosen by name.
    private static let aliases = [
        "job file": "Windows At Job", "evt event viewer file": "EVT", "trace log file": "ETL", "winpcap": "PCAP",
        "libpcap": "PCAP", "pkzip": "ZIP", "cws": "SWF", "zws": "SWF", "fws": "SWF", "fws (flash)": "SWF",
        "gzip archive": "GZIP", "macho": "MACH-O", "minidump": "MDMP",
    ]
    private static let known = FileTypeDetector.names.reduce(into: [:]) { $0[$1.lowercased()] = $1 }

    private(set) var magics: [Magic] = []
    private(set) var problems: [SignatureProblem] = []

    /// Reads one list; each line that is no magic number becomes a problem and costs no other line.
    init(_ file: SignatureFile) {
        let text = String(lossy: file.bytes.span)
        for (index, raw) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            var line = Substring(raw.drop { $0 == "\u{FEFF}" })
            while let last = line.last, last == " " || last == "\t" { line.removeLast() }
            line = line.drop { $0 == " " || $0 == "\t" }
            guard !line.isEmpty, line.first != "#" else { continue }
            switch Self.magic(line) {
            case .success(let magic): magics.append(magic)
            case .failure(let reason):
                problems.append(SignatureProblem(file: file.path, line: index + 1, message: reason.text))
            }
        }
    }

    private struct Refusal: Error {
        let text: String
    }

    private static func magic(_ line: Substring) -> Result<Magic, Refusal> {
        let fields = line.split(separator: ";", maxSplits: 2, omittingEmptySubsequences: false).map(trimmed)
        guard fields.count >= 2 else {
            return .failure(Refusal(text: "expected 'HEX BYTES;Name' or 'offset;HEX BYTES;Name'"))
        }
        // `00;4D 5A;EXE` has an offset, `4D 5A;EXE;x` a name with a semicolon.
        var offset = 0
        var hex = fields[0]
        var name = fields.dropFirst().joined(separator: ";")
        if fields.count == 3, let number = position(fields[0]), Magic.parse(fields[1]) != nil {
            offset = number
            hex = fields[1]
            name = fields[2]
        }
        guard !hex.contains("'"), let bytes = Magic.parse(hex) else {
            return .failure(Refusal(text: "'\(hex)' is not a list of hexadecimal bytes (`??` stands for any byte)"))
        }
        guard bytes.masks.contains(where: { $0 != 0 }) else {
            return .failure(Refusal(text: "'\(hex)' fits every file"))
        }
        guard bytes.values.count <= 1024, offset <= 1 << 30 else {
            return .failure(Refusal(text: "more than 1024 bytes, or an offset beyond 1 GiB"))
        }
        guard !name.isEmpty else { return .failure(Refusal(text: "the name is missing")) }
        let lower = name.lowercased()
        return .success(Magic(known[lower] ?? aliases[lower] ?? name, hex, at: offset))
    }

    // Decimal, or hexadecimal with `0x`.
    private static func position(_ text: String) -> Int? {
        let number = text.hasPrefix("0x") ? Int(text.dropFirst(2), radix: 16) : Int(text)
        return number.flatMap { $0 >= 0 ? $0 : nil }
    }

    private static func trimmed(_ text: Substring) -> String {
        var text = text.drop { $0 == " " || $0 == "\t" }
        while let last = text.last, last == " " || last == "\t" { text.removeLast() }
        return String(text)
    }
}
