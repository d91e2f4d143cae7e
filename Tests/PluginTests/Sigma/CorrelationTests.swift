import Pipeline
import PipelineTesting
import Testing

@testable import Sigma

@Suite("Correlations")
struct CorrelationTests {
    private static let base = """
        title: Logon failed
        name: failed
        logsource: {product: windows, service: security}
        level: low
        detection:
            selection: {EventID: 4625}
            condition: selection
        ---
        title: Logon
        name: logon
        logsource: {product: windows, service: security}
        level: low
        detection:
            selection: {EventID: 4624}
            condition: selection
        ---

        """

    private func correlation(_ body: String, title: String = "Correlated", more: String = "") -> String {
        "title: \(title)\nlevel: high\ncorrelation:\n"
            + body.split(separator: "\n").map { "    " + $0 }.joined(separator: "\n") + "\n" + more
    }

    private func event(_ id: Int, second: Int, user: String = "bob") -> RecordSubject {
        let time =
            "2024-05-06T07:\(second / 60 < 10 ? "0" : "")\(second / 60):\(second % 60 < 10 ? "0" : "")\(second % 60)Z"
        return record([
            "EventID": String(id), "Channel": "Security", "TimeCreated": time, "TargetUserName": user,
        ])
    }

    private func outcome(_ rules: String, _ events: [RecordSubject]) throws -> [String] {
        let loaded = try load(Self.base + rules)
        #expect(loaded.diagnostics.problems.isEmpty)
        return match(loaded.stage, records: events).findings.flatMap { finding in
            finding.reasons.map { reason in
                ([reason.signature.ruleName] + reason.matched.map { String(decoding: $0.data, as: UTF8.self) })
                    .joined(separator: "; ")
            }
        }
    }

    @Test func eventsAreCounted() throws {
        let rule = correlation(
            "type: event_count\nrules: [failed]\ngroup-by: [TargetUserName]\ntimespan: 1m\ncondition: {gte: 3}")
        let far = [0, 40, 80, 120, 160].map { event(4625, second: $0) }
        #expect(try outcome(rule, far).isEmpty)
        let near = [0, 100, 110, 120, 400].map { event(4625, second: $0) }
        #expect(try outcome(rule, near) == ["Correlated; targetusername: bob; 3 events in 20 s"])
        let mixed = [0, 10, 20].map { event(4625, second: $0, user: $0 == 10 ? "eve" : "bob") }
        #expect(try outcome(rule, mixed).isEmpty)
        // The order of records in a file says nothing.
        #expect(try outcome(rule, near.reversed()) == ["Correlated; targetusername: bob; 3 events in 20 s"])
    }

    @Test func valuesAreCounted() throws {
        let rule = correlation(
            "type: value_count\nrules: [failed]\ntimespan: 1h\ncondition: {field: TargetUserName, gt: 2}")
        let users = ["a", "b", "a", "b", "c"].enumerated().map { event(4625, second: $0.offset, user: $0.element) }
        #expect(try outcome(rule, Array(users.prefix(4))).isEmpty)
        #expect(try outcome(rule, users) == ["Correlated; 3 values of targetusername in 4 s"])
    }

