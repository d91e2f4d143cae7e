import HTTPTypes
import Pipeline
import Testing

@testable import ThunderstormService

private struct Collector: MultipartReceiver {
    struct Part: Equatable {
        var name: String
        var content: String
        var isEnded = false
    }

    var parts: [Part] = []

    mutating func partBegan(_ header: PartHeader) { parts.append(Part(name: header.name, content: "")) }
    mutating func partBytes(_ bytes: RawSpan) { parts[parts.count - 1].content += bytes.utf8Text }
    mutating func partEnded() { parts[parts.count - 1].isEnded = true }
}

struct MultipartParserTests {
    private func parse(_ body: String, boundary: String = "b", chunk: Int = .max) throws(APIError) -> [Collector.Part] {
        var parser = MultipartParser(boundary: Array(boundary.utf8))
        var collector = Collector()
        let bytes = Array(body.utf8)
        var offset = 0
        while offset < bytes.count {
            let count = min(chunk, bytes.count - offset)
            try parser.consume(bytes.rawSpan.suffix(from: offset).prefix(count), into: &collector)
            offset += count
        }
        try parser.finish()
        return collector.parts
    }

    private func part(_ name: String, _ content: String) -> Collector.Part {
        Collector.Part(name: name, content: content, isEnded: true)
    }

    private func text(_ content: String) -> String {
        "--b\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\n\(content)\r\n--b--\r\n"
    }

    // Whatever the content is, and wherever the chunks end, it comes out as it went in.
    @Test(arguments: [
        "", "hello", "\r\n", "\r", "\n", "\r\n--", "\r\n-", "\r\r\n--\r\n--", "--b", "-\r\n--c\r\n", "a\r\n--bb\r\nb",
        "\r\n--b x", "\r\n--b-", "\r\n--b-x", "\n--b\rx", "\r\n--b\r\r\n", "\r\n--b   \r x", "x\r\n\r\n--bx\r\n",
        "\r\n--b" + String(repeating: " ", count: 200) + "x",
    ])
    func contentSurvivesAnyChunking(_ content: String) throws {
        for size in [1, 2, 3, 5, 7, 11, 64, 1000] {
            #expect(try parse(text(content), chunk: size) == [part("x", content)], "chunks of \(size)")
        }
    }

    @Test func partsInOrder() throws {
        let body = """
            preamble\r\n--b\r\nContent-Disposition: form-data; name="hostname"\r\n\r\npc1\r\n--b \t\r
            Content-Disposition: form-data; name="file"; filename="a"\r\n\r\ndata\r\n--b--epilogue --b\r\n
            """
        for size in [1, 4, 100] {
            #expect(try parse(body, chunk: size) == [part("hostname", "pc1"), part("file", "data")])
        }
    }

    @Test func lineFeedsAlone() throws {
        let body = "--b\nContent-Disposition: form-data; name=\"file\"\n\none\ntwo\n--b--\n"
        for size in [1, 4, 100] { #expect(try parse(body, chunk: size) == [part("file", "one\ntwo")]) }
    }

    @Test func partsWithoutHeaders() throws {
        #expect(try parse("--b\r\n\r\ntext\r\n--b--") == [part("", "text")])
    }

    @Test func boundariesOfAnyShape() throws {
        let boundary = "----WebKit'()+_,-./:=? x"
        let body = "--\(boundary)\r\nContent-Disposition: form-data; name=\"f\"\r\n\r\nz\r\n--\(boundary)--"
        #expect(try parse(body, boundary: boundary, chunk: 3) == [part("f", "z")])
    }

    @Test func everyTruncationIsAnError() {
        let whole = Array(text("content").utf8)
        for length in 0..<whole.count - 2 {
            let error = #expect(throws: APIError.self) {
                try parse(String(decoding: whole[..<length], as: UTF8.self))
            }
            #expect(error?.status == .badRequest)
        }
    }

    @Test func aBodyWithoutTheBoundaryIsSaid() {
        #expect(throws: APIError.badRequest("boundary_not_found", "")) { try parse("--other\r\n\r\nx\r\n--other--") }
    }

    @Test func headersAreBounded() {
        let body = "--b\r\nX: " + String(repeating: "x", count: MultipartParser.headerLimit) + "\r\n\r\n"
        #expect(throws: APIError.badRequest("part_header_too_large", "")) { try parse(body, chunk: 8192) }
    }

    // Random content and random chunks, the same every time.
    @Test func seededNoise() throws {
        var state: UInt64 = 0x9E37_79B9_7F4A_7C15
        func next(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        let alphabet = Array("\r\n-b x".utf8)
        for _ in 0..<300 {
            let content = String(decoding: (0..<next(60)).map { _ in alphabet[next(alphabet.count)] }, as: UTF8.self)
            // With a real delimiter in it, the content would end there.
            if content.utf8.firstRange(of: "\n--b".utf8) != nil { continue }
            #expect(try parse(text(content), chunk: next(20) + 1) == [part("x", content)])
        }
    }

    @Test(arguments: [
        ("multipart/form-data; boundary=abc", "abc"),
        ("multipart/form-data; boundary=\"a b\"", "a b"),
        ("Multipart/Form-Data;charset=utf-8;  BOUNDARY=\"x-y\" ; z=1", "x-y"),
        ("multipart/form-data; boundary=----x==", "----x=="),
    ])
    func boundaryOfTheContentType(_ type: String, _ boundary: String) throws {
        #expect(try multipartBoundary(contentType: type) == Array(boundary.utf8))
    }

    @Test(arguments: [
        (nil, "no_multipart_body"), ("application/json", "no_multipart_body"),
        ("multipart/form-data", "missing_boundary"), ("multipart/form-data; boundary=", "invalid_boundary"),
        ("multipart/form-data; boundary=\"\"", "invalid_boundary"),
    ])
    func badContentTypes(_ type: String?, _ reason: String) {
        #expect(throws: APIError.badRequest(reason, "")) { try multipartBoundary(contentType: type) }
    }
}
