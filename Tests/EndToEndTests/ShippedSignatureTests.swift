import Pipeline
import PipelineTesting
import Plugins
import Testing

@testable import ThunderstormService

/// Shipped signatures for records that the demo tree has none of: registry keys and values, pipes, mutexes.
struct ShippedSignatureTests {
    // Emits the records of the tests.
    private struct Source: Stage {
        static let descriptor = StageDescriptor(
            name: "test-records", summary: "Emits the records of a test.", interest: .samples)

        init(options: NoOptions, environment: StageEnvironment) {}

        func inspect(_ sample: Sample, _ state: inout NoState, _ out: inout Output) throws(StageError) {
            for (number, record) in ShippedSignatureTests.records.enumerated() {
                try out.emit(RecordType(record.type, module: record.module), offset: number) { builder in
                    for (key, value) in record.fields { builder.field(key, value) }
                }
            }
        }
    }

    private typealias Record = (type: String, module: String, fields: [(String, String)], expected: String?)

    private static func key(_ path: String, _ values: String, _ expected: String?) -> Record {
        ("registry key", "RegistryHive", [("key", path), ("values", values)], expected)
    }

    private static let run = "\\Microsoft\\Windows\\CurrentVersion\\Run"
    private static let records: [Record] = [
        key(
            run, run + ";Updater;powershell.exe -w hidden -enc QQBBAEEA\n", "REGISTRY_Autostart_Interpreter"),
        key(run, run + ";Sync;C:\\Users\\Public\\sync.exe\n", "REGISTRY_Autostart_User_Writable_Place"),
        key(
            "\\Microsoft\\Windows NT\\CurrentVersion\\Image File Execution Options\\sethc.exe",
            "\\Microsoft\\Windows NT\\CurrentVersion\\Image File Execution Options\\sethc.exe;Debugger;cmd.exe\n",
            "REGISTRY_Accessibility_Debugger"),
        key(
            "\\Microsoft\\Windows Defender", "\\Microsoft\\Windows Defender;DisableAntiSpyware;1\n",
            "REGISTRY_Protection_Switched_Off"),
        key(run, run + ";OneDrive;\"C:\\Program Files\\Microsoft OneDrive\\OneDrive.exe\" /background\n", nil),
        (
            "registry value", "RegistryHive",
            [("key", run + "\\Sync"), ("value_name", "Sync"), ("value", "C:\\Users\\Public\\sync.exe")],
            "Demo autostart entry"
        ),
        ("eventlog entry", "EVTX", [("EventID", "17"), ("PipeName", "\\msagent_3f")], "^msagent_[0-9a-f]{2}$"),
        ("eventlog entry", "EVTX", [("EventID", "17"), ("PipeName", "\\wkssvc")], nil),
        (
            "eventlog entry", "EVTX",
            [("EventID", "4656"), ("ObjectName", "\\BaseNamedObjects\\MsWinZonesCacheCounterMutexA")],
            "MsWinZonesCacheCounterMutexA"
        ),
    ]

    @Test func recordsHaveTheirFindings() throws {
        var request = ScanSetup.Request(rules: [Shared.packageRoot + "/rules"])
        request.chain = "test"
        request.chains = [
            ChainConfiguration(
                name: "test", file: "test",
                stages: ["test-records", "ioc", "yara"].map { StageConfiguration(name: $0) })
        ]
        let setup = try ScanSetup(request, registry: StageRegistry(BuiltinStages.all + [Source.self]))
        let report = setup.chain.scan(Sample(path: "x", bytes: Bytes(utf8: "x")))
        for (number, record) in Self.records.enumerated() {
            let found = report.findings.filter {
                if case .record(let subject) = $0.subject { return subject.offset == number }
                return false
            }.flatMap(\.reasons)
            let names = found.map { $0.signature.ruleName + " " + $0.summary }
            if let expected = record.expected {
                #expect(names.contains { $0.contains(expected) }, "\(number): \(names)")
            } else {
                #expect(names == [], "\(number)")
            }
        }
    }
}
