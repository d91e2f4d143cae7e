import Glibc
import Pipeline

// Demo files of binary formats are made by the builders of the tests: a test keeps each equal to what its builder makes
// today, and RECORD_GOLDEN=1 writes it anew.

/// Compares made bytes with the demo file `samples/source/PATH.b64`.
///
/// - Returns: nil when they are equal (or were just recorded), otherwise what to do.
public func demoDifference(_ path: String, _ bytes: [UInt8]) -> String? {
    let file = Shared.packageRoot + "/samples/source/" + path + ".b64"
    let text = base64Lines(bytes)
    if unsafe getenv("RECORD_GOLDEN") != nil {
        var folder = ""
        for part in file.split(separator: "/").dropLast() {
            folder += "/" + part
            unsafe mkdir(folder, 0o755)
        }
        guard let stream = unsafe fopen(file, "w") else { return "cannot write \(file)" }
        defer { unsafe fclose(stream) }
        unsafe fputs(text, stream)
        return nil
    }
    guard let known = try? ByteStore().read(file: file) else {
        return "\(file) is missing: run the tests once with RECORD_GOLDEN=1"
    }
    return known.span.utf8Text == text ? nil : "\(path) is not what its builder makes: record it and look at the scan"
}

// Base64 with lines of 76 characters, as `base64` writes it.
private func base64Lines(_ bytes: [UInt8]) -> String {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    var out: [UInt8] = []
    var column = 0
    for start in stride(from: 0, to: bytes.count, by: 3) {
        let part = bytes[start..<min(start + 3, bytes.count)]
        let value = part.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - part.count))
        for index in 0..<4 {
            out.append(index <= part.count ? alphabet[value >> (18 - 6 * index) & 63] : 0x3D)
        }
        column += 4
        if column == 76 {
            out.append(0x0A)
            column = 0
        }
    }
    if column > 0 { out.append(0x0A) }
    return String(decoding: out, as: UTF8.self)
}
