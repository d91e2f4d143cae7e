import Foundation
import Pipeline
import PipelineTesting
import RegistryHive
import Sigma
import Testing

/// Rules about Sysmon's registry events find the same settings at rest, in hives.
@Suite("Sigma rules on hives")
struct HiveSigmaTests {
    /// Titles of rules by the registry values they match, as `TargetObject`.
    private static func matches(_ rules: [SignatureFile], _ bytes: Bytes, path: String) throws -> [String: [String]] {
        let signatures = SignatureSet(files: rules)
        let stage = try SigmaStage(options: SigmaOptions(), environment: StageEnvironment(signatures: signatures))
        return matches(stage, bytes, path: path)
    }

    private static func matches(_ stage: SigmaStage, _ bytes: Bytes, path: String) -> [String: [String]] {
        let chain = Chain(HiveKind(options: NoOptions(), environment: StageEnvironment()))
            .appending(RegistryHiveStage()).appending(stage)
        var found: [String: [String]] = [:]
        for finding in chain.scan(Sample(path: path, bytes: bytes)).findings {
            guard case .record(let record) = finding.subject, record.type.name == "registry value",
                let target = record.fields.first(where: { $0.key == "TargetObject" })
            else { continue }
            let titles = finding.reasons.filter { $0.signature.kind == .sigma }.map(\.signature.ruleName)
            if !titles.isEmpty { found[target.value, default: []] += titles.sorted() }
        }
        return found
    }

    private static func rule(_ title: String, _ category: String, _ detection: [String]) -> SignatureFile {
        let text = """
            title: \(title)
            logsource: {product: windows, category: \(category)}
            level: high
            detection:
            \(detection.map { "    " + $0 }.joined(separator: "\n"))
                condition: selection
            """
        return SignatureFile(path: "sigma/\(title).yml", kind: .sigma, bytes: Bytes(utf8: text))
    }

    @Test func pathsAndValuesAreThoseOfTheLiveRegistry() throws {
        let rules = [
            Self.rule(
                "run", "registry_set",
                [
                    "selection:",
                    "    TargetObject|startswith: 'HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Run\\'",
                    "    Details|contains: '\\Users\\Public\\'",
                ]),
            Self.rule(
                "debugger", "registry_event",
                [
                    "selection:", "    TargetObject|endswith: '\\Image File Execution Options\\sethc.exe\\Debugger'",
                    "    Details|endswith: '\\cmd.exe'",
                ]),
            Self.rule("number", "registry_set", ["selection:", "    Details: 'DWORD (0x00000001)'"]),
            Self.rule("event", "registry_set", ["selection:", "    EventType: SetValue"]),
            Self.rule("deleted", "registry_delete", ["selection:", "    TargetObject|contains: Run"]),
        ]
        let software = try Self.matches(rules, Bytes(HiveBuilder.hive(HiveSamples.software())), path: "SOFTWARE")
        let windows = "HKLM\\SOFTWARE\\Microsoft\\Windows"
        #expect(
            software == [
                windows + "\\CurrentVersion\\Run\\Updater": ["run"],
                windows + " NT\\CurrentVersion\\Image File Execution Options\\sethc.exe\\Debugger": ["debugger"],
                windows + " NT\\CurrentVersion\\Image File Execution Options\\notepad.exe\\UseFilter": ["number"],
            ])
        let system = try Self.matches(
            [
                Self.rule(
                    "current", "registry_set",
                    ["selection:", "    TargetObject|startswith: 'HKLM\\System\\CurrentControlSet\\'"])
            ],
            Bytes(HiveBuilder.hive(HiveSamples.system())), path: "SYSTEM")
        #expect(!system.isEmpty)
    }

    /// The public rules on public hives.
    @Test(.enabled(if: Shared.directory("signatures/sigma") != nil, "no ../shared here"))
    func publicRulesFindSettingsInPublicHives() throws {
        let folder = try #require(Shared.directory("signatures/sigma"))
        let rules = Shared.files(below: folder).filter { $0.contains("/registry/") && $0.hasSuffix(".yml") }
            .compactMap { path in
                FileManager.default.contents(atPath: path).map {
                    SignatureFile(path: path, kind: .sigma, bytes: Bytes(Array($0)))
                }
            }
        #expect(rules.count > 200)
        let stage = try SigmaStage(
            options: SigmaOptions(), environment: StageEnvironment(signatures: SignatureSet(files: rules)))
        let hives = Shared.files(below: try #require(Shared.directory("corpus/hives")))
        var titles: [String: Int] = [:]
        for path in hives {
            let data = try #require(FileManager.default.contents(atPath: path))
            for found in Self.matches(stage, Bytes(Array(data)), path: path).values {
                for title in found { titles[title, default: 0] += 1 }
            }
        }
        print("sigma on \(hives.count) hives: \(titles.sorted { $0.key < $1.key })")
        #expect(titles.count >= 30)
        #expect(titles["New RUN Key Pointing to Suspicious Folder"] != nil)
        #expect(titles["Wdigest Enable UseLogonCredential"] != nil)
    }
}

/// Takes every sample for a hive.
private struct HiveKind: Stage {
    static let descriptor = StageDescriptor(name: "hive-kind", summary: "Takes samples for hives.", interest: .samples)

    init(options: NoOptions, environment: StageEnvironment) {}

    func inspect(_ sample: Sample, _ state: inout NoState, _ out: inout Output) throws(StageError) {
        out.classify(FileKind("Registry Hive"))
    }
}
