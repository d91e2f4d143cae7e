import IOC
import Pipeline
import PipelineTesting
import Testing

private func bundle(_ patterns: String...) -> SignatureFile {
    let objects = patterns.enumerated().map { index, pattern in
        let escaped = pattern.map { $0 == "\\" || $0 == "\"" ? "\\\($0)" : String($0) }.joined()
        return """
            {"type": "indicator", "id": "indicator--\(index)", "name": "Indicator \(index)", "pattern_type": "stix",
             "pattern": "\(escaped)", "valid_from": "2026-01-02T00:00:00Z", "labels": ["malicious-activity"]}
            """
    }
    return signatureFile(
        "{\"type\": \"bundle\", \"id\": \"bundle--1\", \"objects\": [\(objects.joined(separator: ",\n"))]}", .stix,
        path: "stix/feed.json")
}

// Extracts files and emits registry values, as a container with a hive does.
private struct Container: Stage {
    static let descriptor = StageDescriptor(
        name: "container", summary: "Extracts the files of a test.", interest: .samples)
    var parts: [(path: String, content: String)]
    var values: [String]

    init(parts: [(path: String, content: String)], values: [String]) {
        self.parts = parts
        self.values = values
    }

    init(options: NoOptions, environment: StageEnvironment) { self.init(parts: [], values: []) }

    func inspect(_ sample: Sample, _ state: inout NoState, _ out: inout Output) throws(StageError) {
        guard sample.depth == 0 else { return }
        for part in parts {
            try out.extract(Child(name: part.path, bytes: Bytes(utf8: part.content), method: "ZIP"))
        }
        for value in values {
            try out.emit(RecordType("registry value", module: "RegistryHive"), offset: 0) { builder in
                builder.field("key", "a\\b")
                builder.field("value", value)
            }
        }
    }
}

@Suite struct STIXTests {
    private func hits(_ pattern: String, path: String = "C:\\Windows\\evil.exe", _ content: String = "abc") throws
        -> Bool
    {
        let loaded = try Loaded([bundle(pattern)])
        #expect(loaded.rejected == [])
        return !loaded.reasons(path: path, content).isEmpty
    }

    @Test func filePropertiesAreCompared() throws {
        let digests = Digests(of: Bytes(utf8: "abc"))
        #expect(try hits("[file:name = 'evil.exe']"))
        #expect(try hits("[file:name = 'EVIL.EXE']"))
        #expect(try !hits("[file:name != 'evil.exe']"))
        #expect(try hits("[file:name LIKE 'ev_l.%']"))
        #expect(try !hits("[file:name LIKE 'ev_l']"))
        #expect(try hits("[file:name MATCHES '^ev[a-z]l']"))
        #expect(try hits("[file:name IN ('x', 'evil.exe')]"))
        #expect(try hits("[file:parent_directory_ref.path = 'C:\\\\Windows']"))
        #expect(try hits("[file:parent_directory_ref.path = 'c:/windows/']"))
        #expect(try hits("[file:hashes.MD5 = '\(digests.md5)']"))
        #expect(try hits("[file:hashes.'SHA-1' = '\(digests.sha1.uppercased())']"))
        #expect(try hits("[file:hashes.'sha-256' = '\(digests.sha256)']"))
        #expect(try !hits("[file:hashes.'sha-256' != '\(digests.sha256)']"))
        #expect(try hits("[file:size = 3]"))
        #expect(try hits("[file:size >= 3 AND file:size < 4]"))
        #expect(try !hits("[file:size > 3]"))
        #expect(try hits("[file:size NOT > 3]"))
        // Times of an upload are not known.
        #expect(try !hits("[file:created < t'2030-01-01T00:00:00Z']"))
        #expect(try !hits("[file:created != t'2030-01-01T00:00:00Z']"))
    }

    @Test func andBindsTighterThanOr() throws {
        #expect(try hits("[file:name = 'evil.exe' OR file:size = 9 AND file:size = 8]"))
        #expect(try !hits("[(file:name = 'evil.exe' OR file:size = 9) AND file:size = 8]"))
        #expect(try hits("[file:size = 9] OR [file:name = 'evil.exe' AND file:size = 3]"))
        #expect(try hits("([file:size = 3])"))
    }

