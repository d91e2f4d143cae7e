import Pipeline

// Events that are suspicious by themselves, whatever rules are loaded. One table: number, provider, what is looked
// for, and how much it counts.

enum EventHeuristics {
    private struct Check: Sendable {
        var name: String
        var description: String
        var score: Int
        var eventID: UInt32
        /// Start of the provider name, in lower case: numbers mean something only together with it.
        var provider: String
        /// Field that must hold one of `parts`; nil when the event itself is enough.
        var field: String?
        /// Parts of the field's value, in lower case.
        var parts: [String] = []
        var tags: [String]
        var falsePositives: [String] = []
        var references: [String] = []
    }

    private static let table: [Check] = [
        Check(
            name: "EventLogCleared", description: "The Security event log was cleared", score: 65, eventID: 1102,
            provider: "microsoft-windows-eventlog", tags: ["T1070.001", "DEFENSE_EVASION"],
            falsePositives: ["Administrators who archive and clear logs by hand"],
            references: ["https://attack.mitre.org/techniques/T1070/001/"]),
        Check(
            name: "OtherEventLogCleared", description: "An event log was cleared", score: 55, eventID: 104,
            provider: "microsoft-windows-eventlog", tags: ["T1070.001", "DEFENSE_EVASION"],
            falsePositives: ["Administrators who archive and clear logs by hand", "Set-up of a machine image"],
            references: ["https://attack.mitre.org/techniques/T1070/001/"]),
        Check(
            name: "ServiceInUserWritablePlace",
            description: "A service was installed whose program lies where any user may write", score: 65,
            eventID: 7045, provider: "service control manager", field: "ImagePath",
            parts: [
                "\\temp\\", "\\users\\public\\", "\\appdata\\", "\\programdata\\temp", "\\perflogs\\",
                "\\$recycle.bin\\", "\\downloads\\", "\\desktop\\",
            ], tags: ["T1543.003", "PERSISTENCE"], falsePositives: ["Installers that run a service from Temp"],
            references: ["https://attack.mitre.org/techniques/T1543/003/"]),
        Check(
            name: "ServiceRunsCommandLine",
            description: "A service was installed that runs a command interpreter or writes to a pipe", score: 70,
            eventID: 7045, provider: "service control manager", field: "ImagePath",
            parts: [
                "%comspec%", "cmd /c", "cmd.exe /c", "cmd.exe /q", "powershell", "mshta", "rundll32 javascript",
                "\\\\.\\pipe\\", "\\\\127.0.0.1\\",
            ], tags: ["T1569.002", "EXECUTION", "LATERAL_MOVEMENT"],
            falsePositives: ["Administration tools that run scripts as a service"],
            references: ["https://attack.mitre.org/techniques/T1569/002/"]),
    ]

    /// All of them, for the documentation.
    static let all = table.map { Heuristic($0.name, score: $0.score, $0.description, tags: $0.tags) }

    private static let eventIDs = Set(table.map(\.eventID))

    /// Whether any heuristic looks at this number.
    static func concern(_ id: UInt32) -> Bool { eventIDs.contains(id) }

    /// Reasons against an event.
    static func reasons(_ id: UInt32, _ fields: [EventLog.Field]) -> [Reason] {
        guard let provider = fields.first(where: { $0.name == "Provider_Name" })?.value.lowercased() else { return [] }
        return table.compactMap { heuristic in
            guard heuristic.eventID == id, provider.starts(with: heuristic.provider) else { return nil }
            guard let field = heuristic.field else { return reason(heuristic, fields.first { $0.name == "EventID" }) }
            guard let found = fields.first(where: { $0.name == field }) else { return nil }
            let value = found.value.lowercased()
            return heuristic.parts.contains { value.contains(utf8: $0) } ? reason(heuristic, found) : nil
        }
    }

    private static func reason(_ heuristic: Check, _ field: EventLog.Field?) -> Reason {
        let matched = field.map { MatchedText($0.value, field: EVTXStage.recordType.pointer(to: $0.name)) }
        return Reason(
            summary: heuristic.description,
            signature: Signature(
                kind: .heuristic, score: heuristic.score, ruleName: heuristic.name,
                description: heuristic.description, references: heuristic.references, tags: heuristic.tags,
                falsePositives: heuristic.falsePositives),
            matched: matched.map { [$0] } ?? [])
    }
}
