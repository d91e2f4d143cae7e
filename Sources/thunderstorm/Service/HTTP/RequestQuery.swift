import Hummingbird

// Query parameters as clients send them: keys in any case (`Source` is PowerShell's), values percent-encoded or form
// encoded or neither. Nothing a client writes here may fail but a number that is none.

/// The query of a request.
struct RequestQuery {
    private var values: [String: String] = [:]

    init(_ request: Request) { self.init(request.uri.query ?? "") }

    init(_ query: String) {
        for pair in query.utf8.split(separator: UInt8(ascii: "&")) {
            let parts = pair.split(
                separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            let key = decoded(parts[0]).lowercased()
            // The first value counts, so that nothing appended by a proxy or collector replaces it.
            if values[key] == nil { values[key] = parts.count > 1 ? decoded(parts[1]) : "" }
        }
    }

    /// The value of a key in lower case; nil when it is missing or empty.
    subscript(key: String) -> String? {
        guard let value = values[key], !value.isEmpty else { return nil }
        return value
    }

    /// Whether a switch is on: `?pretty`, `?pretty=true`, `?pretty=1`.
    func isOn(_ key: String) -> Bool {
        guard let value = values[key] else { return false }
        return ["", "1", "t", "true", "yes", "on"].contains(value.lowercased())
    }

    /// A whole number in a range; nil when the key is missing or empty.
    ///
    /// - Throws: `APIError` when it is no such number.
    func integer(_ key: String, in range: ClosedRange<Int>) throws(APIError) -> Int? {
        guard let text = self[key] else { return nil }
        guard let number = Int(text), range.contains(number) else {
            throw .badRequest(
                "invalid_\(key)",
                "\(key) must be a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    private func decoded(_ bytes: Substring.UTF8View) -> String {
        clientText(percentDecoded(Array(bytes), plusIsBlank: true))
    }
}
