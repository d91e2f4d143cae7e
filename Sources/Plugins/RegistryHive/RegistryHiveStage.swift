public import Pipeline

// Reads Windows registry hives and emits their keys and values as records, after bringing a dirty hive up to date
// with the transaction logs that came along. What the artefact readers beside this file find in them is emitted first.
//
// A `registry value` has the fields
//   key         path below the root of the hive, then `\` and the name of the value (nothing for the default value)
//   value_name  the name alone, so that `key` less `\NAME` is the path of the key
//   modified    last write of the key, RFC 3339
//   value       text of the data: strings as they are, parts of a multi-string joined by `\0`, numbers in decimal,
//               everything else in upper-case hexadecimal
//   size        bytes of the data
//   TargetObject, Details   the same as Sysmon would have logged it, for Sigma
// and a key without values is a `registry key` with `key`, `modified` and `TargetObject`: no name in a hive stays
// unseen.

/// Reads registry hives.
public struct RegistryHiveStage: Stage {
    /// What it is, as data.
    public static let descriptor = StageDescriptor(
        name: "registry-hive",
        summary: "Reads Windows registry hives, applies their transaction logs and emits keys, values and artefacts.",
        interest: .kinds("Registry Hive"), module: "RegistryHive", dependsOnNames: true,
        heuristics: HiveHeuristics.all,
        references: [
            "https://github.com/msuhanov/regf (Windows registry file format specification)",
            "https://github.com/libyal/libregf (Windows NT Registry File format)",
        ],
        limitations: [
            "Deleted keys and values in free cells are not recovered.",
            "Values are shown up to 1 MiB; the size tells the whole length.",
            "Security descriptors are not read.",
            "Transaction logs are used only when they come as companions of the hive.",
        ])

    /// Most bytes of one value that are shown.
    public static let valueLimit = 1 << 20

    /// Builds the stage.
    public init(options: NoOptions = NoOptions(), environment: StageEnvironment = StageEnvironment()) {}

    /// Reads one hive.
    public func inspect(_ sample: Sample, _ state: inout NoState, _ out: inout Output) throws(StageError) {
        let bytes = recovered(sample, &out)
        let hive: Hive
        do throws(ParseError) {
            hive = try Hive(bytes)
        } catch {
            if error.code == .unsupported { throw StageError(.unsupported, error.message, offset: error.offset) }
            throw StageError(error)
        }
        for problem in hive.problems { out.note(.damaged, problem.message, offset: problem.offset) }
        let identity = HiveIdentity(of: hive, path: sample.path)
        try emitArtefacts(of: hive, identity, &out)
        var records = HiveRecords(hive, identity)
        try records.emit(hive, &out)
    }

    // What analysts look for first comes first: a walk that runs out of time does not take it away.
    private func emitArtefacts(
        of hive: Hive, _ identity: HiveIdentity, _ out: inout Output
    ) throws(StageError) {
        switch identity {
        case .system:
            try ShimCacheRecords.emit(hive, &out)
            try AutorunRecords.emit(hive, identity, &out)
        case .software:
            try AutorunRecords.emit(hive, identity, &out)
            try DebuggerRecords.emit(hive, identity, &out)
            try TaskRecords.emit(hive, &out)
            try TeamViewerRecords.emit(hive, &out)
        case .user:
            try AutorunRecords.emit(hive, identity, &out)
            try UserAssistRecords.emit(hive, &out)
            try ShellbagRecords.emit(hive, &out)
            try OfficeConnectionRecords.emit(hive, identity, &out)
            try TeamViewerRecords.emit(hive, &out)
        case .userClasses: try ShellbagRecords.emit(hive, &out)
        case .amcache: try AmcacheRecords.emit(hive, &out)
        default: return
        }
    }

    private func recovered(_ sample: Sample, _ out: inout Output) -> Bytes {
        guard let header = try? HiveHeader(sample.bytes.span), header.isDirty else { return sample.bytes }
        guard let recovery = HiveRecovery(of: sample.bytes, logs: sample.companions) else {
            if header.isChecksumValid {
                out.note(.damaged, "the last write of this hive was not finished, and no log with the rest came along")
            }
            return sample.bytes
        }
        for note in recovery.notes { out.note(Issue.Code("recovered"), note.message) }
        do throws(SystemError) {
            return try recovery.write(to: out.byteStore)
        } catch {
            out.note(.failed, "the transaction logs were not applied: \(error)")
            return sample.bytes
        }
    }
}
