import Foundation
import HTTPTypes
import HummingbirdTesting
import Pipeline
import Synchronization
import Testing

@testable import ThunderstormService

/// Signatures that change under a running engine.
@Suite(.serialized) struct SignatureReloadTests {
    @Test func trafficMovesToTheNewSetUnderLoad() async throws {
        try await EngineHarness(marker: "one") { $0.threads = 2 }.run { harness in
            let before = try #require(harness.engine.signatures)
            let isOver = SharedValue(false)
            async let load = withTaskGroup(of: [Report].self) { group in
                for client in 0..<4 {
                    group.addTask {
                        var reports: [Report] = []
                        while !isOver.withLock({ $0 }) {
                            reports.append(
                                await harness.scan("nap", number: client, lane: client % 2 == 0 ? .sync : .async))
                        }
                        return reports
                    }
                }
                return await group.reduce(into: []) { $0 += $1 }
            }
            try harness.folder.write("rules/marker.yar", "two")
            let after = try await harness.engine.reload()
            #expect(await harness.scan("nap").words == "two")
            for text in ["broken", "trap"] {
                try harness.folder.write("rules/marker.yar", text)
                await #expect(throws: ConfigurationError.self) { try await harness.engine.reload() }
                #expect(await harness.scan("nap").words == "two")
            }
            let state = try #require(harness.engine.signatures)
            #expect(state.version == after.version && state.version != before.version)
            #expect(state.reloadFailure != nil)
            try harness.folder.write("rules/marker.yar", "three")
            try await harness.engine.reload()
            #expect(harness.engine.signatures?.reloadFailure == nil)
            #expect(await harness.scan("nap").words == "three")
            isOver.withLock { $0 = true }
            let reports = await load
            #expect(reports.count > 20 && reports.allSatisfy { $0.failure == nil })
            // Name and text of the reason come from one set.
            #expect(reports.allSatisfy { $0.words == $0.findings.first?.reasons.first?.signature.ruleName })
            #expect(Set(reports.map(\.words)).isSuperset(of: ["two"]))
            #expect(Set(reports.map(\.words)).isSubset(of: ["one", "two", "three"]))
            // One engine and one loader are left.
            while harness.engine.state.withLock({ $0.children.count > 1 || $0.loaders.count > 1 }) {
                try await Task.sleep(for: .milliseconds(5))
            }
        }
    }

    @Test func reloadsAtTheSameTimeAllSeeTheLastSet() async throws {
        try await EngineHarness(marker: "one").run { harness in
            try harness.folder.write("rules/marker.yar", "two")
            let versions = try await withThrowingTaskGroup(of: String.self) { group in
                for _ in 0..<6 { group.addTask { try await harness.engine.reload().version } }
                return try await group.reduce(into: Set<String>()) { $0.insert($1) }
            }
            #expect(versions.count == 1)
            #expect(await harness.scan("nap").words == "two")
        }
    }

    /// Whatever says what to load reaches the process that loads it.
    @Test func theLoaderIsToldAllThatSettingsSay() throws {
        let folder = try TemporaryFolder()
        try folder.write("config.yml", "chains: {mine: [obedient]}")
        var settings = try Settings(file: folder.path + "/config.yml")
        settings.rules = ["a", "b"]
        settings.customSignatures = ["c"]
        settings.chain = "mine"
        settings.levels = "v10"
        settings.scoreAlert = 95
        settings.sigmaThreshold = "high"
        settings.exclude = ["filename"]
        let engine = try ProcessEngine(
            EngineOptions(), settings: settings, defaultRules: "d", temporaryDirectory: folder.path,
            events: EventLogDouble())
        let launch = try EngineLaunch(Bytes(engine.launch.encoded))
        #expect(launch == engine.launch)
        let told = try ScanSetup.Request(launch, byteStore: ByteStore())
        let asked = try settings.scanRequest(defaultRules: "d", byteStore: ByteStore())
        // Compared property by property, so that a new one is not forgotten; of chains the names, a store is no value.
        for (mine, other) in zip(Mirror(reflecting: told).children, Mirror(reflecting: asked).children) {
            guard mine.label != "chains", mine.label != "byteStore" else { continue }
            #expect("\(mine)" == "\(other)")
        }
        #expect(told.chains.map(\.name) == ["mine"] && told.sigmaThreshold == "high" && told.scoring.levels.alert == 95)
    }

    @Test func signaturesThatDoNotLoadEndTheStart() async throws {
        let harness = try EngineHarness(marker: "broken")
        let error = await #expect(throws: ConfigurationError.self) { try await harness.engine.start() }
        #expect(error?.description.contains("this set is broken") == true)
        let missing = try EngineHarness(marker: "one")
        try missing.folder.removeFolder("rules")
        await #expect(throws: ConfigurationError.self) { try await missing.engine.start() }
    }

    @Test func aChangeOfTheFolderIsNoticedOnce() async throws {
        let folder = try TemporaryFolder()
        try folder.write("a.yar", "one")
        let changes = SharedValue(0)
        let watch = Task {
            await FolderWatch([folder.path], interval: .milliseconds(10)).run { changes.withLock { $0 += 1 } }
        }
        try await Task.sleep(for: .milliseconds(50))
        #expect(changes.withLock { $0 } == 0)
        try folder.write("a.yar", "two and more")
        while changes.withLock({ $0 }) < 1 { try await Task.sleep(for: .milliseconds(5)) }
        try await Task.sleep(for: .milliseconds(100))
        #expect(changes.withLock { $0 } == 1)
        watch.cancel()
        await watch.value
    }

    @Test func theInterfaceReloads() async throws {
        let test = try TestServer()
        try await test.route { client async throws in
            let good = try await client.execute(uri: "/api/v1/signatures/reload", method: .post)
            #expect(good.status == .ok)
            #expect((good.object["signatures"] as? [String: Any])?["version"] as? String != nil)
            #expect(test.reloads.withLock { $0 } == 1)
            test.reloadError.withLock { $0 = "rules/a.yar:1: broken" }
            let bad = try await client.execute(uri: "/api/v1/signatures/reload", method: .post)
            #expect(bad.status == .unprocessableContent && bad.reason == "signatures_not_loaded")
            #expect(bad.text.contains("rules/a.yar:1: broken") && bad.text.contains("stay in use"))
            #expect(try await client.get("/api/v1/signatures/reload").status == .methodNotAllowed)
            let info = try await client.get("/api/info").object["signatures"] as? [String: Any]
            #expect(info?["age_seconds"] as? Int ?? 0 > 0 && info?["loaded"] as? String == "2023-11-14T22:13:20Z")
        }
    }

    @Test func aSampleThatEndsTheEngineIsAnsweredAsFailed() async throws {
        let test = try TestServer()
        try await test.route { client async throws in
            let id = try await client.submit(MultipartForm("killer"))
            #expect(try await client.result(of: id)["status"] as? String == "Sample analysis failed")
            for api in ["/api", "/api/v1"] {
                let answer = try await client.upload(MultipartForm("killer"), to: api + "/check")
                #expect(answer.status == .ok && answer.text.contains("the engine ended each time"))
            }
        }
    }
}
