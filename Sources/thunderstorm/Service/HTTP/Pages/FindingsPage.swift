import Pipeline

/// The page at `/findings`: a search with its results, the newest first.
struct FindingsPage {
    /// What was asked for, as it was written.
    let asked: RequestQuery
    /// What was found; nil when the question was not understood.
    let page: FindingPage?
    /// Why it was not understood.
    var problem: String?
    /// Rules and sources to choose from.
    var rules: [String] = []
    var sources: [String] = []
    /// Rules with the text that was asked for in their names, when no rule has that name.
    var alike: [String] = []

    private static let keys = ["source", "rule", "hash", "level", "since", "until", "scan"]

    /// What stands between header and footer.
    var main: HTML {
        """
        <h1>Findings</h1>
        <form method="get" action="/findings" class="search" role="search" aria-label="Findings">
        \(input("source", "Source", "host or address", list: sources))
        \(input("rule", "Rule", "name, id or kind", list: rules))
        \(input("hash", "Hash", "MD5, SHA-1 or SHA-256"))
        <div><label for="level">Level</label><select id="level" name="level">\(levels)</select></div>
        \(time("since", "From (UTC)"))
        \(time("until", "To (UTC)"))
        \(input("scan", "Scan id", "of one submission"))
        <div class="buttons"><button>Search</button> <a href="/findings">All findings</a></div>
        </form>
        \(message)\(results)
        """
    }

    private func input(_ key: String, _ label: String, _ hint: String, list: [String] = []) -> HTML {
        let options = list.map { value -> HTML in "<option value=\"\(value)\"></option>" }
        let choices: HTML = list.isEmpty ? "" : "<datalist id=\"\(key)-list\">\(options)</datalist>"
        let reference: HTML = list.isEmpty ? "" : " list=\"\(key)-list\""
        return """
            <div><label for="\(key)">\(label)</label><input id="\(key)" name="\(key)" value="\(asked[key] ?? "")" \
            placeholder="\(hint)" autocomplete="off" spellcheck="false"\(reference)>\(choices)</div>
            """
    }

    private func time(_ key: String, _ label: String) -> HTML {
        // Browsers' fields take no zone.
        var value = asked[key] ?? ""
        if value.last == "Z" || value.last == "z" { value.removeLast() }
        if value.count == 10 { value += "T00:00" }
        return """
            <div><label for="\(key)">\(label)</label><input type="datetime-local" step="1" id="\(key)" name="\(key)" \
            value="\(value)"></div>
            """
    }

    private var levels: [HTML] {
        let chosen = asked["level"]?.lowercased() ?? ""
        let choices =
            [("", "any")]
            + [Level.alert, .warning, .notice, .info].map { level in
                (level.name.lowercased(), level == .alert ? "Alert" : "\(level.name) and above")
            }
        return choices.map { value, text -> HTML in
            let mark: HTML = value == chosen ? " selected" : ""
            return "<option value=\"\(value)\"\(mark)>\(text)</option>"
        }
    }

    private var message: HTML {
        if let problem { return "<p role=\"alert\" class=\"warning\">\(problem)</p>\n" }
        guard !alike.isEmpty else { return "" }
        let links = alike.map { rule -> HTML in "<li>\(HTML.findings("rule", rule))</li>\n" }
        return "<p>Rules with such a name:</p>\n<ul>\(links)</ul>\n"
    }

    private var results: HTML {
        guard let page else { return "" }
        let isFirst = asked["before"] == nil
        guard !page.findings.isEmpty else {
            guard let time = page.lookedBackTo else {
                return isFirst ? "<p>No findings.</p>\n" : "<p>No older findings.</p>\n"
            }
            return """
                <p>Nothing among the findings back to \(HTML.time(time)).</p>
                \(navigation)
                """
        }
        let rows = page.findings.map { finding -> [HTML] in
            let kind: HTML = finding.kind == "file" ? "" : "\(finding.kind): "
            return [
                """
                <a href="/findings/\(Int(finding.id))">\(Self.shown(finding.name, or: finding.kind))</a><br>\
                <span class="dim">\(kind)\(finding.summary)<span class="narrow"><br>\(HTML.time(finding.time)), \
                \(finding.source)</span></span>
                """,
                HTML.level(finding.level), "\(finding.score)", HTML.time(finding.time),
                HTML.findings("source", finding.source),
            ]
        }
        let limit: HTML =
            page.lookedBackTo.map { "<p class=\"dim\">Looked back to \(HTML.time($0)) so far.</p>\n" } ?? ""
        return """
            \(HTML.table(
                caption: isFirst ? "The newest first" : "Older findings, the newest first",
                columns: [("Finding", "name"), ("Level", ""), ("Score", "number wide"), ("Time", "time wide"), ("Source", "wide name")],
                rows: rows))\(limit)\(navigation)
            """
    }

    private var navigation: HTML {
        let newest: HTML = asked["before"] == nil ? "" : "<li><a href=\"\(address(before: nil))\">Newest</a></li>"
        let older: HTML =
            page?.next.map { next -> HTML in
                let text = page?.lookedBackTo == nil ? "Older findings" : "Look further back"
                return "<li><a rel=\"next\" href=\"\(address(before: next.text))\">\(text)</a></li>"
            } ?? ""
        return "<nav aria-label=\"Pages of findings\"><ul class=\"pages\">\(newest)\(older)</ul></nav>\n"
    }

    private func address(before: String?) -> String {
        var pairs = Self.keys.compactMap { key in asked[key].map { "\(key)=\(queryEscaped($0))" } }
        if let limit = asked["limit"] { pairs.append("limit=\(queryEscaped(limit))") }
        if let before { pairs.append("before=\(before)") }
        return "/findings" + (pairs.isEmpty ? "" : "?\(pairs.joined(separator: "&"))")
    }

    private static func shown(_ name: String, or kind: String) -> String { name.isEmpty ? kind : name }
}
