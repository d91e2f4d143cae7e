// The boundary in a Content-Type header; PowerShell's client quotes it.

/// The boundary of a `multipart/form-data` content type.
///
/// - Throws: `APIError` saying what is wrong with the header.
func multipartBoundary(contentType: String?) throws(APIError) -> [UInt8] {
    guard let contentType, contentType.lowercased().hasPrefix("multipart/form-data") else {
        throw .badRequest(
            "no_multipart_body",
            "the body must be multipart/form-data with the sample in a part named 'file', as in: curl -F file=@sample")
    }
    for parameter in contentType.split(separator: ";").dropFirst() {
        let pair = parameter.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard pair.count == 2, trimmed(pair[0]).lowercased() == "boundary" else { continue }
        var value = trimmed(pair[1])
        if value.hasPrefix("\"") { value = String(value.dropFirst().prefix { $0 != "\"" }) }
        // RFC 2046 allows 70 characters; clients were seen with more, none near this.
        guard !value.isEmpty, value.utf8.count <= 256 else {
            throw .badRequest("invalid_boundary", "the boundary in Content-Type must have 1 to 256 characters")
        }
        return Array(value.utf8)
    }
    throw .badRequest("missing_boundary", "Content-Type multipart/form-data has no boundary parameter")
}

private func trimmed(_ text: Substring) -> String {
    let rest = text.drop { $0 == " " || $0 == "\t" }
    guard let last = rest.lastIndex(where: { $0 != " " && $0 != "\t" }) else { return "" }
    return String(rest[...last])
}
