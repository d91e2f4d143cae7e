import Pipeline

// The stage: each group of checks looks at the file once.

/// Reports files whose name, place or outer form is suspicious by itself.
public struct FileHeuristicsStage: Stage {
    /// What it is, as data.
    public static let descriptor = StageDescriptor(
        name: "file-heuristics", summary: "Reports files whose name, place or outer form is suspicious by itself.",
        interest: .samples, dependsOnNames: true, heuristics: FileHeuristics.all,
        references: [
            "https://attack.mitre.org/techniques/T1036/ (masquerading)",
            "https://www.unicode.org/reports/tr36/ (Unicode security considerations)",
            "https://learn.microsoft.com/windows/win32/fileio/naming-a-file (names, streams)",
        ],
        limitations: [
            "Line length is judged for PowerShell, VBScript, batch, HTA and Unix shell; scripts of web pages are "
                + "written by tools and have lines of any length.",
            "Whether a name belongs to its folder is judged only for paths of Windows that show their folder.",
        ])

    /// The stage needs neither options nor signatures.
    public init(options: NoOptions = NoOptions(), environment: StageEnvironment = StageEnvironment()) {}

    /// Looks at one file.
    public func inspect(_ sample: Sample, _ state: inout NoState, _ out: inout Output) throws(StageError) {
        let content = ContentChecks(sample)
        if !sample.path.isEmpty {
            let name = FileName(sample.path)
            for (heuristic, text) in NameChecks(name, content).findings {
                out.report(heuristic.reason(text, at: "/path"))
            }
        }
        try out.checkpoint()
        for (heuristic, match) in try content.findings(out) { out.report(heuristic.reason(match)) }
    }
}
