import Pipeline

// The stage around the event log parser: a record for each event, issues for what could not be read.

/// Turns Windows event logs into records.
public struct EVTXStage: Stage {
    /// What it is, as data.
    public static let descriptor = StageDescriptor(
        name: "evtx", summary: "Turns the events of Windows event logs (.evtx) into records.",
        interest: .kinds("EVTX"), module: "EVTX", heuristics: EventHeuristics.all,
        references: [
            "[MS-EVEN6] EventLog Remoting Protocol Version 6.0, section 2.2.17 BinXml",
            "https://github.com/libyal/libevtx/blob/main/documentation/"
                + "Windows%20XML%20Event%20Log%20(EVTX).asciidoc",
        ],
        limitations: [
            "Message texts are not in the file (they are in DLLs of the machine that wrote it) and are not shown.",
            "Old event logs (.evt) are not read.",
            "Records in the unused space of chunks are not looked for.",
        ])

    /// Records of event logs.
    public static let recordType = RecordType("eventlog entry", module: "EVTX", container: "entry")

    /// The stage needs neither options nor signatures.
    public init(options: NoOptions, environment: StageEnvironment) {}

    /// Emits the events of one log, chunk by chunk.
    public func inspect(_ sample: Sample, _ state: inout NoState, _ out: inout Output) throws(StageError) {
        var log = EventLog(sample.bytes)
        defer { note(log.damage, &out) }
        while log.nextChunk() {
            try out.checkpoint()
            while let record = log.nextRecord() {
                var isUnreadable = false
                do throws(StageError) {
                    try out.emit(Self.recordType, offset: record.offset) { builder throws(StageError) in
                        do throws(ParseError) {
                            let id = try log.render(record, into: &builder)
                            if let id, EventHeuristics.concern(id), let fields = try? log.fields(of: record) {
                                for reason in EventHeuristics.reasons(id, fields) { builder.report(reason) }
                            }
                        } catch {
                            isUnreadable = true
                            throw StageError(error)
                        }
                    }
                } catch {
                    // One bad record never costs the rest; the log counts it.
                    if !isUnreadable { throw error }
                }
            }
        }
    }

    private func note(_ damage: EventLog.Damage, _ out: inout Output) {
        if let header = damage.header { out.note(.damaged, header.message, offset: header.offset) }
        let first = damage.first.map { "; first: \($0.message)" } ?? ""
        if damage.lostRecords > 0 {
            out.note(
                .damaged,
                "\(count(damage.lostRecords, "record")) in \(count(damage.damagedChunks, "chunk")) could not be read"
                    + first, offset: damage.first?.offset)
        }
        if damage.partialRecords > 0 {
            out.note(
                .damaged, "\(count(damage.partialRecords, "record")) could only be read in part\(first)",
                offset: damage.first?.offset)
        }
        if damage.missingChunks > 0 {
            out.note(
                .damaged,
                "\(count(damage.missingChunks, "region")) without a chunk header; records there were looked for",
                offset: damage.first?.offset)
        }
        if damage.badChecksums > 0 {
            out.note(
                .damaged,
                "\(count(damage.badChecksums, "chunk")) with a wrong checksum; they were read all the same",
                offset: damage.first?.offset)
        }
    }

    private func count(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }
}
