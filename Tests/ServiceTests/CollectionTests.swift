import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Pipeline
import Synchronization
import Testing

@testable import ThunderstormService

struct CollectionTests {
    private func mark(_ client: any TestClientProtocol, _ json: String) async throws -> TestResponse {
        try await client.execute(
            uri: "/api/collection", method: .post, headers: [.contentType: "application/json"],
            body: ByteBuffer(string: json))
    }

    @Test func aRunIsCountedFromBeginToEnd() async throws {
        let folder = try TemporaryFolder()
        let test = try TestServer(folder: folder)
        let id = try await test.route { client async throws in
            let begun = try await mark(
                client,
                #"{"type":"begin","source":"pc1","hostname":"PC-1","collector":"bash/0.5.0","timestamp":"2026-01-02T03:04:05Z"}"#
            )
            #expect(begun.status == .ok)
            let id = try #require(begun.object["scan_id"] as? String)
            #expect(id.count <= 256)
            _ = try await client.upload(MultipartForm("evil"), to: "/api/check?source=pc1&scan_id=\(id)")
            let queued = try await client.submit(MultipartForm("good"), to: "/api/checkAsync?scan_id=\(id)")
            _ = try await client.result(of: queued)
            _ = try await client.upload(MultipartForm("x"), to: "/api/check?scan_id=unknown")
            // What was acknowledged is counted in the index already, whatever happens to the service now.
            test.core.journal.flush()
            #expect(try test.core.index.collections().first?.received == 2)
            let running = try await client.get("/api/collection?scan_id=\(id)").object
            #expect(running["state"] as? String == "running")
            #expect(running["received"] as? Int == 2)
            #expect(running["received_bytes"] as? Int == 8)
            #expect(running["scanned"] as? Int == 2)
            #expect(running["alerts"] as? Int == 1)
            #expect(running["silent"] as? Bool == false)
            let ended = try await mark(
                client,
                #"{"type":"end","source":"pc1","scan_id":"\#(id)","stats":{"scanned":5,"submitted":2,"elapsed_seconds":1.5}}"#
            )
            #expect(ended.status == .ok)
            return id
        }
        test.core.close()
        #expect(test.log.messages.contains { $0.hasPrefix("collection begin") && $0.contains("COLLECTOR=bash/0.5.0") })
        #expect(test.log.messages.contains { $0.hasPrefix("collection end") && $0.contains("submitted=2.0") })
        let after = try TestServer(folder: folder)
        try await after.route { client async throws in
            let run = try await client.get("/api/v1/collection?scan_id=\(id)").object
            #expect(run["state"] as? String == "ended")
            #expect(run["received"] as? Int == 2)
            #expect((run["reported"] as? [String: Any])?["elapsed_seconds"] as? Double == 1.5)
            #expect(try await client.get("/api/collection?state=ended").array?.count == 1)
            #expect(try await client.get("/api/collection?state=running").array?.isEmpty == true)
        }
    }

    @Test func aHostThatFallsSilentIsTold() async throws {
        let clock = ClockDouble(1_700_000_000)
        let test = try TestServer { _ in
        } parts: {
            $0.now = { clock.now }
        }
        try await test.route { client async throws in
            let id = try #require(
                try await mark(client, #"{"type":"begin","source":"pc1"}"#).object["scan_id"] as? String)
            clock.advance(3_599)
            #expect(try await client.get("/api/collection?state=silent").array?.isEmpty == true)
            clock.advance(1)
            let silent = try #require(try await client.get("/api/collection?state=silent").array?.first)
            #expect(silent["scan_id"] as? String == id)
            for _ in 0..<2 { test.core.collections.tellSilent(test.log) }
            #expect(test.log.messages.filter { $0.contains("has not ended") && $0.contains(id) }.count == 1)
        }
    }

    @Test(arguments: ["", "[]", "{}", #"{"type":7}"#, #"{"type":"pause"}"#, "\u{0}"])
    func whatIsNoMarkerIsRefused(_ body: String) async throws {
        try await TestServer().route { client async throws in
            let answer = try await mark(client, body)
            #expect(answer.status == .badRequest)
            #expect(answer.object["message"] is String)
        }
    }

    @Test func oddMarkersAreBorne() async throws {
        try await TestServer().route { client async throws in
            let odd = #"{"type":"end","scan_id":"nobody","stats":{"a":null,"b":1e400},"extra":[1]}"#
            #expect([.ok, .badRequest].contains(try await mark(client, odd).status))
            #expect(
                try await mark(client, #"{"type":"interrupted","scan_id":"nobody"}"#).object["known"] as? Bool == false)
            let long = String(repeating: "x", count: 100_000)
            #expect(try await mark(client, #"{"type":"begin","source":"\#(long)"}"#).status == .contentTooLarge)
            #expect(try await client.get("/api/collection?scan_id=nobody").status == .notFound)
            #expect(try await client.get("/api/collection?state=odd").reason == "invalid_state")
        }
    }

    @Test func longTextsAreCutAndSaySo() async throws {
        try await TestServer().route { client async throws in
            let long = String(repeating: "x", count: 10_000)
            let begin = #"{"type":"begin","source":"\#(long)","hostname":"\#(long)","collector":"\#(long)"}"#
            let id = try #require(try await mark(client, begin).object["scan_id"] as? String)
            let run = try await client.get("/api/collection?scan_id=\(id)").object
            for key in ["source", "hostname", "collector"] {
                #expect(run[key] as? String == String(repeating: "x", count: 252) + "…")
            }
        }
    }

    @Test func statsCannotPassForFieldsOfTheEvent() async throws {
        let test = try TestServer()
        try await test.route { client async throws in
            let begun = try await mark(client, #"{"type":"begin","source":"pc1"}"#).object
            #expect(begun["stats_left_out"] == nil)
            let id = try #require(begun["scan_id"] as? String)
            let stats = #"{"MESSAGE":1,"scanned":2,"source":3,"MESSAGE: Malware found\nX":4,"":5,"ä":6}"#
            let ended = try await mark(client, #"{"type":"end","scan_id":"\#(id)","stats":\#(stats)}"#)
            #expect(ended.object["stats_left_out"] as? Int == 3)
            let run = try await client.get("/api/collection?scan_id=\(id)").object
            let reported = try #require(run["reported"] as? [String: Any])
            #expect(reported.keys.sorted() == ["MESSAGE", "scanned", "source"])
        }
        let line = try #require(test.log.messages.first { $0.hasPrefix("collection end") })
        #expect(line.hasSuffix(" STAT_MESSAGE=1.0 scanned=2.0 STAT_source=3.0 STATS_LEFT_OUT=3"))
        #expect(!line.contains("Malware"))
    }

    @Test func ofTooManyStatsThePublishedOnesStay() {
        var sent = Dictionary(uniqueKeysWithValues: (0..<100).map { ("a\($0)", 1.0) })
        sent["scanned"] = 7
        sent["infinite"] = .infinity
        sent[String(repeating: "a", count: 65)] = 1
        let stats = CollectionStats(sent)
        #expect(stats.kept.count == 32)
        #expect(stats.kept["scanned"] == 7)
        #expect(stats.leftOut == 71)
        #expect(CollectionStats([String(repeating: "a", count: 64): 1]).leftOut == 0)
    }
}

/// A clock that goes when it is told.
private final class ClockDouble: Sendable {
    private let seconds: Mutex<Int64>

    init(_ seconds: Int64) { self.seconds = Mutex(seconds) }

    var now: Timestamp { Timestamp(seconds: seconds.withLock { $0 }) }

    func advance(_ more: Int64) { seconds.withLock { $0 += more } }
}
