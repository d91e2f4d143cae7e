import ArgumentParser
import Pipeline
import Synchronization
import ThunderstormService

struct RecordsCommand: StageCommand {
    static let configuration = CommandConfiguration(
        commandName: "records",
        abstract: "Prints every record of a file as JSON lines.",
        discussion: """
            One object a line: {"type", "offset", "fields"}; fields in the order of the artefact, as texts; what may \
            be there several times is a list. Works for any format a stage reads, inside containers too. Files that \
            belong to a file and lie beside it (transaction logs of a hive, $R of an $I) are used. Counts and what \
            was not read follow on standard error. The parsers run in this process, without the sandbox of the \
            service, and selectors of signature folders are not read. Exit code: 2 when a file cannot be read.
            """)

    @Argument(help: ArgumentHelp("Files.", valueName: "file"))
    var files: [String]

    @Option(name: .long, help: ArgumentHelp("Only records of this type, as in 'eventlog entry'.", valueName: "name"))
    var type: String?

    @Option(name: .long, help: ArgumentHelp("Stop printing after so many records.", valueName: "n"))
    var limit: Int?

    @Option(name: .long, help: ArgumentHelp("Leave a stage out; may be repeated.", valueName: "stage"))
    var exclude: [String] = []

    func run(_ registry: StageRegistry) async throws {
        let byteStore = ByteStore()
        let chain = try parsers(registry, byteStore)
        var failed = false
        for file in files {
            let content: Content
            do {
                content = try byteStore.content(ofFile: file)
            } catch {
                standardError("\(error)\n")
                failed = true
                continue
            }
            let printer = RecordPrinter(type: type, limit: limit ?? .max)
            let others = try companionsBeside(file, byteStore: byteStore)
            let report = chain.appending(printer).scan(
                Sample(path: file, content: content, companions: others), byteStore: byteStore)
            printer.flush()
            standardError("\(oneLine(file)): \(printer.summary)\n")
            for issue in report.issues { standardError("  \(issue.code) \(issue.stage): \(oneLine(issue.message))\n") }
        }
        if failed { throw ExitCode(2) }
    }

    // Every stage that needs no signatures: types, containers and parsers.
    private func parsers(_ registry: StageRegistry, _ byteStore: ByteStore) throws -> Chain {
        let known = registry.stages.map { $0.descriptor.name }
        if let name = exclude.first(where: { !known.contains($0) }) {
            throw ConfigurationError(
                "--exclude: there is no stage '\(name)'; stages are: \(known.joined(separator: ", "))")
        }
        let stages = registry.stages.map { $0.descriptor }.filter {
            (!$0.usesSignatures || $0.name == "file-type") && !$0.startsPrograms
        }
        return try registry.makeChain(
            ChainConfiguration(
                name: "records", file: "built-in", stages: stages.map { StageConfiguration(name: $0.name) }),
            environment: StageEnvironment(byteStore: byteStore, exclusions: Exclusions(exclude)))
    }
}

// The last stage of the chain: prints what reaches it.
private final class RecordPrinter: Stage {
    static let descriptor = StageDescriptor(
        name: "record-printer", summary: "Prints records.", interest: .records)

    private struct Counts {
        var printed = 0
        var byType: [String: Int] = [:]
        var pending = ""
    }

    private let type: String?
    private let limit: Int
    private let counts = Mutex(Counts())

    init(type: String?, limit: Int) {
        self.type = type
        self.limit = limit
    }

    init(options: NoOptions, environment: StageEnvironment) {
        type = nil
        limit = .max
    }

    var summary: String {
        let byType = counts.withLock { $0.byType }
        let parts = byType.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }
        return "\(byType.values.reduce(0, +)) records" + (parts.isEmpty ? "" : " (\(parts.joined(separator: ", ")))")
    }

    func flush() {
        standardOutput(
            counts.withLock { counts in
                defer { counts.pending = "" }
                return counts.pending
            })
    }

    func inspect(
        _ records: borrowing RecordBatch, of sample: Sample, _ state: inout NoState, _ out: inout Output
    ) throws(StageError) {
        var lines: [String] = []
        var byType: [String: Int] = [:]
        let room = limit - counts.withLock { $0.printed }
        for record in 0..<records.count {
            let name = records.type(of: record).name
            if let type, type != name { continue }
            byType[name, default: 0] += 1
            if lines.count < room { lines.append(recordLine(records.subject(of: record))) }
        }
        let (text, count, found) = (lines.joined(), lines.count, byType)
        counts.withLock { counts in
            counts.printed += count
            counts.byType.merge(found, uniquingKeysWith: +)
            counts.pending += text
        }
        flush()
    }
}

private func recordLine(_ record: RecordSubject) -> String {
    var writer = JSONWriter()
    writer.object { writer in
        writer.field("type", record.type.name)
        writer.field("offset", record.offset)
        writer.key("fields")
        writer.object { writer in
            var written = Set<String>()
            for field in record.fields where written.insert(field.key).inserted {
                let values = record.fields.filter { $0.key == field.key }.map(\.value)
                if values.count == 1, !record.type.lists.contains(field.key) {
                    writer.field(field.key, field.value)
                } else {
                    writer.field(field.key, values)
                }
            }
        }
    }
    return writer.text + "\n"
}
