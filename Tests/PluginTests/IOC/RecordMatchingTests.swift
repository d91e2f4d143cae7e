import IOC
import Pipeline
import PipelineTesting
import Testing

@Suite struct RecordMatchingTests {
    @Test func filenameHitsInOneStringAreSummed() throws {
        let loaded = try Loaded("# Dropper\nevil\\.exe;70\n# Signed\nsigned;-30\n\\\\tmp\\\\;20", .filenames)
        let reasons = loaded.reasons([("line", "start C:\\x\\evil.exe signed"), ("other", "/tmp/x")])
        #expect(reasons.map(\.subscore) == [40, 20])
        #expect(reasons.map { $0.matched.count } == [2, 1])
        #expect(reasons[0].summary.contains("evil\\.exe (70), signed (-30)"))
        #expect(reasons[0].matched.map(\.field) == ["/line", "/line"])
        #expect(reasons[0].matched[0].data == Array("evil.exe".utf8))
        #expect(reasons[0].matched[0].offset == 11)
        #expect(reasons[1].matched[0].data == Array("/tmp/".utf8))
    }

    @Test func onePathInTwoFieldsCountsOnce() throws {
        let loaded = try Loaded("evil\\.exe;70\nsigned;-30", .filenames)
        let reasons = loaded.reasons([("value", "C:\\evil.exe"), ("Details", "C:\\evil.exe"), ("x", "evil.exe signed")])
        #expect(reasons.map(\.subscore) == [70, 40])
        #expect(reasons[0].matched.map(\.field) == ["/value", "/Details"])
    }

    @Test func eachFieldStandsForItself() throws {
        let loaded = try Loaded("^run;50\nrun$;40\nstart.*end;60\n\\A\\\\x;30", .filenames)
        #expect(loaded.reasons([("a", "run"), ("b", "no run here"), ("c", "x run")]).map(\.subscore) == [90, 40])
        #expect(loaded.reasons([("a", "start"), ("b", "end")]).isEmpty)
        #expect(loaded.reasons([("a", "start an end")]).map(\.subscore) == [60])
        // A value of several lines has one begin and one end.
        #expect(loaded.reasons([("a", "x\nrun\ny")]).isEmpty)
        #expect(loaded.reasons([("a", ""), ("b", "/x")]).map(\.subscore) == [30])
    }

    @Test func keywordsAreCaseSensitiveAndTellWhere() throws {
        let loaded = try Loaded("# Tools\nmimilib\nsekurlsa::\n", .keywords)
        #expect(loaded.hits(line: "MIMILIB").isEmpty)
        let reasons = loaded.reasons([("line", "load mimilib and mimilib")])
        #expect(reasons.map(\.summary) == ["Keyword IOC match: mimilib / Tools"])
        #expect(reasons[0].subscore == 75)
        #expect(reasons[0].matched.first?.offset == 5)
        #expect(reasons[0].matched.first?.context == Array("load mimilib and mimilib".utf8))
        #expect(loaded.hits(line: "sekurlsa::x mimilib").count == 2)
    }

    @Test func hitsBelongToTheirRecord() throws {
        let loaded = try Loaded("needle", .keywords)
        let type = RecordType("log line", module: "LogScan")
        let records = (0..<5000).map { number in
            RecordSubject(
                type: type, offset: number,
                fields: [.init(key: "line", value: number % 1000 == 7 ? "a needle" : "hay \(number)")])
        }
        let report = match(loaded.stage, records: records)
        let offsets = report.findings.compactMap { finding in
            if case .record(let record) = finding.subject { return record.offset }
            return nil
        }
        #expect(offsets == [7, 1007, 2007, 3007, 4007])
    }

    @Test(arguments: [
        ("GET http://evil.com/x", true), ("GET http://EVIL.com/x", true), ("a.b.evil.com:80", true),
        ("mail to x@evil.com.", true), ("\"evil.com\"", true), ("%2F%2Fevil.com%2Fx", true), ("evil.com", true),
        ("notevil.com", false), ("evil.com.au", false), ("evil.comx", false), ("evil-com", false),
        ("x-evil.com", false), ("evil.com-x", false), ("evil.co", false), ("my_evil.com", false),
        ("is that evil. Com", false), ("-evil.com- said", true), ("..evil.com..", true),
    ])
    func domainsHaveBoundaries(_ line: String, _ isHit: Bool) throws {
        let loaded = try Loaded("# APT\nevil.com", .c2)
        #expect(loaded.hits(line: line) == (isHit ? ["Domain IOC match: evil.com / APT"] : []))
    }

