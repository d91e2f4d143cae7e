import Pipeline

/// The page at `/upload`: a form, and what came of the file that was sent with it.
struct UploadPage {
    private static let shownFindings = 50

    let minimumLevel: Level
    let maximumFileSize: Int
    /// The result; nil before a file was sent.
    var result: StoredResult?
    /// Why the file was not scanned.
    var problem: String?

    /// What stands between header and footer.
    var main: HTML {
        """
        <h1>Upload</h1>
        \(outcome)
        <form method="post" action="/upload" enctype="multipart/form-data" class="upload" data-wait="Scanning the file.">
        <div><label for="source">Source</label>
        <input id="source" name="source" maxlength="200" placeholder="host it is from" autocomplete="off">
        <p class="dim" id="source-note">Without it, the address of this browser.</p></div>
        <div><label for="file">File</label>
        <input id="file" name="file" type="file" required aria-describedby="file-note">
        <p class="dim" id="file-note">At most \(shownBytes(maximumFileSize)). The answer comes when it is scanned.</p></div>
        <div class="buttons"><button>Scan</button> <span role="status" class="wait"></span></div>
        </form>

        """
    }

    private var outcome: HTML {
        if let problem { return "<p role=\"alert\" class=\"warning\">\(problem)</p>\n" }
        guard let result else { return "" }
        let shown = EventWords.shown(result.report, minimumLevel: minimumLevel)
        let details = shown.prefix(Self.shownFindings).map { finding -> HTML in
            let bounded = FindingBounds.bounded(finding)
            let name = bounded.subject.displayName
            return """
                <section class="panel"><h3>\(HTML.level(EventWords.level(of: finding))) \
                \(name.isEmpty ? bounded.subject.kindName : name)</h3>
                \(FindingDetail(finding: bounded, context: result.context, heading: 4).html)</section>

                """
        }
        let more: HTML =
            shown.count > details.count
            ? "<p>The first \(details.count) of \(grouped(shown.count)) findings: \(HTML.findings("scan", result.context.scanID, "all of them")).</p>\n"
            : ""
        let verdict: HTML =
            shown.isEmpty
            ? "Nothing was found."
            : "\(grouped(shown.count)) \(shown.count == 1 ? "finding" : "findings"): \(HTML.findings("scan", result.context.scanID, "keep this address"))."
        return """
            <section aria-labelledby="result"><h2 id="result">Result</h2>
            <p role="status"><strong>\(verdict)</strong> \(grouped(result.report.samples)) files and \
            \(grouped(result.report.records)) records were looked at.</p>
            \(more)\(details)</section>
            <h2>Another file</h2>
            """
    }
}