    @Test func registryValuesAreCompared() throws {
        let pattern =
            "[win-registry-key:key = 'HKEY_LOCAL_MACHINE\\\\SOFTWARE\\\\Microsoft\\\\Windows\\\\CurrentVersion\\\\Run' "
            + "AND win-registry-key:values[*].name = 'Updater' AND win-registry-key:values.data LIKE '%evil%']"
        let loaded = try Loaded([bundle(pattern)])
        #expect(loaded.rejected == [])
        func reasons(_ key: String, _ value: String) -> [Reason] {
            loaded.reasons(type: "registry value", [("key", key), ("value", value)])
        }
        let reason = try #require(
            reasons("HKLM\\Software\\Microsoft\\Windows\\CurrentVersion\\Run\\Updater", "C:\\evil").first)
        #expect(reason.summary == "STIX IOC match: Indicator 0")
        #expect(reason.subscore == 75)
        #expect(reason.signature.tags == ["MALICIOUS-ACTIVITY"])
        #expect(reason.matched.map(\.field) == ["/key", "/key", "/value"])
        #expect(reasons("\\Microsoft\\Windows\\CurrentVersion\\Run\\Updater", "C:\\evil").count == 1)
        #expect(reasons("HKLM\\Software\\Microsoft\\Windows\\CurrentVersion\\Run\\Other", "C:\\evil").isEmpty)
        #expect(reasons("HKLM\\Software\\Microsoft\\Windows\\CurrentVersion\\Run\\Updater", "C:\\good").isEmpty)
        let whole = loaded.reasons(
            type: "registry value",
            [
                ("key", "\\CurrentVersion\\Run\\Updater"), ("value_name", "Updater"), ("value", "evil"),
                ("TargetObject", "HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Run\\Updater"),
            ])
        #expect(whole.count == 1)
        #expect(loaded.reasons([("key", "x"), ("value", "evil")]).isEmpty)
        #expect(loaded.hits(path: "x").isEmpty)
    }

    @Test func modifiedTimesAreOrdered() throws {
        let loaded = try Loaded([bundle("[win-registry-key:values.modified_time > t'2026-01-01T00:00:00.000Z']")])
        func hits(_ time: String) -> Bool {
            !loaded.reasons(type: "registry value", [("key", "a\\b"), ("modified", time)]).isEmpty
        }
        #expect(hits("2026-01-01T00:00:01Z"))
        #expect(!hits("2026-01-01T00:00:00Z"))
        #expect(!hits("never"))
    }

    @Test(arguments: [
        "", "file:name = 'x'", "[file:name = 'x'", "[file:name 'x']", "[file:name = x]", "[file:name = 'x]",
        "[file:name ISSUBSET 'x']", "[ipv4-addr:value = '1.2.3.4']", "[file:size = 'many']", "[file:size LIKE '3']",
        "[file:name < 'x']", "[file:created > 'yesterday']", "[file:name MATCHES '(']",
        "[file:name = 'x'] FOLLOWEDBY [file:size = 3]", "[file:name = 'x'] AND", "[file:name = 'x'] WITHIN 5 SECONDS",
        "[file:name = 'x'] REPEATS 2 TIMES", "[file:name = 'x'] extra", "[file:name = h'00']", "[file:name[x] = 'x']",
        "[file:hashes.'SHA-512' = 'x']", "[file: = 'x']", "#",
    ])
    func badPatternsAreNamed(_ pattern: String) throws {
        let loaded = try Loaded([bundle(pattern, "[file:name = 'good']")])
        #expect(loaded.rejected.count == 1)
        #expect(loaded.rejected.first?.contains("indicator--0") == true)
        #expect(loaded.diagnostics.counts == ["STIX IOC": 1])
        #expect(loaded.hits(path: "/good") == ["STIX IOC match: Indicator 1"])
    }

    @Test func observationsAreJoinedOverTheSubmission() throws {
        let digest = Digests(of: Bytes(utf8: "abc")).sha256
        let loaded = try Loaded([
            bundle(
                "[file:hashes.'SHA-256' = '\(digest)'] AND [win-registry-key:values.data LIKE '%evil%']",
                "[file:name = 'x'] AND [file:size = 3]", "[file:name = 'x'] AND [file:size = 4]",
                "([file:name = 'y'] OR [file:name = 'x']) AND [file:size > 2]")
        ])
        #expect(loaded.rejected == [])
        // One object may fulfil several observations.
        #expect(loaded.hits(path: "/x", "abc") == ["STIX IOC match: Indicator 1", "STIX IOC match: Indicator 3"])
        #expect(loaded.hits(path: "/x", "ab").isEmpty)
        // Of several objects the one that completes the pattern is told.
        let chain = Chain(
            Container(parts: [("/a", "abc"), ("/b", "x")], values: ["run good", "run evil", "evil too"])
        )
        .appending(loaded.stage)
        let report = chain.scan(Sample(path: "/c", bytes: Bytes(utf8: "z")))
        let reasons = report.findings.flatMap { finding in finding.reasons.map { (finding.subject, $0) } }
        #expect(reasons.map(\.1.summary) == ["STIX IOC match: Indicator 0"])
        #expect(reasons.first?.1.matched == [MatchedText("run evil", field: "/value")])
        // Nothing is left for the next submission.
        #expect(loaded.reasons(type: "registry value", [("key", "a\\b"), ("value", "evil")]).isEmpty)
    }

    @Test func deepPatternsEnd() throws {
        let deep = String(repeating: "(", count: 100_000)
        #expect(try Loaded([bundle("[" + deep)]).rejected.count == 1)
        #expect(try Loaded([bundle(deep)]).rejected.count == 1)
    }

    @Test(arguments: ["", "{", "[1, 2]", "\"text\"", "{\"objects\": 5}", "{\"type\": 7}"])
    func brokenBundlesAreSaid(_ text: String) throws {
        let loaded = try Loaded(text, .stix)
        #expect(!loaded.rejected.isEmpty)
        #expect(loaded.diagnostics.counts.isEmpty)
    }

    @Test func otherPatternTypesAndRevokedOnesAreLeftOut() throws {
        let loaded = try Loaded(
            """
            [{"type": "indicator", "id": "indicator--a", "pattern": "rule x {}", "pattern_type": "yara"},
             {"type": "indicator", "id": "indicator--b", "pattern": "[file:name = 'b']", "revoked": true},
             {"type": "malware", "id": "malware--c"}, {"type": "indicator", "id": 5},
             {"type": "indicator", "id": "indicator--d"},
             {"type": "indicator", "id": "indicator--e", "pattern": "[file:name = 'e']"}]
            """, .stix)
        #expect(loaded.rejected.count == 3)
        #expect(loaded.diagnostics.problems.count == 4)
        #expect(loaded.hits(path: "e").count == 1)
        #expect(loaded.hits(path: "b").isEmpty)
    }

    @Test func emptyFilesDoNotMatchDigests() throws {
        let digest = Digests(of: .empty).md5
        let loaded = try Loaded([bundle("[file:hashes.MD5 = '\(digest)']")])
        #expect(loaded.hits(path: "x", "").isEmpty)
    }
}