    @Test(arguments: [
        ("from 198.51.100.7 port 22", "198.51.100.7"), ("198.51.100.7:80", "198.51.100.7"),
        ("at 198.51.100.7.", "198.51.100.7"), ("1198.51.100.7", ""), ("198.51.100.77", ""), ("198.51.100.7.1", ""),
        ("198.051.100.007 x", "198.51.100.7"), ("203.000.113.129", "203.0.113.128/25"),
        ("v198.51.100.7", ""), ("203.0.113.200", "203.0.113.128/25"), ("203.0.113.100", ""),
        ("[2001:db8:1::5]:443", "2001:db8:1::/48"), ("2001:DB8:1:0:0:0:0:9", "2001:db8:1::/48"),
        ("2001:db8:2::5", ""), ("x2001:db8:1::5", ""), ("12:34:56", ""), ("to fe80::1: refused", "fe80::1"),
        ("::ffff:198.51.100.7", "198.51.100.7"),
    ])
    func addressesAreParsed(_ line: String, _ expected: String) throws {
        let loaded = try Loaded("198.51.100.7\n203.0.113.128/25\n2001:db8:1::/48\nfe80::1", .c2)
        #expect(loaded.hits(line: line) == (expected.isEmpty ? [] : ["Domain IOC match: \(expected)"]))
    }

    @Test func longListsOfHostsMatchToo() throws {
        let names = (0..<10_001).map { "host\($0).example" }
        let loaded = try Loaded(names.joined(separator: "\n"), .c2)
        #expect(loaded.hits(line: "to a.host9876.example") == ["Domain IOC match: host9876.example"])
        #expect(loaded.hits(line: "to host98765.example").isEmpty)
    }

    @Test func c2AppliesToRecordsOfTheNetwork() throws {
        let loaded = try Loaded("evil.com", .c2)
        for type in ["log line", "eventlog entry", "hosts file entry", "web page visit", "audit log entry"] {
            #expect(loaded.reasons(type: type, [("x", "evil.com")]).count == 1)
        }
        // Commands that start by themselves tell whom they will call.
        for type in ["scheduled task", "registry scheduled task", "at job", "cron job", "link info", "autorun entry"] {
            #expect(loaded.reasons(type: type, [("command", "curl http://a.evil.com/x")]).count == 1)
            #expect(loaded.reasons(type: type, [("command", "curl http://notevil.com/x")]).isEmpty)
        }
        #expect(loaded.reasons(type: "registry value", [("value", "evil.com")]).isEmpty)
        // Files are no text.
        #expect(loaded.hits(path: "evil.com", "evil.com").isEmpty)
    }

    @Test func digestsInRecordsMatch() throws {
        let digest = Digests(of: Bytes(utf8: "malware"))
        let loaded = try Loaded("\(digest.sha1);Tool\n\(digest.md5);Tool", .hashes)
        #expect(loaded.reasons(type: "AmCache entry", [("sha1", digest.sha1)]).count == 1)
        let sysmon = "SHA1=\(digest.sha1.uppercased()),MD5=\(digest.md5.uppercased()),IMPHASH=00"
        #expect(loaded.reasons(type: "eventlog entry", [("Hashes", sysmon)]).count == 2)
        #expect(loaded.reasons([("line", digest.sha1)]).isEmpty)
        #expect(loaded.reasons([("sha1", digest.sha1 + "0")]).isEmpty)
    }

    @Test func pipesAreFoundInFieldsAndTexts() throws {
        let loaded = try Loaded("evilpipe;RAT\nmsagent_[0-9a-f]{2};90;Beacon", .pipes)
        #expect(loaded.reasons([("PipeName", "\\EvilPipe")]).map(\.subscore) == [100])
        #expect(loaded.reasons([("PipeName", "\\Device\\NamedPipe\\evilpipe")]).count == 1)
        #expect(loaded.reasons([("PipeName", "\\evilpipe2")]).isEmpty)
        #expect(loaded.reasons([("PipeName", "\\MSAGENT_af")]).map(\.subscore) == [90])
        let line = loaded.reasons([("line", "echo x > \\\\.\\pipe\\evilpipe 2>&1")])
        #expect(line.map(\.summary) == ["Named Pipe IOC match: evilpipe / RAT"])
        #expect(line.first?.matched.first?.data == Array("evilpipe".utf8))
        #expect(loaded.reasons([("line", "evilpipe")]).isEmpty)
    }

    @Test func handlesAreFoundByFieldName() throws {
        let loaded = try Loaded("EvilMutex;RAT\nrat[0-9]{4}$;regex", .handles)
        #expect(loaded.reasons([("ObjectName", "\\BaseNamedObjects\\EvilMutex")]).map(\.subscore) == [70])
        #expect(loaded.reasons([("ObjectName", "\\Sessions\\1\\BaseNamedObjects\\Global\\EvilMutex")]).count == 1)
        #expect(loaded.reasons([("ObjectName", "evilmutex")]).isEmpty)
        #expect(loaded.reasons([("ObjectName", "Local\\rat1234")]).count == 1)
    }
}
