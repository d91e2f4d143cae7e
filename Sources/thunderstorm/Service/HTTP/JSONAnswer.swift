import HTTPTypes
import Hummingbird
import NIOCore

// Every answer of the API is JSON, errors included.

extension Response {
    /// A JSON answer.
    static func json(
        _ status: HTTPResponse.Status = .ok, pretty: Bool = false, _ body: (inout JSONWriter) -> Void
    ) -> Response {
        var writer = JSONWriter(pretty: pretty)
        body(&writer)
        return text(status, type: "application/json", writer.bytes + [0x0A])
    }

    /// An answer of any text type.
    static func text(_ status: HTTPResponse.Status = .ok, type: String, _ body: [UInt8]) -> Response {
        Response(
            status: status,
            headers: [
                .contentType: type, .cacheControl: "no-store", .xContentTypeOptions: "nosniff",
            ],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: body)))
    }

    /// The answer to a request that failed.
    static func error(_ error: APIError) -> Response {
        var response = json(error.status) { writer in
            writer.object { writer in
                writer.field("message", error.message)
                writer.field("reason", error.reason)
            }
        }
        if let seconds = error.retryAfter { response.headers[.retryAfter] = "\(seconds)" }
        if error.status == .unauthorized { response.headers[.wwwAuthenticate] = "Bearer" }
        if error.closesConnection { response.headers[.connection] = "close" }
        return response
    }
}
