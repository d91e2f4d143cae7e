// The boundary in a Content-Type header; PowerShell's client quotes it. By bytes: every upload has one.

/// The boundary of a `multipart/form-data` content type.
///
/// - Throws: `APIError` saying what is wrong with the header.
func multipartBoundary(contentType: String?) throws(APIError) -> [UInt8] {
    let bytes = Array((contentType ?? "").utf8)
    guard isSame(bytes.prefix(multipartType.count), multipartType) else {
        throw .badRequest(
            "no_multipart_body",
            "the body must be multipart/form-data with the sample in a part named 'file', as in: curl -F file=@sample")
    }
    for parameter in bytes.split(separator: UInt8(ascii: ";")).dropFirst() {
        guard let equals = parameter.firstIndex(of: UInt8(ascii: "=")),
            isSame(trimmed(parameter[..<equals]), boundaryName)
        else { continue }
        var value = trimmed(parameter[(equals + 1)...])
        if value.first == UInt8(ascii: "\"") { value = value.dropFirst().prefix { $0 != UInt8(ascii: "\"") } }
        // RFC 2046 allows 70 characters; clients were seen with more, none near this.
        guard !value.isEmpty, value.count <= 256 else {
            throw .badRequest("invalid_boundary", "the boundary in Content-Type must have 1 to 256 characters")
        }
        return Array(value)
    }
    throw .badRequest("missing_boundary", "Content-Type multipart/form-data has no boundary parameter")
}

private let multipartType = Array("multipart/form-data".utf8)
private let boundaryName = Array("boundary".utf8)

// Whether bytes are a word in lower case, however they are written.
private func isSame(_ bytes: ArraySlice<UInt8>, _ word: [UInt8]) -> Bool {
    bytes.count == word.count
        && zip(bytes, word).allSatisfy { $0 == $1 || ($0 | 0x20 == $1 && $1 >= UInt8(ascii: "a")) }
}

private func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    let rest = bytes.drop(while: isBlank)
    return rest.lastIndex { !isBlank($0) }.map { rest[...$0] } ?? []
}
