import Pipeline

// What happened to a sample, for people: the tree of samples, and for each of them which stages looked at it, why, for
// how long, and what they said. Names come from hostile files: no control character reaches the terminal.

/// A trace as indented text; ends with a line break.
public func traceText(_ trace: SampleTrace) -> String {
    var text = TraceText()
    text.write(trace, indent: "")
    return text.lines.joined(separator: "\n") + "\n"
}

private struct TraceText {
    var lines: [String] = []

    mutating func write(_ trace: SampleTrace, indent: String) {
        let method = trace.unpackMethod.isEmpty ? "" : ", unpacked by \(oneLine(trace.unpackMethod))"
        lines.append("\(indent)\(oneLine(trace.path))")
        let inner = indent + "    "
        lines.append("\(inner)type \(oneLine(trace.kind.name)), \(trace.size) bytes\(method)")
        lines.append("\(inner)sha256 \(trace.sha256)")
        for finding in trace.findings where !finding.reasons.isEmpty && !isRecord(finding) {
            lines.append("\(inner)\(finding.level.name), score \(finding.score)")
        }
        let worst = trace.findings.filter { isRecord($0) && !$0.reasons.isEmpty }.map(\.level).max()
        if let worst {
            let count = trace.findings.count { isRecord($0) && !$0.reasons.isEmpty }
            lines.append("\(inner)\(count) of its records have findings, the highest is \(worst.name)")
        }
        write(trace.steps, inner)
        if !trace.issues.isEmpty {
            lines.append("\(inner)not looked at, or not as it should be:")
            for issue in trace.issues {
                let place = issue.offset.map { " (at byte \($0))" } ?? ""
                lines.append("\(inner)  \(issue.stage): \(oneLine(issue.message))\(place) [\(issue.code)]")
            }
        }
        guard !trace.children.isEmpty || trace.omitted > 0 else { return }
        lines.append("\(inner)inside, \(trace.children.count + trace.omitted):")
        for child in trace.children { write(child, indent: inner + "  ") }
        if trace.omitted > 0 {
            lines.append("\(inner)  \(trace.omitted) more, and what is in them, were looked at and are not listed")
        }
    }

    private mutating func write(_ steps: [SampleTrace.Step], _ indent: String) {
        let run = steps.filter(\.isRun)
        let telling = run.filter { !sayings($0).isEmpty }
        let width = telling.map(\.stage.count).max() ?? 0
        for step in telling {
            let name = step.stage + String(repeating: " ", count: width - step.stage.count)
            lines.append(
                "\(indent)\(name) \(milliseconds(step, width: 7))  \(sayings(step).joined(separator: "; "))"
                    + "  (\(oneLine(reason(step))))")
            let inner = indent + String(repeating: " ", count: width + 10)
            for reason in step.reasons { lines.append("\(inner)score \(reason.score): \(oneLine(reason.summary))") }
            if step.reasonCount > step.reasons.count {
                lines.append("\(inner)and \(step.reasonCount - step.reasons.count) more reasons")
            }
        }
        let silent = run.filter { sayings($0).isEmpty }
        list("had nothing to say: ", silent.map { "\($0.stage) \(milliseconds($0)) (\(oneLine(reason($0))))" }, indent)
        let idle = steps.filter { !$0.isRun }
        list(
            "not called: ",
            idle.map { "\($0.stage) (\(oneLine($0.why))\($0.looksAtRecords ? ", there were none" : ""))" }, indent)
    }

    // A list in as many lines as it takes.
    private mutating func list(_ title: String, _ items: [String], _ indent: String) {
        guard !items.isEmpty else { return }
        var line = indent + title
        var isFirst = true
        for (index, item) in items.enumerated() {
            let text = item + (index + 1 < items.count ? "," : "")
            if !isFirst, line.count + text.count + 1 > Self.width {
                lines.append(line)
                line = indent + "  " + text
            } else {
                line += isFirst ? text : " " + text
            }
            isFirst = false
        }
        lines.append(line)
    }

    private static let width = 110

