import Pipeline

/// The page at `/signatures`: what is loaded, since when, and what could not be used.
struct SignaturesPage {
    private static let limit = 200

    let state: SignatureState
    let now: Timestamp
    /// Whether the caller may load them anew.
    let mayReload: Bool
    /// Part of names that are looked for.
    let search: String

    /// What stands between header and footer.
    var main: HTML {
        """
        <h1>Signatures</h1>
        \(failure)
        \(HTML.facts(facts))
        \(reload)<h2>In use</h2>
        \(counts)
        \(problems)
        <h2 id="list">Loaded</h2>
        <form method="get" action="/signatures#list" class="search" role="search" aria-label="Signatures">
        <div><label for="q">Name, id, tag or file</label><input id="q" name="q" value="\(search)" autocomplete="off"></div>
        <div class="buttons"><button>Search</button></div></form>
        \(list)
        """
    }

    private var facts: [(String, HTML)] {
        var facts: [(String, HTML)] = [
            ("Loaded", .time(state.loaded)), ("Age", "\(shownDuration(Int(now.seconds - state.loaded.seconds)))"),
            ("Version", "<code>\(state.version.prefix(16).description)</code>"),
        ]
        for (name, version) in state.libraries.sorted(by: { $0.key < $1.key }) { facts.append((name, "\(version)")) }
        if !state.exclusions.names.isEmpty {
            facts.append(("Switched off", "\(state.exclusions.names.joined(separator: ", "))"))
        }
        return facts
    }

    private var failure: HTML {
        guard let failure = state.reloadFailure else { return "" }
        return """
            <p role="alert" class="warning">Newer signatures could not be loaded (\(HTML.time(failure.time))); these stay in use: \
            \(failure.message)</p>
            """
    }

    private var reload: HTML {
        guard mayReload else { return "" }
        return """
            <form method="post" action="/signatures/reload" data-wait="Loading the signatures.">
            <p><button>Load them anew</button> <span role="status" class="wait"></span></p></form>

            """
    }

    private var counts: HTML {
        guard !state.counts.isEmpty else { return "<p class=\"warning\">None: nothing will be found.</p>\n" }
        return .table(
            caption: "Signatures by kind", columns: [("Kind", ""), ("In use", "number")],
            rows: state.counts.sorted { $0.key < $1.key }.map { ["\($0.key)", "\(grouped($0.value))"] })
    }

    private var problems: HTML {
        guard !state.problems.isEmpty else { return "<h2>Problems</h2>\n<p>None.</p>\n" }
        let rejected = state.problems.count { $0.isRejected }
        let shown = state.problems.sorted { $0.isRejected && !$1.isRejected }.prefix(Self.limit)
        let more: HTML =
            state.problems.count > shown.count
            ? "<p>The first \(shown.count) of \(grouped(state.problems.count)); <code>thunderstorm rules check</code> lists all of them.</p>\n"
            : ""
        return """
            <h2>Problems</h2>
            <p>\(grouped(rejected)) could not be used, \(grouped(state.problems.count - rejected)) may not do what their \
            authors think.</p>
            \(HTML.table(
                caption: "Problems", columns: [("File", "name"), ("Line", "number"), ("What", ""), ("Problem", "")],
                rows: shown.map { problem in
                    [
                        "\(problem.file)", "\(problem.line.map { String($0) } ?? "")",
                        problem.isRejected ? "<span class=\"warning\">left out</span>" : "warning", "\(problem.message)",
                    ]
                }))\(more)
            """
    }

    private var list: HTML {
        let wanted = search.lowercased()
        let found =
            wanted.isEmpty
            ? state.summaries
            : state.summaries.filter { summary in
                ([summary.name, summary.id, summary.file, summary.kind.name] + summary.tags).contains {
                    $0.lowercased().contains(wanted)
                }
            }
        guard !found.isEmpty else { return "<p>No such signatures.</p>\n" }
        let more: HTML =
            found.count > Self.limit
            ? "<p>The first \(Self.limit) of \(grouped(found.count)); <code>thunderstorm rules list</code> shows all of them.</p>\n"
            : ""
        return """
            \(HTML.table(
                caption: "Signatures and heuristics",
                columns: [("Name", "name"), ("Kind", ""), ("Score", "number"), ("Origin", "wide"), ("File", "wide name"), ("Findings", "")],
                rows: found.prefix(Self.limit).map { summary in
                    [
                        "\(summary.name)", "\(summary.kind.name)\(state.exclusions.excludes(summary) ? ", switched off" : "")",
                        "\(summary.score)", "\(summary.origin.rawValue)", "\(summary.file)",
                        Self.findings(of: summary),
                    ]
                }))\(more)
            """
    }
}

extension SignaturesPage {
    // Findings of IOCs stand under their kind, those of hashes can be found by the hash itself.
    private static func findings(of summary: SignatureSummary) -> HTML {
        switch summary.kind {
        case .yara, .sigma, .stix, .heuristic: .findings("rule", summary.name, "search")
        case .hash: FindingTerm.hash(summary.name) == nil ? "" : .findings("hash", summary.name, "search")
        default: .findings("rule", summary.kind.name, "of the kind")
        }
    }
}
