import Pipeline

/// A finding with its reasons, matched text, object and what was not looked at: a page of its own, or a part of one.
struct FindingDetail {
    let finding: Finding
    let context: EventContext
    /// Level of its headings: 2 on a page of its own.
    var heading = 2

    /// The page of a finding.
    static func page(_ finding: Finding, _ summary: FindingSummary) -> HTML {
        var writer = JSONWriter(pretty: true)
        FindingEncoderV3().write(finding, summary.context, to: &writer)
        return """
            <p><a href="/findings">Findings</a></p>
            <h1>\(HTML.level(summary.level)) \(summary.name.isEmpty ? summary.kind : summary.name)</h1>
            \(FindingDetail(finding: finding, context: summary.context).html)
            <details><summary>As it is logged (JSON)</summary><pre tabindex="0"><code>\(writer.text)</code></pre></details>

            """
    }

    /// The parts below the title.
    var html: HTML {
        let reasons = finding.reasons.map { reason($0) }
        let why: HTML = finding.reasons.isEmpty ? "" : "\(title("Reasons"))\n\(reasons)"
        let related = finding.context.map { object($0.file, $0.relations.map(\.rawValue).joined(separator: ", ")) }
        let belongs: HTML = related.isEmpty ? "" : "\(title("Belongs to"))\n\(related)"
        return "\(overview)\(issues)\(why)\(title("Object"))\n\(subject)\(belongs)"
    }

    private func title(_ text: String) -> HTML {
        "<h\(heading)>\(text)</h\(heading)>"
    }

    private var overview: HTML {
        var facts: [(String, HTML)] = [
            ("Level", .level(EventWords.level(of: finding))), ("Score", "\(finding.score)"),
            ("Time", .time(context.time)),
            ("Source", .findings("source", context.hostname)), ("Module", "\(finding.module)"),
            ("Submission", .findings("scan", context.scanID)),
        ]
        if let origin = finding.origin {
            facts.append(("Collected by", "\(origin.collector.rawValue)"))
            if let host = origin.host { facts.append(("Collected on", .findings("source", host))) }
        }
        if let file = finding.subject.file, !file.sha256.isEmpty {
            facts.append(("Same file", .findings("hash", file.sha256, "findings with this SHA-256")))
        }
        return .facts(facts)
    }

    private var issues: HTML {
        guard !finding.issues.isEmpty else { return "" }
        let lines = finding.issues.map { issue -> HTML in
            let place: HTML = issue.offset.map { " at \(Self.hex($0))" } ?? ""
            return "<li>\(issue.stage): \(issue.message)\(place)</li>\n"
        }
        return "\(title("Not looked at"))\n<ul class=\"issues\">\(lines)</ul>\n"
    }

    private func reason(_ reason: Reason) -> HTML {
        let signature = reason.signature
        var facts: [(String, HTML)] = [
            ("Score", "\(signature.score)"), ("Kind", .findings("rule", signature.kind.name)),
        ]
        if signature.ruleName.isEmpty == false {
            facts[1] = ("Kind", "\(signature.kind.name)")
            facts.append(("Rule", .findings("rule", signature.ruleName)))
        }
        // Links of a rule are text: this page leads to no other host.
        for (name, text) in [
            ("Id", signature.id), ("Description", signature.description), ("Author", signature.author),
            ("Date", signature.date), ("Tags", signature.tags.joined(separator: ", ")),
            ("References", signature.references.joined(separator: "\n")),
            ("False positives", signature.falsePositives.joined(separator: "\n")),
            ("Origin", signature.origin.rawValue),
        ] where !text.isEmpty { facts.append((name, "<span class=\"lines\">\(text)</span>")) }
        let matches = reason.matched.map { match($0) }
        let found: HTML = matches.isEmpty ? "" : "<ul class=\"matches\">\(matches)</ul>"
        return """
            <article class="panel"><h\(heading + 1)>\(reason.summary)</h\(heading + 1)>
            \(HTML.facts(facts))\(found)</article>

            """
    }

    private func match(_ match: MatchedText) -> HTML {
        var place: [String] = []
        if !match.name.isEmpty { place.append(match.name) }
        if let offset = match.offset { place.append("at \(Self.hex(offset))") }
        if let memory = match.place {
            place.append("\(memory.isPhysical ? "physical" : "virtual") 0x\(String(memory.address, radix: 16))")
            if !memory.module.isEmpty { place.append(memory.module) }
        }
        if let field = match.field { place.append("in \(field)") }
        let around: HTML =
            match.context.isEmpty
            ? "" : "<span class=\"dim\">around it</span> <code>\(MatchText.plain(match.context))</code>"
        return """
            <li><span class="dim">\(place.isEmpty ? "matched" : place.joined(separator: " "))</span> \
            <code class="match">\(MatchText.plain(match.data))</code> \(around)</li>

            """
    }

    private var subject: HTML {
        switch finding.subject {
        case .file(let file): object(file, "file")
        case .chunk(let chunk):
            HTML.facts([
                ("Part", "\(Self.hex(chunk.range.lowerBound)) to \(Self.hex(chunk.range.upperBound)) of the file")
            ]) + object(chunk.file, "file")
        case .record(let record):
            HTML.table(
                caption: "\(record.type.name)", columns: [("Field", "field"), ("Value", "")],
                rows: record.fields.map { ["\($0.key)", .code($0.value)] })
        }
    }

    private func object(_ file: FileSubject, _ caption: String) -> HTML {
        var rows: [[HTML]] = [
            ["Path", .code(file.path)], ["Size", "\(grouped(file.size)) bytes"], ["Type", "\(file.kind.name)"],
        ]
        for (name, hash) in [("SHA-256", file.sha256), ("SHA-1", file.sha1), ("MD5", file.md5)] where !hash.isEmpty {
            rows.append(["\(name)", "<code>\(HTML.findings("hash", hash))</code>"])
        }
        if !file.firstBytes.isEmpty {
            rows.append([
                "First bytes", .code("\(String(hex: file.firstBytes.rawSpan))  \(printable(file.firstBytes))"),
            ])
        }
        if !file.unpackSource.isEmpty {
            rows.append(["Unpacked from", .code(file.unpackSource.joined(separator: " / "))])
        }
        for (name, time) in [
            ("Modified", file.times.modified), ("Accessed", file.times.accessed), ("Changed", file.times.changed),
            ("Created", file.times.created),
        ] {
            if let time { rows.append(["\(name)", .time(time)]) }
        }
        return .table(caption: "\(caption)", columns: [("Field", "field"), ("Value", "")], rows: rows)
    }

    private static func hex(_ offset: Int) -> String { "0x" + String(offset, radix: 16) }
}
