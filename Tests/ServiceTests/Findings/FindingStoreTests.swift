import Foundation
import Pipeline
import Testing

@testable import ThunderstormService

struct FindingStoreTests {
    @Test func everyKeyFindsWhatHasItAndNothingElse() throws {
        let test = try StoreHarness()
        for index in 0..<40 {
            test.add(
                FindingBuilder(
                    path: "/f\(index)", rule: index % 4 == 0 ? "Rare" : "Common",
                    level: index % 2 == 0 ? .alert : .notice),
                source: index < 10 ? "Host-A" : "host-b", at: 1_000 + Int64(index), scan: "S-\(index)")
        }
        test.store.flush()
        func names(_ change: (inout FindingQuery) -> Void) throws -> [String] {
            var query = FindingQuery()
            change(&query)
            return try test.store.page(query).findings.map(\.name)
        }
        let all = (0..<40).reversed()
        func files(_ which: (Int) -> Bool) -> [String] { all.filter(which).map { "/f\($0)" } }
        #expect(try names { _ in } == files { _ in true })
        #expect(try names { $0.source = "HOST-a" } == files { $0 < 10 })
        #expect(try names { $0.rule = "rare" } == files { $0 % 4 == 0 })
        #expect(try names { $0.minimumLevel = .alert } == files { $0 % 2 == 0 })
        #expect(try names { $0.minimumLevel = .notice } == files { _ in true })
        #expect(try names { $0.minimumLevel = .debug } == files { _ in true })
        #expect(try names { $0.scan = "S-7" } == ["/f7"])
        #expect(try names { $0.since = 1_030 } == files { $0 >= 30 })
        #expect(try names { $0.until = 1_005 } == files { $0 < 5 })
        // Combinations, those with a term of their own and those without.
        #expect(
            try names {
                $0.source = "host-a"
                $0.minimumLevel = .alert
            } == files { $0 < 10 && $0 % 2 == 0 })
        #expect(
            try names {
                $0.rule = "Common"
                $0.minimumLevel = .warning
            } == files { $0 % 4 != 0 && $0 % 2 == 0 })
        #expect(
            try names {
                $0.rule = "Common"
                $0.source = "host-a"
                $0.minimumLevel = .alert
            } == files { $0 < 10 && $0 % 4 != 0 && $0 % 2 == 0 })
        #expect(
            try names {
                $0.scan = "S-8"
                $0.rule = "Rare"
                $0.source = "HOST-A"
            } == ["/f8"])
        #expect(
            try names {
                $0.scan = "S-8"
                $0.rule = "Common"
            } == [])
        #expect(try names { $0.rule = "id-of-rare" } == files { $0 % 4 == 0 })
        #expect(try names { $0.source = "nobody" } == [])
    }

    @Test func hashesFindTheFileAndWhatWasInsideIt() throws {
        let test = try StoreHarness()
        let outer = FindingBuilder.file("/zip", md5: 1), inner = FindingBuilder.file("/zip/a", md5: 2)
        var child = FindingBuilder(path: "/zip/a").finding
        child.subject = .file(inner)
        child.context = [ContextObject(file: outer, relations: [.parent, .topmostAncestor])]
        test.add(child)
        var record = FindingBuilder(path: "").finding
        record.subject = .record(
            RecordSubject(
                type: RecordType("log line", module: "LogScan"), offset: 0, fields: [.init(key: "line", value: "x y")]))
        record.context = [ContextObject(file: inner, relations: [.parent])]
        test.add(record)
        test.store.flush()
        for (hash, count) in [
            (outer.md5, 1), (outer.sha1, 1), (outer.sha256.uppercased(), 1), (inner.md5, 2), (inner.sha256, 2),
            (FindingBuilder.file("", md5: 3).sha1, 0),
        ] {
            var query = FindingQuery()
            query.hash = hash
            #expect(try test.store.page(query).findings.count == count, "\(hash)")
        }
        let page = try test.store.page(FindingQuery())
        #expect(page.findings.map(\.name) == ["line: x y", "/zip/a"])
        let found = try #require(try test.store.finding(page.findings[1].id))
        #expect(found.finding == child)
    }

    @Test func whatACollectionHoldsIsFoundByTheHostItIsFrom() throws {
        let test = try StoreHarness()
        var finding = FindingBuilder(path: "/a").finding
        finding.origin = TriageOrigin(collector: .kape, host: "DC01")
        test.add(finding, source: "analyst")
        test.store.flush()
        for (source, count) in [("dc01", 1), ("analyst", 1), ("other", 0)] {
            var query = FindingQuery()
            query.source = source
            query.rule = "Evil"
            query.minimumLevel = .alert
            #expect(try test.store.page(query).findings.count == count, "\(source)")
        }
    }

    @Test func pagesFollowEachOtherWithoutGapsEvenWhenTimesAreEqualAndMoreComes() throws {
        let test = try StoreHarness()
        for index in 0..<25 { test.add(FindingBuilder(path: "/\(index)"), at: 500 + Int64(index / 10)) }
        // The clock was set back.
        test.add(FindingBuilder(path: "/late"), at: 499)
        test.store.flush()
        var query = FindingQuery()
        query.limit = 4
        var names: [String] = []
        var pages = 0
        repeat {
            let page = try test.store.page(query)
            names += page.findings.map(\.name)
            query.before = page.next
            pages += 1
            test.add(FindingBuilder(path: "/new"), at: 1_000 + Int64(pages))
            test.store.flush()
        } while query.before != nil
        #expect(names == (0..<25).reversed().map { "/\($0)" } + ["/late"])
        #expect(pages == 7)
    }

    @Test func aSearchThatNoTermFitsSaysHowFarItLooked() throws {
        let test = try StoreHarness()
        test.add(FindingBuilder(path: "/first", level: .alert), at: 1)
        for index in 0..<5_200 { test.add(FindingBuilder(path: "/n", level: .notice), at: 10 + Int64(index)) }
        test.store.flush()
        var query = FindingQuery()
        query.hash = FindingBuilder.file("", md5: 7).md5
        query.minimumLevel = .alert
        let first = try test.store.page(query)
        #expect(first.findings.isEmpty)
        #expect(first.lookedBackTo == Timestamp(seconds: 210))
        query.before = first.next
        let second = try test.store.page(query)
        #expect(second.findings.map(\.name) == ["/first"])
        #expect(second.next == nil && second.lookedBackTo == nil)
    }

    @Test func whatIsTooMuchOrTooOldGoesAndIsSaid() async throws {
        let test = try StoreHarness(FindingStore.Limits(count: 1_200, age: 100, bytes: 1 << 30))
        for index in 0..<1_000 { test.add(FindingBuilder(path: "/old"), source: "old", at: Int64(index % 10)) }
        for index in 0..<1_300 { test.add(FindingBuilder(path: "/\(index)"), at: 1_000 + Int64(index)) }
        test.store.flush()
        #expect(try test.store.state().counts == [.alert: 2_300])
        test.store.prune(now: Timestamp(seconds: 1_050))
        while test.log.messages.isEmpty { await Task.yield() }
        let state = try test.store.state()
        #expect(state.counts == [.alert: 1_188])
        #expect(state.pruned == 1_112)
        #expect(state.oldest == Timestamp(seconds: 1_112))
        #expect(test.log.messages.count == 1)
        #expect(test.log.messages[0].contains("TOOOLD=1000 TOOMANY=112 DAYS=0 LIMIT=1200"))
        // Nothing of them is left, in no table.
        #expect(try test.store.top("source", 5).map(\.value) == ["pc1"])
        #expect(try test.store.top("rule", 5).map(\.count) == [1_188])
        #expect(try test.rows("term") == 1_188 * test.termsEach)
        #expect(try test.rows("finding_body") == 1_188)
        #expect(try test.store.counts(step: 3_600, from: 0, buckets: 1) == [[.alert: 1_188]])
        var query = FindingQuery()
        query.source = "old"
        #expect(try test.store.page(query).findings.isEmpty)
    }

    @Test func tooManyBytesGo() async throws {
        let test = try StoreHarness(FindingStore.Limits(count: 1_000_000, age: 1 << 40, bytes: 200_000))
        for _ in 0..<2_000 { test.add(FindingBuilder(path: "/" + String(repeating: "n", count: 400))) }
        test.store.flush()
        #expect(try test.store.state().bytes > 200_000)
        test.store.prune(now: currentTime())
        while test.log.messages.isEmpty { await Task.yield() }
        #expect(try test.store.state().bytes <= 200_000)
    }

    @Test func megabytesAreCutAndItIsSaid() throws {
        var finding = FindingBuilder(path: "/" + String(repeating: "ü", count: 100_000)).finding
        let match = MatchedText(
            data: [UInt8](repeating: 0x41, count: 3 << 20), context: [UInt8](repeating: 0, count: 9_000))
        finding.reasons = (0..<500).map { index in
            var reason = finding.reasons[0]
            reason.signature.ruleName = "Rule\(index)"
            reason.matched = [MatchedText](repeating: match, count: 50)
            return reason
        }
        let row = FindingRow(finding, EventContext(time: Timestamp(seconds: 1), hostname: "h", scanID: "s"))
        #expect(row.report.count <= FindingBounds.limit * 5 / 4)
        let stored = try #require(ReportCodec.decode(Bytes(row.report))?.findings.first)
        let issue = try #require(stored.issues.last)
        #expect(issue.stage == "findings" && issue.message.contains("64 KiB"))
        #expect(!stored.reasons.isEmpty && stored.reasons[0].matched[0].data.count == 1_024)
        guard case .file(let file) = stored.subject else {
            Issue.record("the subject has changed")
            return
        }
        #expect(file.path == "/" + String(repeating: "ü", count: 2_047))
        // What is within the bounds stays as it is.
        let small = FindingBuilder(path: "/small").finding
        #expect(FindingBounds.bounded(small) == small)
    }

    @Test func manyFieldsAreCutToo() throws {
        var finding = FindingBuilder(path: "").finding
        let fields = (0..<5_000).map {
            RecordSubject.Field(key: "k\($0)", value: String(repeating: "\u{1b}", count: 500))
        }
        finding.subject = .record(
            RecordSubject(
                type: RecordType("entry", module: "M", numbers: ["k1", "k4999"]), offset: 0, fields: fields))
        let bounded = FindingBounds.bounded(finding)
        guard case .record(let record) = bounded.subject else {
            Issue.record("the subject has changed")
            return
        }
        #expect((20...256).contains(record.fields.count))
        #expect(record.type.numbers == ["k1"])
        #expect(bounded.issues.count == 1)
    }

    @Test func textsAreCutBetweenCharacters() {
        for (text, limit, kept) in [
            ("abc", 3, "abc"), ("abc", 2, "ab"), ("aü", 2, "a"), ("aü", 3, "aü"), ("😀", 3, ""), ("x", 0, ""),
            ("", 0, ""),
            ("a😀b", 5, "a😀"), ("a😀b", 4, "a"),
        ] { #expect(text.prefix(utf8: limit) == kept, "\(text) \(limit)") }
    }

    @Test func findingsAreThereAgainAfterARestart() throws {
        let test = try StoreHarness()
        test.add(FindingBuilder(path: "/kept"))
        test.store.close()
        let again = try StoreHarness(folder: test.folder)
        #expect(try again.store.page(FindingQuery()).findings.map(\.name) == ["/kept"])
    }

    @Test func aDamagedStoreIsSetAsideAndTheServiceStarts() throws {
        let folder = try TemporaryFolder()
        try folder.write(FindingStore.fileName, String(repeating: "this is no database ", count: 1_000))
        let test = try StoreHarness(folder: folder)
        #expect(test.log.messages.contains { $0.contains("damaged") && $0.contains(".damaged-") })
        test.add(FindingBuilder(path: "/new"))
        test.store.flush()
        #expect(try test.store.page(FindingQuery()).findings.count == 1)
    }

    @Test func damageInTheMiddleIsSaidAndSetAsideAtTheNextStart() throws {
        let folder = try TemporaryFolder()
        let before = try StoreHarness(folder: folder)
        for index in 0..<3_000 { before.add(FindingBuilder(path: "/\(index)")) }
        before.store.close()
        let path = folder.path + "/" + FindingStore.fileName
        let file = try #require(FileHandle(forUpdatingAtPath: path))
        let size = try file.seekToEnd()
        // The newest pages: those that the tables begin with are in order.
        let start = size / 4 * 3
        try file.seek(toOffset: start)
        try file.write(contentsOf: Data(repeating: 0xAA, count: Int(size - start)))
        try file.close()
        let during = try StoreHarness(folder: folder)
        #expect(during.log.messages.isEmpty)
        during.add(FindingBuilder(path: "/lost"))
        during.store.flush()
        #expect(during.log.messages.contains { $0.contains("restart the service") })
        during.store.close()
        let after = try StoreHarness(folder: folder)
        #expect(after.log.messages.contains { $0.contains(".damaged-") })
        #expect(try after.store.page(FindingQuery()).findings.isEmpty)
    }
}
