import EVTX
import Pipeline
import PipelineTesting

// Made-up event logs that the tests share.

typealias Value = SyntheticEventValue
typealias Element = SyntheticEventElement

enum EventLogFixtures {
    static let system = SyntheticEventLog.System(
        provider: "Demo-Provider", id: 42, channel: "Demo/Operational", providerGUID: Array(1...16))

    /// A log with one event of named data.
    static func log(_ data: [(name: String, value: Value)]) -> [UInt8] {
        var log = SyntheticEventLog()
        log.append(system, data: data)
        return log.file()
    }

    /// A log with one event of the given payload.
    static func log(payload: Element, _ values: [Value]) -> [UInt8] {
        var log = SyntheticEventLog()
        log.append(system, payload: payload, values: values)
        return log.file()
    }

    /// A log with one record of raw binary XML.
    static func log(bytes: [UInt8]) -> [UInt8] {
        var log = SyntheticEventLog()
        log.append(.bytes(bytes))
        return log.file()
    }

    /// A log of several chunks with numbered events.
    static func numbered(chunks: Int, recordsPerChunk: Int) -> [UInt8] {
        var log = SyntheticEventLog()
        for chunk in 0..<chunks {
            for record in 0..<recordsPerChunk {
                log.append(
                    system,
                    data: [("Chunk", .number(UInt32(chunk))), ("Text", .string("record \(record) of chunk \(chunk)"))])
            }
            log.startChunk()
        }
        return log.file()
    }

    static let little = numbered(chunks: 1, recordsPerChunk: 3)
}

func bytes<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
    (0..<T.bitWidth / 8).map { UInt8(truncatingIfNeeded: value >> T($0 * 8)) }
}

func utf16(_ text: String) -> [UInt8] { text.utf16.flatMap { bytes($0) } }

func makeStage() -> EVTXStage { EVTXStage(options: NoOptions(), environment: StageEnvironment()) }

func scanned(_ file: [UInt8]) -> ScannedOutput { scan(makeStage(), Bytes(file), path: "demo.evtx", kind: "EVTX") }

/// Reads all records with the parser alone.
func parsed(_ file: [UInt8]) -> (events: [[EventLog.Field]], numbers: [UInt64], damage: EventLog.Damage) {
    var log = EventLog(Bytes(file))
    var events: [[EventLog.Field]] = []
    var numbers: [UInt64] = []
    while log.nextChunk() {
        while let record = log.nextRecord() {
            guard let fields = try? log.fields(of: record) else { continue }
            events.append(fields)
            numbers.append(record.id)
        }
    }
    return (events, numbers, log.damage)
}

extension [EventLog.Field] {
    func values(_ name: String) -> [String] { filter { $0.name == name }.map(\.value) }

    /// Fields behind the System part.
    var payload: [String] {
        guard let start = lastIndex(where: { $0.name == "Security_UserID" }) else { return [] }
        return self[(start + 1)...].map { "\($0.name)=\($0.value)" }
    }
}
