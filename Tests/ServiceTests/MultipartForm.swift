/// A multipart body as a client writes it, in bytes.
struct MultipartForm {
    var boundary = "xYzZY"
    private var body: [UInt8] = []

    init(boundary: String = "xYzZY") { self.boundary = boundary }

    /// A form with one sample in a part `file`.
    init(file content: [UInt8], filename: String, boundary: String = "xYzZY") {
        self.boundary = boundary
        add(disposition: "form-data; name=\"file\"; filename=\"\(filename)\"", content)
    }

    /// A form with one sample whose text is given.
    init(_ content: String, filename: String = "/tmp/sample.txt") {
        self.init(file: Array(content.utf8), filename: filename)
    }

    /// Adds a part with the given value of Content-Disposition.
    mutating func add(disposition: String, _ content: [UInt8]) { add(disposition: Array(disposition.utf8), content) }

    /// Adds a part with the given bytes of Content-Disposition.
    mutating func add(disposition: [UInt8], _ content: [UInt8]) {
        body += Array("--\(boundary)\r\nContent-Disposition: ".utf8) + disposition
        body += Array("\r\nContent-Type: application/octet-stream\r\n\r\n".utf8) + content + Array("\r\n".utf8)
    }

    /// The whole body, closed.
    var bytes: [UInt8] { body + Array("--\(boundary)--\r\n".utf8) }

    /// The body without its closing delimiter.
    var openBytes: [UInt8] { body }

    /// Value of the Content-Type header.
    var contentType: String { "multipart/form-data; boundary=\(boundary)" }

    /// A whole HTTP/1.1 request.
    func request(
        _ target: String = "/api/check", headers: [String] = [], body: [UInt8]? = nil, length: Int? = nil
    ) -> [UInt8] {
        let body = body ?? bytes
        let head =
            ["POST \(target) HTTP/1.1", "Host: localhost", "Content-Type: \(contentType)"] + headers
            + ["Content-Length: \(length ?? body.count)", "", ""]
        return Array(head.joined(separator: "\r\n").utf8) + body
    }
}