    private func reason(_ step: SampleTrace.Step) -> String {
        var parts = step.calls > 0 || step.recordsSeen == 0 ? [step.why] : ["looks at records"]
        if step.slicesSeen > 0 { parts.append("saw \(counted(step.slicesSeen, "slice"))") }
        if step.recordsSeen > 0 { parts.append("saw \(counted(step.recordsSeen, "record"))") }
        return parts.joined(separator: ", ")
    }

    private func sayings(_ step: SampleTrace.Step) -> [String] {
        var said: [String] = []
        if let kind = step.kind { said.append(kind == .unknown ? "no type is known" : "it is \(oneLine(kind.name))") }
        if step.children > 0 { said.append("\(counted(step.children, "file")) inside") }
        for (type, count) in step.records.sorted(by: { $0.key < $1.key }) {
            said.append("\(counted(count, "record")) '\(oneLine(type))'")
        }
        if step.reasonCount > 0 { said.append(counted(step.reasonCount, "reason")) }
        return said
    }

    private func counted(_ count: Int, _ word: String) -> String { "\(count) \(word)\(count == 1 ? "" : "s")" }

    // With one digit behind the point, right-aligned in `width`.
    private func milliseconds(_ step: SampleTrace.Step, width: Int = 0) -> String {
        let tenths = step.nanoseconds / 100_000
        let text = "\(tenths / 10).\(tenths % 10) ms"
        return String(repeating: " ", count: max(width - text.count, 0)) + text
    }
}

private func isRecord(_ finding: Finding) -> Bool {
    if case .record = finding.subject { return true }
    return false
}

/// A trace as one JSON object.
public func traceJSON(_ trace: SampleTrace) -> String {
    var writer = JSONWriter(pretty: true)
    write(trace, &writer)
    return writer.text + "\n"
}

private func write(_ trace: SampleTrace, _ writer: inout JSONWriter) {
    writer.object { writer in
        writer.field("path", trace.path)
        writer.field("size", trace.size)
        writer.field("sha256", trace.sha256)
        writer.field("type", trace.kind.name)
        writer.field("unpack_method", trace.unpackMethod)
        writer.field("depth", trace.depth)
        writer.key("stages")
        writer.array { writer in
            for step in trace.steps { write(step, &writer) }
        }
        writer.key("findings")
        writer.array { writer in
            for finding in trace.findings where !finding.reasons.isEmpty {
                writer.object { writer in
                    writer.field("level", finding.level.name)
                    writer.field("score", finding.score)
                    writer.field("reasons", finding.reasons.map(\.summary))
                    if case .record(let record) = finding.subject {
                        writer.field("record", record.type.name)
                        writer.field("offset", record.offset)
                    }
                }
            }
        }
        writer.key("issues")
        writer.array { writer in
            for issue in trace.issues {
                writer.object { writer in
                    writer.field("code", issue.code.description)
                    writer.field("stage", issue.stage)
                    writer.field("message", issue.message)
                    if let offset = issue.offset { writer.field("offset", offset) }
                }
            }
        }
        writer.key("inside")
        writer.array { writer in
            for child in trace.children { write(child, &writer) }
        }
        writer.field("not_listed", trace.omitted)
    }
}

private func write(_ step: SampleTrace.Step, _ writer: inout JSONWriter) {
    writer.object { writer in
        writer.field("stage", step.stage)
        writer.field("called", step.isRun)
        writer.field("why", step.why)
        writer.field("nanoseconds", step.nanoseconds)
        if let kind = step.kind { writer.field("type", kind.name) }
        writer.field("records_seen", step.recordsSeen)
        writer.field("slices_seen", step.slicesSeen)
        writer.field("files_inside", step.children)
        writer.key("records")
        writer.object { writer in
            for (type, count) in step.records.sorted(by: { $0.key < $1.key }) { writer.field(type, count) }
        }
        writer.field("reasons", step.reasonCount)
        writer.key("first_reasons")
        writer.array { writer in
            for reason in step.reasons {
                writer.object { writer in
                    writer.field("score", reason.score)
                    writer.field("summary", reason.summary)
                }
            }
        }
    }
}
