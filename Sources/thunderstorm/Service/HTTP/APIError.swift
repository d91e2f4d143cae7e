import Hummingbird

/// A request that is not answered with what it asked for.
///
/// Clients parse error bodies as JSON and look for the keys `message` and `reason`, so every error has both.
struct APIError: Error, Equatable {
    /// HTTP status.
    var status: HTTPResponse.Status
    /// What happened, as a word for programs.
    var reason: String
    /// What happened and what to do, for people.
    var message: String
    /// Seconds after which to try again.
    var retryAfter: Int?
    /// What the operator's log says besides; never sent to the client.
    var detail: String?
    /// Whether the connection cannot be used further.
    var closesConnection = false

    /// Equal by status and reason.
    static func == (left: APIError, right: APIError) -> Bool {
        left.status == right.status && left.reason == right.reason
    }

    static func badRequest(_ reason: String, _ message: String) -> APIError {
        APIError(status: .badRequest, reason: reason, message: message)
    }

    /// The body ended before it should.
    static let truncated = APIError(
        status: .badRequest, reason: "truncated_body",
        message: "the body ended before its closing boundary; send the sample again", closesConnection: true)

    /// The body came too slowly.
    static let tooSlow = APIError(
        status: .requestTimeout, reason: "too_slow",
        message: "the body came too slowly; send the sample again over a better connection", closesConnection: true)

    static func tooLarge(limit: Int) -> APIError {
        APIError(
            status: .contentTooLarge, reason: "sample_too_large",
            message: "the sample is larger than the limit of \(limit) bytes; raise it with --max-file-size",
            closesConnection: true)
    }

    static func formTooLarge(limit: Int) -> APIError {
        APIError(
            status: .contentTooLarge, reason: "form_too_large",
            message: "what the form holds besides the sample is larger than \(limit) bytes; send only a part 'file'",
            closesConnection: true)
    }

    /// There is no room now, but will be.
    static func busy(_ reason: String, _ message: String, retryAfter: Int) -> APIError {
        APIError(
            status: .serviceUnavailable, reason: reason, message: message, retryAfter: min(max(retryAfter, 1), 120))
    }

    static func failed(_ message: String) -> APIError {
        APIError(status: .internalServerError, reason: "internal_error", message: message)
    }
}
