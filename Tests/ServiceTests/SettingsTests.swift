import Foundation
import Pipeline
import Testing

@testable import ThunderstormService

struct SettingsTests {
    private func error(_ text: String) throws -> String? {
        let folder = try TemporaryFolder()
        try folder.write("config.yml", text)
        let error = #expect(throws: ConfigurationError.self) { try Settings(file: folder.path + "/config.yml") }
        return error?.description.replacing(folder.path, with: "")
    }

    @Test func unknownKeysAreNamedWithTheirLine() throws {
        let message = try #require(try error("threads: 2\nthread: 3\n"))
        #expect(message.hasPrefix("/config.yml:2: unknown key 'thread'; keys are: server-host, server-port,"))
    }

    @Test func wrongTypesAreNamed() throws {
        #expect(try error("threads: many\n")?.contains("'threads'") == true)
        #expect(try error("- a\n- b\n")?.contains("must be a map") == true)
        #expect(try error("a: [\n")?.contains("/config.yml") == true)
    }

    @Test func aMissingFileNamesTheFlag() {
        let error = #expect(throws: ConfigurationError.self) { try Settings(file: "/nonexistent.yml") }
        #expect(error?.description.hasPrefix("--config: cannot open /nonexistent.yml") == true)
    }

    @Test func flagsWinOverTheFile() throws {
        let folder = try TemporaryFolder()
        try folder.write(
            "config.yml",
            """
            server-port: 9000
            threads: 4
            sync-only-threads: 1
            max-file-size: 4GB
            rules: [a, b]
            chains:
              mine: [yara]
            """)
        var flags = Settings()
        flags.serverPort = 9001
        let settings = flags.filled(from: try Settings(file: folder.path + "/config.yml"))
        let configuration = try settings.serviceConfiguration()
        #expect(configuration.port == 9001)
        #expect(configuration.threads == 4)
        #expect(configuration.syncOnlyThreads == 1)
        #expect(configuration.maximumFileSize == 4 << 30)
        #expect(settings.rules == ["a", "b"])
        #expect(settings.chains.map(\.name) == ["mine"])
    }

