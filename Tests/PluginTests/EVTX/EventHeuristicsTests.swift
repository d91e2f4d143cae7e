import Pipeline
import PipelineTesting
import Testing

@Suite("Event log: heuristics")
struct EventHeuristicsTests {
    private func names(_ system: SyntheticEventLog.System, _ data: [(name: String, value: Value)]) -> [String] {
        var log = SyntheticEventLog()
        log.append(system, data: data)
        return scanned(log.file()).findings.flatMap(\.reasons).map(\.signature.ruleName)
    }

    private func service(_ path: String, provider: String = "Service Control Manager") -> [String] {
        names(
            .init(provider: provider, id: 7045, channel: "System"),
            [("ServiceName", .string("demo")), ("ImagePath", .string(path))])
    }

    @Test("A cleared log is a finding about that record")
    func cleared() {
        var log = SyntheticEventLog()
        log.append(EventLogFixtures.system, data: [("A", .string("x"))])
        log.append(
            .init(provider: "Microsoft-Windows-Eventlog", id: 1102, channel: "Security"), userData: "LogFileCleared",
            [("SubjectUserName", .string("mallory"))])
        let output = scanned(log.file())
        #expect(output.records.count == 2)
        #expect(output.findings.count == 1)
        guard let finding = output.findings.first, case .record(let subject) = finding.subject else {
            Issue.record("the finding is not about a record")
            return
        }
        #expect(subject.fields.contains { $0.key == "SubjectUserName" && $0.value == "mallory" })
        #expect(finding.module == "EVTX")
        #expect(finding.level == .warning)
        #expect(finding.reasons.first?.signature.kind == .heuristic)
        #expect(finding.reasons.first?.matched == [MatchedText("1102", field: "/entry/EventID")])
    }

    @Test("The number alone says nothing: the provider must fit")
    func provider() {
        #expect(names(.init(provider: "Other", id: 1102, channel: "Application"), [("A", .null)]).isEmpty)
        #expect(service("C:\\Users\\Public\\a.exe", provider: "Other").isEmpty)
    }

    @Test("Services in user-writable places and services that are command lines")
    func services() {
        #expect(service("C:\\Windows\\System32\\svchost.exe -k netsvcs").isEmpty)
        #expect(service("C:\\Users\\Public\\update.exe") == ["ServiceInUserWritablePlace"])
        #expect(service("%COMSPEC% /Q /c echo x ^> \\\\127.0.0.1\\C$\\o") == ["ServiceRunsCommandLine"])
    }

    @Test("The made-up intrusion gives the findings it was made for")
    func intrusion() {
        let output = scanned(SyntheticEventLog.intrusion().file())
        #expect(output.records.count == 6)
        #expect(output.issues.isEmpty)
        #expect(
            output.findings.flatMap(\.reasons).map(\.signature.ruleName) == [
                "ServiceRunsCommandLine", "EventLogCleared",
            ])
        let powershell = output.records.first { record in
            record.fields.contains { $0.key == "CommandLine" && $0.value.contains("-EncodedCommand") }
        }
        #expect(powershell?.fields.first { $0.key == "Channel" }?.value == "Microsoft-Windows-Sysmon/Operational")
    }
}
