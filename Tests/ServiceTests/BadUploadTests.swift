import HTTPTypes
import HummingbirdTesting
import NIOCore
import Pipeline
import Testing

@testable import ThunderstormService

// Uploads that are wrong: a clear error each time, nothing is left anywhere, the service still answers.

struct BadUploadTests {
    private static let uris = ["/api/check", "/api/v1/check", "/api/checkAsync", "/api/v1/checkAsync"]

    private func refused(_ body: [UInt8], type: String?, status: Int = 400, reason: String) async throws {
        let test = try TestServer { $0.maximumFileSize = 1 << 20 }
        try await test.route { client async throws in
            for uri in Self.uris {
                var headers = HTTPFields()
                headers[.contentType] = type
                let answer = try await client.execute(
                    uri: uri, method: .post, headers: headers, body: ByteBuffer(bytes: body))
                #expect(answer.status.code == status, "\(uri)")
                #expect(answer.reason == reason, "\(uri)")
                #expect(answer.object["message"] is String)
            }
            #expect(try await client.upload(MultipartForm("fine")).text == "[]\n")
        }
        #expect(test.engine.submissions.count == 1)
        #expect(try test.folder.samples().isEmpty)
        #expect(test.byteStore.memoryInUse == 0)
    }

    @Test func noMultipart() async throws {
        try await refused(Array("{}".utf8), type: "application/json", reason: "no_multipart_body")
        try await refused([], type: nil, reason: "no_multipart_body")
    }

    @Test func boundaries() async throws {
        let body = MultipartForm("x").bytes
        try await refused(body, type: "multipart/form-data", reason: "missing_boundary")
        try await refused(body, type: "multipart/form-data; boundary=", reason: "invalid_boundary")
        try await refused(body, type: "multipart/form-data; boundary=\"\"", reason: "invalid_boundary")
        try await refused(body, type: "multipart/form-data; boundary=other", reason: "boundary_not_found")
    }

    @Test func noFilePart() async throws {
        var form = MultipartForm()
        form.add(disposition: "form-data; name=\"sample\"; filename=\"a\"", [1, 2, 3])
        try await refused(form.bytes, type: form.contentType, reason: "no_file_part")
        try await refused(Array("--xYzZY--\r\n".utf8), type: form.contentType, reason: "no_file_part")
    }

    @Test func twoFileParts() async throws {
        var form = MultipartForm("first")
        form.add(disposition: "form-data; name=\"file\"; filename=\"b\"", [1])
        try await refused(form.bytes, type: form.contentType, reason: "multiple_files")
    }

    @Test func emptyBodies() async throws {
        try await refused([], type: MultipartForm().contentType, reason: "empty_body")
    }

    @Test func truncatedBodies() async throws {
        let form = MultipartForm(file: [UInt8](repeating: 7, count: 300 << 10), filename: "a")
        try await refused(form.openBytes, type: form.contentType, reason: "truncated_body")
        try await refused(Array(form.openBytes.prefix(60)), type: form.contentType, reason: "truncated_body")
        try await refused(Array(form.openBytes.prefix(200_000)), type: form.contentType, reason: "truncated_body")
    }

    @Test func headersWithoutEnd() async throws {
        let form = MultipartForm(file: [], filename: String(repeating: "a", count: 300 << 10))
        try await refused(form.bytes, type: form.contentType, reason: "part_header_too_large")
    }

    @Test func samplesOverTheLimit() async throws {
        let declared = MultipartForm(file: [UInt8](repeating: 7, count: 2 << 20), filename: "a")
        try await refused(declared.bytes, type: declared.contentType, status: 413, reason: "sample_too_large")
        // Within what headers may take: only the content itself tells.
        let close = MultipartForm(file: [UInt8](repeating: 7, count: 1 << 20 | 1), filename: "a")
        try await refused(close.bytes, type: close.contentType, status: 413, reason: "sample_too_large")
    }

    @Test func theLargestSampleIsTaken() async throws {
        let test = try TestServer { $0.maximumFileSize = 1 << 20 }
        try await test.route { client async throws in
            let form = MultipartForm(file: [UInt8](repeating: 7, count: 1 << 20), filename: "a")
            #expect(try await client.upload(form).status == .ok)
        }
        #expect(test.engine.submissions.map(\.bytes.count) == [1 << 20])
    }

    // Names that try to be something else; each is a text and nothing more.
    @Test(arguments: [
        "../../../../etc/cron.d/x", "/etc/passwd", "a\0b", "%00", "a\" b", "<script>alert(1)</script>", "\u{1B}[31m",
        "a;b", "C:\\..\\..\\x", "CON", ".part", "1.sample",
    ])
    func namesLeadNowhere(_ name: String) async throws {
        let test = try TestServer()
        try await test.route { client async throws in
            #expect(try await client.upload(MultipartForm("x", filename: name)).status == .ok)
            _ = try await client.result(of: try await client.submit(MultipartForm("x", filename: name)))
        }
        #expect(try test.folder.samples().isEmpty)
        let paths = test.engine.submissions.map(\.path)
        #expect(paths.count == 2 && paths[0] == paths[1] && !paths[0].contains("\0"))
    }

    @Test(arguments: [32 << 10, 32_767, 64 << 10])
    func longNames(_ count: Int) async throws {
        let test = try TestServer()
        let name = "/" + String(repeating: "n", count: count - 1)
        try await test.route { client async throws in
            #expect(try await client.upload(MultipartForm("x", filename: name)).status == .ok)
        }
        #expect(test.engine.submissions.map(\.path) == [name])
    }
}