    @Test func theSigmaThresholdIsALevel() throws {
        var settings = Settings()
        settings.sigmaThreshold = "high"
        let request = try settings.scanRequest(defaultRules: "rules", byteStore: ByteStore())
        #expect(request.sigmaThreshold == "high")
        settings.sigmaThreshold = "huge"
        let error = #expect(throws: ConfigurationError.self) {
            try settings.scanRequest(defaultRules: "rules", byteStore: ByteStore())
        }
        #expect(error?.description.contains("levels are: informational, low, medium, high, critical") == true)
    }

    @Test func valuesThatCannotWorkAreRefused() {
        func message(_ change: (inout Settings) -> Void) -> String? {
            var settings = Settings()
            change(&settings)
            return #expect(throws: ConfigurationError.self) { try settings.serviceConfiguration() }?.description
        }
        #expect(message { $0.serverPort = 70_000 } == "server-port is 70000; it must be 0 to 65535")
        #expect(message { $0.maximumFileSize = "big" }?.contains("200MB") == true)
        #expect(message { $0.minimumLevel = "loud" }?.contains("levels are: debug, info") == true)
        #expect(
            message {
                $0.threads = 2
                $0.syncOnlyThreads = 2
            }?.contains("leave at least one") == true)
        var contradiction = Settings()
        contradiction.pureYARA = true
        contradiction.chain = "full"
        #expect(throws: ConfigurationError.self) {
            try contradiction.scanRequest(defaultRules: "rules", byteStore: ByteStore())
        }
    }

    @Test(arguments: [
        ("0", 0), ("1000", 1000), ("64K", 65_536), ("200MB", 200 << 20), ("4 GiB", 4 << 30), ("1t", 1 << 40),
    ])
    func sizes(text: String, bytes: Int) { #expect(byteCount(text) == bytes) }

    @Test(arguments: ["", "MB", "12X", "-1", "99999999999999999999", "9999999999T"])
    func noSizes(text: String) { #expect(byteCount(text) == nil) }

    @Test func chainsAreListsOfStages() throws {
        let file = try ChainsFile(
            text: "chains:\n  full: [file-type, {ioc: {disabled: [c2]}}]\n  short:\n    - yara\n", file: "chains.yml")
        #expect(file.chains.map(\.name) == ["full", "short"])
        #expect(file.chains.first?.stages.map(\.name) == ["file-type", "ioc"])
        #expect(file.chains.first?.stages.last?.options?.keys.map(\.name) == ["disabled"])
        let error = #expect(throws: ConfigurationError.self) { try file.chain(named: "long") }
        #expect(error?.description == "there is no chain 'long'; chains are: full, short")
    }

    @Test(arguments: [
        ("a: 1\n", "chains.yml: has no map 'chains' at its top level"),
        ("chains: 3\n", "chains.yml:1: 'chains' must be a map of names to lists of stages"),
        ("chains:\n  full: yara\n", "chains.yml:2: a chain must be a list of stages"),
        ("chains:\n  full:\n    - [a]\n", "chains.yml:3: a stage must be a name, or a map of one name to its options"),
    ])
    func brokenChainsFilesNameTheLine(text: String, message: String) {
        let error = #expect(throws: ConfigurationError.self) { try ChainsFile(text: text, file: "chains.yml") }
        #expect(error?.description == message)
    }

    @Test func missingAndEmptyRulesFoldersAreRefused() throws {
        let missing = #expect(throws: ConfigurationError.self) {
            try SignatureFolders(shipped: ["/nonexistent"], custom: [])
        }
        #expect(missing?.description.contains("--rules") == true)
        let folder = try TemporaryFolder()
        try folder.write("notes.md", "nothing")
        let empty = #expect(throws: ConfigurationError.self) {
            try SignatureFolders(shipped: [folder.path], custom: [])
        }
        #expect(empty?.description.contains("holds no signature file") == true)
        // One's own signatures may be none yet, as after an installation.
        #expect(try SignatureFolders(shipped: [], custom: [folder.path]).set.files.isEmpty)
    }

    @Test func foldersAreReadInAFixedOrderWithTheirOrigin() throws {
        let folder = try TemporaryFolder()
        try folder.write("yara/b.yar", "rule b { condition: true }")
        try folder.write("yara/a.yar", "rule a { condition: true }")
        try folder.write("iocs/hash-iocs.txt", "x")
        try folder.write("sigma/rule.yml", "title: x")
        try folder.write("chains.yml", "chains: {}")
        let own = try TemporaryFolder()
        try own.write("yara/b.yar", "rule b { condition: true }")
        try own.write("yara/c.yar", "rule c { condition: true }")
        let folders = try SignatureFolders(shipped: [folder.path], custom: [own.path])
        #expect(
            folders.set.files.map { $0.path.replacing(folder.path, with: "").replacing(own.path, with: "") } == [
                "/iocs/hash-iocs.txt", "/sigma/rule.yml", "/yara/a.yar", "/yara/b.yar", "/yara/c.yar",
            ])
        #expect(folders.set.files.map(\.kind) == [.hashes, .sigma, .yara, .yara, .yara])
        #expect(folders.set.files.last?.origin == .custom)
        // The same file twice counts once.
        #expect(
            folders.problems.map(\.description) == [
                "\(own.path)/yara/b.yar: same content as \(folder.path)/yara/b.yar; left out"
            ])
        #expect(!folders.problems.contains { $0.isRejected })
    }

    @Test func foldersThatAreNotFollowedAreNamed() throws {
        let folder = try TemporaryFolder()
        let other = try TemporaryFolder()
        try folder.write("yara/a.yar", "rule a { condition: true }")
        try other.write("b.yar", "rule b { condition: true }")
        try FileManager.default.createSymbolicLink(
            atPath: folder.path + "/yara/linked", withDestinationPath: other.path)
        let folders = try SignatureFolders(shipped: [folder.path], custom: [])
        #expect(folders.set.files.count == 1)
        #expect(
            folders.problems.map(\.description) == [
                "\(folder.path)/yara/linked: symbolic link, not followed; nothing of it is loaded"
            ])
    }

    @Test func filesThatAreNotUsedAreNamed() throws {
        let folder = try TemporaryFolder()
        try folder.write("iocs/filenameiocs.txt", "x;50")
        try folder.write("iocs/README.txt", "x")
        try folder.write("iocs/case-filename-iocs.dat", "x")
        try folder.write("iocs/notes.md", "x")
        try folder.write("iocs/keywords.txt", "x")
        try folder.write("yara/rule.yml", "x")
        try folder.write("sigma/chains.yml", "x")
        let folders = try SignatureFolders(shipped: [folder.path], custom: [])
        #expect(folders.set.files.map(\.kind) == [.keywords])
        let problems = folders.problems.map { $0.file.replacing(folder.path, with: "") + " \($0.isRejected)" }
        #expect(
            problems == [
                "/iocs/case-filename-iocs.dat false", "/iocs/filenameiocs.txt true", "/yara/rule.yml true",
            ])
    }
}

