import Glibc
import Pipeline

// Golden outputs: the expected text lies in `Golden/NAME` beside the test. RECORD_GOLDEN=1 writes it anew; the diff
// is the review.

/// Compares a text with its golden file.
///
/// - Returns: nil when they are equal (or were just recorded), otherwise what differs first.
public func goldenDifference(_ name: String, _ text: String, testFile: String = #filePath) -> String? {
    let folder =
        testFile.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
        + "/Golden"
    let path = folder + "/" + name
    if unsafe getenv("RECORD_GOLDEN") != nil {
        unsafe mkdir(folder, 0o755)
        guard let file = unsafe fopen(path, "w") else { return "cannot write \(path)" }
        defer { unsafe fclose(file) }
        unsafe fputs(text, file)
        return nil
    }
    guard let bytes = try? ByteStore().read(file: path) else {
        return "\(path) is missing: run the tests once with RECORD_GOLDEN=1 and review the file"
    }
    let expected = bytes.span.utf8Text
    if expected == text { return nil }
    let wanted = expected.split(separator: "\n", omittingEmptySubsequences: false)
    let got = text.split(separator: "\n", omittingEmptySubsequences: false)
    let line = zip(wanted, got).enumerated().first { $1.0 != $1.1 }?.offset ?? min(wanted.count, got.count)
    let left = line < wanted.count ? wanted[line] : "(end)"
    let right = line < got.count ? got[line] : "(end)"
    return "\(name):\(line + 1): expected '\(left)', got '\(right)'"
}