    // Over several batches of records, and in time that grows with the events and not with their square.
    @Test func manyEventsAreCountedTogether() throws {
        let events = (0..<70_000).map { index in
            event(4625, second: index / 1_000, user: "u\(index % 600)")
        }
        let counted = "type: value_count\nrules: [failed]\ntimespan: 1h\ncondition: {field: TargetUserName, gte: "
        #expect(try outcome(correlation(counted + "601}"), events).isEmpty)
        #expect(
            try outcome(correlation(counted + "600}"), events)
                == ["Correlated; 600 values of targetusername in 69 s"])
        let sequence = "type: temporal_ordered\nrules: [failed, logon]\ntimespan: 1h"
        let last = event(4624, second: 70)
        #expect(try outcome(correlation(sequence), events + [last]) == ["Correlated; 2 rules in 1 s"])
    }

    @Test func theEventsKeptAreLimited() throws {
        let rule = correlation("type: event_count\nrules: [failed]\ntimespan: 1h\ncondition: {gt: 100000}")
        let loaded = try load(Self.base + rule)
        let report = match(loaded.stage, records: (0..<100_001).map { _ in event(4625, second: 0) })
        #expect(report.findings.flatMap(\.reasons).isEmpty)
        #expect(report.issues.contains { $0.code == .limit && $0.message.contains("later ones were not counted") })
    }

    @Test func rulesMeetInTime() throws {
        let both = "rules: [failed, logon]\ngroup-by: [TargetUserName]\ntimespan: 30s"
        let temporal = correlation("type: temporal\n" + both)
        let ordered = correlation("type: temporal_ordered\n" + both)
        let forward = [event(4625, second: 0), event(4624, second: 10)]
        let backward = [event(4624, second: 0), event(4625, second: 10)]
        #expect(try outcome(temporal, forward).count == 1)
        #expect(try outcome(temporal, backward).count == 1)
        #expect(try outcome(temporal, [event(4625, second: 0), event(4624, second: 31)]).isEmpty)
        #expect(try outcome(temporal, [event(4625, second: 0), event(4624, second: 1, user: "eve")]).isEmpty)
        #expect(try outcome(ordered, forward) == ["Correlated; targetusername: bob; 2 rules in 10 s"])
        #expect(try outcome(ordered, backward).isEmpty)
    }

    @Test func countedRulesAreReportedOnRequest() throws {
        let body = "type: event_count\nrules: [failed]\ntimespan: 1m\ncondition: {gte: 2}"
        let events = [event(4625, second: 0), event(4625, second: 1)]
        #expect(try outcome(correlation(body), events) == ["Correlated; 2 events in 1 s"])
        let generated = try outcome(correlation(body + "\ngenerate: true"), events)
        #expect(generated.filter { $0.hasPrefix("Logon failed") }.count == 2)
        #expect(generated.filter { $0.hasPrefix("Correlated") }.count == 1)
    }

    @Test func aliasesNameOtherFields() throws {
        let rules =
            """
            title: Other
            name: other
            logsource: {product: windows, service: security}
            detection:
                selection: {EventID: 4720}
                condition: selection
            ---

            """
            + correlation(
                """
                type: temporal
                rules: [failed, other]
                group-by: [who]
                timespan: 1m
                aliases:
                  who: {failed: TargetUserName, other: SamAccountName}
                """)
        let created = record([
            "EventID": "4720", "Channel": "Security", "TimeCreated": "2024-05-06T07:00:05Z", "SamAccountName": "bob",
        ])
        #expect(try outcome(rules, [event(4625, second: 0), created]) == ["Correlated; who: bob; 2 rules in 5 s"])
        #expect(try outcome(rules, [event(4625, second: 0, user: "eve"), created]).isEmpty)
    }

    @Test func correlationsMayNameEachOther() throws {
        let rules =
            correlation(
                "type: temporal_ordered\nrules: [many, logon]\ngroup-by: [TargetUserName]\ntimespan: 1m", title: "Outer"
            )
            + "---\n"
            + correlation(
                "type: event_count\nrules: [failed]\ngroup-by: [TargetUserName]\ntimespan: 1m\ncondition: {gte: 3}",
                title: "Inner", more: "name: many\n")
        let events = [0, 1, 2].map { event(4625, second: $0) }
        #expect(try outcome(rules, events + [event(4624, second: 9)]) == ["Outer; targetusername: bob; 2 rules in 7 s"])
        #expect(try outcome(rules, events).isEmpty)
    }

    @Test func recordsWithoutTimeAreNamed() throws {
        let loaded = try load(
            Self.base + correlation("type: event_count\nrules: [failed]\ntimespan: 1m\ncondition: {gte: 1}"))
        let report = match(loaded.stage, records: [record(["EventID": "4625", "Channel": "Security"])])
        #expect(report.findings.flatMap(\.reasons).isEmpty)
        #expect(report.issues.contains { $0.message.contains("without a time") })
    }

    static let bad: [(String, String)] = [
        ("type: value_sum\nrules: [failed]\ntimespan: 1m", "not supported"),
        ("type: event_count\nrules: [failed]\ncondition: {gte: 1}", "timespan"),
        ("type: event_count\nrules: [failed]\ntimespan: 1m", "needs a condition"),
        ("type: value_count\nrules: [failed]\ntimespan: 1m\ncondition: {gte: 1}", "needs 'field'"),
        ("type: temporal\nrules: [failed]\ntimespan: 1m", "several rules"),
        ("type: event_count\nrules: [nobody]\ntimespan: 1m\ncondition: {gte: 1}", "no rule 'nobody'"),
        ("type: event_count\nrules: [failed]\ntimespan: 1m\ncondition: {about: 1}", "such as 'gte: 10'"),
        ("type: event_count\nrules: []\ntimespan: 1m\ncondition: {gte: 1}", "names 1 to 64 rules"),
    ]

    @Test(arguments: bad)
    func badCorrelationsAreNamed(_ body: String, _ reason: String) throws {
        let loaded = try load(Self.base + correlation(body))
        #expect(loaded.diagnostics.problems.map(\.message).filter { $0.contains(reason) }.count == 1)
        #expect(loaded.diagnostics.summaries.map(\.name) == ["Logon failed", "Logon"])
    }

    @Test func circlesAreRefused() throws {
        let loaded = try load(
            correlation("type: event_count\nrules: [b]\ntimespan: 1m\ncondition: {gte: 1}", more: "name: a\n") + "---\n"
                + correlation("type: event_count\nrules: [a]\ntimespan: 1m\ncondition: {gte: 1}", more: "name: b\n"))
        #expect(loaded.diagnostics.problems.filter { $0.message.contains("circle") }.count == 2)
    }
}