struct OutputSettingsTests {
    @Test func theFileNamesLogsAndTargets() throws {
        let folder = try TemporaryFolder()
        try folder.write(
            "config.yml",
            """
            logfile: \(folder.path)/log.txt
            remote-log: ["127.0.0.1:1:CEF:TCP"]
            truncate: 100
            log-rotate-size: 1MB
            outputs:
              - {file: \(folder.path)/alerts.csv, format: csv, min-level: alert}
            """)
        var flags = Settings()
        flags.output.textLog = folder.path + "/other.txt"
        let settings = flags.filled(from: try Settings(file: folder.path + "/config.yml"))
        let sinks = try settings.output.sinks(minimumLevel: .notice, hostname: "h")
        #expect(sinks.count == 3)
        #expect(sinks.compactMap { $0.status?.name } == ["127.0.0.1:1 (tcp)"])
        #expect(try folder.names() == ["alerts.csv", "config.yml", "other.txt"])
        #expect(try settings.output.rotation().size == 1 << 20)
        #expect(try settings.output.eventOptions().truncateAt == 100)
    }

    @Test func whatCannotWorkIsNamed() {
        func message(_ change: (inout OutputSettings) -> Void) -> String? {
            var settings = OutputSettings()
            change(&settings)
            let error = #expect(throws: ConfigurationError.self) {
                try settings.sinks(minimumLevel: .notice, hostname: "h")
            }
            return error?.description
        }
        #expect(message { $0.truncate = 1 }?.contains("truncate is 1") == true)
        #expect(message { $0.rotateSize = "big" }?.contains("log-rotate-size is 'big'") == true)
        #expect(message { $0.rotateHours = 0 }?.contains("log-rotate-hours is 0") == true)
        #expect(message { $0.rotateKeep = -1 }?.contains("log-rotate-keep is -1") == true)
        #expect(message { $0.remoteSpool = "1" }?.contains("remote-spool is '1'") == true)
        #expect(message { $0.remoteLogs = ["h:x"] }?.contains("remote-log 'h:x'") == true)
        var entry = OutputSettings.Entry()
        #expect(message { $0.outputs = [entry] }?.contains("either a file or a remote target") == true)
        entry.file = "/nonexistent/x"
        entry.format = "xml"
        #expect(message { $0.outputs = [entry] }?.contains("format is 'xml'") == true)
        entry.minimumLevel = "loud"
        #expect(message { $0.outputs = [entry] }?.contains("min-level is 'loud'; levels are: debug,") == true)
    }

    @Test func scoreThresholdsMustRise() throws {
        var settings = Settings()
        settings.scoreAlert = 90
        #expect(try settings.levelRules().alert == 90)
        settings.scoreWarning = 95
        let error = #expect(throws: ConfigurationError.self) { try settings.levelRules() }
        #expect(error?.description.contains("score-warning 95 and score-alert 90 must not decrease") == true)
    }
}
