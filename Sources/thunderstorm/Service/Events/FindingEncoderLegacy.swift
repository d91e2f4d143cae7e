import Pipeline

// Findings in the shape of the THOR 10 generation's API (REFERENCE A.3).

struct FindingEncoderLegacy {
    func write(_ finding: Finding, to writer: inout JSONWriter) {
        writer.object { writer in
            // What was not looked at is no suspicion: clients that filter by level see it from Info on.
            writer.field("level", finding.reasons.isEmpty ? Level.info.name : finding.level.name)
            writer.field("module", finding.module)
            writer.field("message", message(finding))
            writer.field("score", finding.score)
            writer.key("context")
            writer.object { writer in context(finding, &writer) }
            writer.key("matches")
            writer.array { writer in
                for reason in finding.reasons { match(reason, &writer) }
            }
        }
    }

    private func message(_ finding: Finding) -> String {
        guard case .file = finding.subject, !finding.reasons.isEmpty else { return EventWords.message(of: finding) }
        return switch finding.level {
        case .alert: "Malware file found"
        case .warning: "Possibly Dangerous file found"
        default: "Suspicious file found"
        }
    }

    private func context(_ finding: Finding, _ writer: inout JSONWriter) {
        switch finding.subject {
        case .file(let file):
            write(file, &writer)
        case .record(let record):
            if let file = finding.context.first?.file { write(file, &writer) }
            writer.field("object_type", record.type.name)
            writer.key("object")
            FindingEncoderV3().write(record, &writer)
        case .chunk(let chunk):
            write(chunk.file, &writer)
            writer.field("object_type", "file chunk")
            writer.key("object")
            FindingEncoderV3().write(chunk, matches: finding.reasons.flatMap(\.matched), &writer)
        }
        if let parent = finding.context.first?.file, case .file = finding.subject {
            writer.field("parent_file", parent.path)
        }
        if let origin = finding.origin {
            writer.field("collector", origin.collector.rawValue)
            writer.fieldIfAny("collected_from", origin.host ?? "")
        }
        if !finding.issues.isEmpty {
            writer.field("issues", finding.issues.map { "\($0.stage): \($0.message)" })
        }
    }

    private func write(_ file: FileSubject, _ writer: inout JSONWriter) {
        writer.field("file", file.path)
        writer.field("ext", file.fileExtension)
        writer.field("firstBytes", String(hex: file.firstBytes.rawSpan) + " / " + printable(file.firstBytes))
        writer.field("md5", file.md5)
        writer.field("sha1", file.sha1)
        writer.field("sha256", file.sha256)
        writer.field("size", file.size)
        writer.field("type", file.kind.name)
        if !file.unpackSource.isEmpty { writer.field("unpack_source", file.unpackSource.joined(separator: ">")) }
    }

    private func match(_ reason: Reason, _ writer: inout JSONWriter) {
        let signature = reason.signature
        writer.object { writer in
            writer.field("reason", signature.description.isEmpty ? reason.summary : signature.description)
            writer.field("rulename", signature.ruleName)
            writer.field("subscore", signature.score)
            writer.field("ref", signature.references.first ?? "-")
            writer.field("ruledate", signature.date)
            writer.field("tags", signature.tags)
            writer.field("matched", reason.matched.map { MatchText.plain($0.data) })
        }
    }
}
