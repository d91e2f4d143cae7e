import Pipeline
import PipelineTesting
import Sigma

// Any bytes as a Sigma rule file: what cannot be used is told, what can is matched with records of several kinds, and
// nothing crashes.

private let records: [RecordSubject] = {
    let event = RecordType("eventlog entry", module: "EVTX", container: "entry")
    let line = RecordType("log line", module: "LogScan")
    func record(_ type: RecordType, _ fields: KeyValuePairs<String, String>, _ index: Int) -> RecordSubject {
        RecordSubject(type: type, offset: index, fields: fields.map { .init(key: $0.key, value: $0.value) })
    }
    let sysmon = "Microsoft-Windows-Sysmon"
    return [
        record(
            event,
            [
                "Provider_Name": sysmon, "EventID": "1", "Channel": sysmon + "/Operational",
                "TimeCreated": "2024-05-06T07:08:09.123456Z", "Image": "C:\\Windows\\System32\\cmd.exe",
                "CommandLine": "cmd.exe /c \u{2013}enc aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaac", "F": "x", "G": "10.0.0.1",
            ], 0),
        record(event, ["Channel": "Security", "EventID": "4625", "TimeCreated": "2024-05-06T07:08:10Z", "F": ""], 1),
        record(line, ["line": #"10.0.0.1 - - [10/Oct/2023:13:55:36 -0700] "GET /a?b=c HTTP/1.1" 200 5 "-" "x""#], 2),
        record(line, ["line": "\u{FFFD}\u{0}\nÄß"], 3),
    ]
}()

/// Entry point of libFuzzer: one input of `count` bytes.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let bytes = Bytes(Array(UnsafeBufferPointer(start: start, count: count)))
    let signatures = SignatureSet(files: [SignatureFile(path: "fuzz.yml", kind: .sigma, bytes: bytes)])
    let environment = StageEnvironment(signatures: signatures)
    guard let stage = try? SigmaStage(options: SigmaOptions(threshold: .informational), environment: environment) else {
        return 0
    }
    _ = match(stage, records: records, path: "/var/log/apache2/access.log")
    return 0
}
