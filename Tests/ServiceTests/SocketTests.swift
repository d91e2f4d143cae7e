import Pipeline
import Testing

@testable import ThunderstormService

// What only a real connection shows: framing, waiting, closing. Each test sends the bytes of a client that was seen.

struct SocketTests {
    @Test func connectionsAreKeptAlive() async throws {
        try await TestServer().listen { port, _ async throws in
            let statuses = try await RawConnection.open(port) { connection in
                try (0..<3).map { _ in
                    try connection.send(MultipartForm("evil").request())
                    return try connection.answer()
                }
            }
            #expect(statuses.map(\.status) == [200, 200, 200])
            #expect(statuses.allSatisfy { $0.headers["connection"] == nil && $0.body.hasPrefix("[{") })
        }
    }

    @Test func pipelinedRequestsAreAnsweredInOrder() async throws {
        try await TestServer().listen { port, _ async throws in
            let answers = try await RawConnection.open(port) { connection in
                try connection.send(
                    MultipartForm("evil").request() + Array("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n".utf8))
                return [try connection.answer(), try connection.answer()]
            }
            #expect(answers.map(\.status) == [200, 200])
            #expect(answers[1].body.contains("healthy"))
        }
    }

    @Test func chunkedBodies() async throws {
        let test = try TestServer()
        try await test.listen { port, _ async throws in
            let form = MultipartForm("evil", filename: "/tmp/go")
            let answer = try await RawConnection.open(port) { connection in
                try connection.send(
                    "POST /api/check HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
                        + "Content-Type: \(form.contentType)\r\n\r\n")
                for byte in form.bytes { try connection.send(Array("1\r\n".utf8) + [byte] + Array("\r\n".utf8)) }
                try connection.send("0\r\n\r\n")
                return try connection.answer()
            }
            #expect(answer.status == 200 && answer.body.contains("/tmp/go"))
        }
    }

    @Test func quotedBoundaryOfPowerShell() async throws {
        try await TestServer().listen { port, _ async throws in
            let form = MultipartForm(file: Array("evil".utf8), filename: #"C:\Users\x\evil.exe"#, boundary: "8d7-a b")
            let head =
                "POST /api/check?Source=win HTTP/1.1\r\nHost: x\r\nContent-Length: \(form.bytes.count)\r\n"
                + "Content-Type: multipart/form-data; boundary=\"8d7-a b\"\r\n\r\n"
            let answer = try await RawConnection.exchange(port, Array(head.utf8) + form.bytes)
            #expect(answer.status == 200 && answer.body.contains(#"C:\\Users\\x\\evil.exe"#))
        }
    }

    @Test func closingRequestsOfLWP() async throws {
        try await TestServer().listen { port, _ async throws in
            let (answer, isClosed) = try await RawConnection.open(port) { connection in
                try connection.send(MultipartForm("x").request(headers: ["TE: deflate", "Connection: TE, close"]))
                return (try connection.answer(), try connection.endsCleanly())
            }
            #expect(answer.status == 200 && answer.headers["connection"] == "close" && isClosed)
        }
    }

    @Test func theServerClosesAfterHTTP10() async throws {
        try await TestServer().listen { port, _ async throws in
            let form = MultipartForm("evil")
            let (answer, isClosed) = try await RawConnection.open(port) { connection in
                try connection.send(
                    Array(
                        ("POST /api/check HTTP/1.0\r\nContent-Type: \(form.contentType)\r\n"
                            + "Content-Length: \(form.bytes.count)\r\n\r\n").utf8) + form.bytes)
                return (try connection.answer(), try connection.endsCleanly())
            }
            #expect(answer.status == 200 && answer.body.contains("Evil") && isClosed)
        }
    }

    @Test func absoluteTargetsOfTheOldCollector() async throws {
        let test = try TestServer()
        try await test.listen { port, _ async throws in
            let answer = try await RawConnection.exchange(
                port, MultipartForm("x").request("http://127.0.0.1:\(port)/api/check?source=old"))
            #expect(answer.status == 200)
        }
        #expect(test.engine.submissions.map(\.source) == ["old"])
    }

    @Test func theAddressOfTheClientIsTheSource() async throws {
        let test = try TestServer()
        try await test.listen { port, _ async throws in
            #expect(try await RawConnection.exchange(port, MultipartForm("x").request()).status == 200)
        }
        #expect(test.engine.submissions.map(\.source) == ["127.0.0.1"])
    }

    // MARK: Expect

    @Test func expectantClientsAreToldToGoOn() async throws {
        try await TestServer().listen { port, _ async throws in
            let form = MultipartForm("evil")
            let answers = try await RawConnection.open(port) { connection in
                try connection.send(
                    form.request(headers: ["Expect: 100-continue"], body: [], length: form.bytes.count))
                let leave = try connection.answer()
                try connection.send(form.bytes)
                return [leave, try connection.answer()]
            }
            #expect(answers.map(\.status) == [100, 200])
        }
    }

    @Test func expectantClientsWithTooMuchGetTheirAnswerInstead() async throws {
        try await TestServer { $0.maximumFileSize = 1000 }.listen { port, _ async throws in
            let (answer, isClosed) = try await RawConnection.open(port) { connection in
                try connection.send(
                    MultipartForm().request(headers: ["Expect: 100-continue"], body: [], length: 10 << 20))
                return (try connection.answer(), try connection.endsCleanly())
            }
            #expect(answer.status == 413 && answer.headers["connection"] == "close" && isClosed)
            #expect(jsonObject(answer.body)["reason"] as? String == "sample_too_large")
        }
    }

    @Test func expectantClientsOfABusyServiceGetTheirAnswerInstead() async throws {
        let test = try TestServer { $0.queueLimitCount = 0 }
        try await test.listen { port, _ async throws in
            let answer = try await RawConnection.exchange(
                port,
                MultipartForm().request("/api/checkAsync", headers: ["Expect: 100-continue"], body: [], length: 9 << 20)
            )
            #expect(answer.status == 503)
            #expect((1...120).contains(try #require(answer.headers["retry-after"].flatMap { Int($0) })))
            #expect(jsonObject(answer.body)["reason"] as? String == "queue_full")
        }
    }

    // MARK: Too much, too little

    // A client that sends all before it reads: it must see the answer, not a reset.
    @Test func bodiesOverTheLimitAreAnsweredAndClosedCleanly() async throws {
        let test = try TestServer { $0.maximumFileSize = 1 << 20 }
        try await test.listen { port, _ async throws in
            let form = MultipartForm(file: [UInt8](repeating: 7, count: 32 << 20), filename: "a")
            let (answer, isClosed) = try await RawConnection.open(port) { connection in
                try connection.send(form.request())
                let answer = try connection.answer()
                connection.closeOutput()
                return (answer, try connection.endsCleanly())
            }
            #expect(answer.status == 413 && isClosed)
            #expect(answer.headers["connection"] == "close")
            // The same without a length: only the content tells.
            let chunked = try await RawConnection.open(port) { connection in
                try connection.send(
                    "POST /api/checkAsync HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
                        + "Content-Type: \(form.contentType)\r\n\r\n")
                try connection.send(Array("\(String(form.bytes.count, radix: 16))\r\n".utf8) + form.bytes)
                try connection.send("\r\n0\r\n\r\n")
                return try connection.answer()
            }
            #expect(chunked.status == 413)
            #expect(try await RawConnection.exchange(port, MultipartForm("x").request()).status == 200)
        }
        #expect(try test.folder.samples().isEmpty)
    }

    @Test(arguments: ["/api/check", "/api/checkAsync"])
    func truncatedBodiesAreSaidAndLogged(_ uri: String) async throws {
        let test = try TestServer()
        try await test.listen { port, _ async throws in
            let form = MultipartForm("half of it", filename: "/tmp/half")
            let answer = try await RawConnection.open(port) { connection in
                try connection.send(form.request(uri, body: Array(form.bytes.dropLast(20)), length: form.bytes.count))
                connection.closeOutput()
                return try connection.answer()
            }
            #expect(answer.status == 400)
            #expect(jsonObject(answer.body)["reason"] as? String == "truncated_body")
        }
        #expect(test.log.messages.contains { $0.contains("FILE=/tmp/half") && $0.contains("SOURCE=127.0.0.1") })
        #expect(try test.folder.samples().isEmpty)
    }

    @Test func abortedUploadsLeaveNothing() async throws {
        let test = try TestServer()
        try await test.listen { port, _ async throws in
            let form = MultipartForm(file: [UInt8](repeating: 1, count: 1 << 20), filename: "a")
            for uri in ["/api/check", "/api/checkAsync"] {
                try await RawConnection.open(port) { connection in
                    try connection.send(
                        form.request(uri, body: Array(form.bytes.prefix(500_000)), length: form.bytes.count))
                }
            }
            while test.log.messages.count < 2 { await Task.yield() }
            #expect(try await RawConnection.exchange(port, MultipartForm("x").request()).status == 200)
        }
        #expect(try test.folder.samples().isEmpty)
        #expect(test.byteStore.memoryInUse == 0)
    }

    @Test func aLengthThatIsTooShort() async throws {
        try await TestServer().listen { port, _ async throws in
            let form = MultipartForm("content of the sample")
            let (answer, isClosed) = try await RawConnection.open(port) { connection in
                try connection.send(form.request(length: form.bytes.count - 10))
                let answer = try connection.answer()
                connection.closeOutput()
                return (answer, try connection.endsCleanly())
            }
            #expect(answer.status == 400 && isClosed)
            #expect(jsonObject(answer.body)["reason"] as? String == "truncated_body")
        }
    }

    @Test(arguments: ["Content-Length: many", "Content-Length: -5", "Content-Length: 99999999999999999999999"])
    func lengthsThatAreNone(_ header: String) async throws {
        try await TestServer().listen { port, _ async throws in
            let (answer, isClosed) = try await RawConnection.open(port) { connection in
                try connection.send("POST /api/check HTTP/1.1\r\nHost: x\r\n\(header)\r\n\r\n")
                let answer = try connection.answer()
                connection.closeOutput()
                return (answer, try connection.endsCleanly())
            }
            #expect(answer.status == 400 && isClosed)
            #expect(jsonObject(answer.body)["reason"] as? String == "malformed_request")
        }
    }

    @Test(arguments: [
        "hello\r\n\r\n", "GET\r\n\r\n", "GET /api/check?source=my host HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n",
        "POST /api/check HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST /api/check HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
        "GET / HTTP/1.1\r\nbad header\r\n\r\n", "\u{16}\u{3}\u{1}\u{2}\0\u{1}\0\u{1}", "GET / HTTP/9.9\r\n\r\n",
    ])
    func requestsThatAreNone(_ request: String) async throws {
        try await TestServer().listen { port, _ async throws in
            let answer = try await RawConnection.open(port) { connection in
                try connection.send(request)
                connection.closeOutput()
                return try connection.answer()
            }
            #expect(answer.status >= 400)
            #expect(jsonObject(answer.body)["reason"] is String)
            #expect(try await RawConnection.exchange(port, MultipartForm("x").request()).status == 200)
        }
    }

    @Test func nothingIsReadBehindAClosingRequest() async throws {
        let test = try TestServer()
        try await test.listen { port, _ async throws in
            let form = MultipartForm("x")
            let (answer, isClosed) = try await RawConnection.open(port) { connection in
                try connection.send(form.request(headers: ["Connection: close"]) + form.request())
                let answer = try connection.answer()
                connection.closeOutput()
                return (answer, try connection.endsCleanly())
            }
            #expect(answer.status == 200 && isClosed)
        }
        #expect(test.engine.submissions.count == 1)
    }

    @Test func aRefusedSmallUploadKeepsItsConnection() async throws {
        try await TestServer().listen { port, _ async throws in
            var form = MultipartForm()
            form.add(disposition: "form-data; name=\"other\"", [1])
            let wrong = form
            let answers = try await RawConnection.open(port) { connection in
                try connection.send(wrong.request())
                let first = try connection.answer()
                try connection.send(MultipartForm("x").request())
                return [first, try connection.answer()]
            }
            #expect(answers.map(\.status) == [400, 200])
        }
    }
}
