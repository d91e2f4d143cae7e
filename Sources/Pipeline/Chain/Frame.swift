/// One sample while it goes through the chain: the sample as classified so far, and what was said about it.
final class Frame {
    static let issueLimit = 100

    var sample: Sample
    let parent: Frame?
    // Place in the tree of the submission, as witnesses are told it.
    let id: String
    // Where this sample's findings go in the report: parents stand before children.
    let position: Int
    var reasons: [Reason] = []
    var records: [Finding] = []
    private(set) var issues: [Issue] = []
    private var droppedIssues = 0
    // The collection that lies in it, when there is exactly one: what is said of the archive is said of that host.
    private(set) var holds: TriageOrigin?
    private var holdsSeveral = false
    var children = 0
    // Children and records that a witness was told of.
    var seenChildren = 0
    var seenRecords = 0
    // Fewer than the limit of the submission for a slice, more for a triage collection; nil for others.
    var childLimit: Int?
    var expandedBytes = 0
    // What happened to the sample, when somebody asked.
    var trace: SampleTrace?
    private var subject: FileSubject?

    init(sample: Sample, parent: Frame?, position: Int, id: String = "") {
        self.sample = sample
        self.parent = parent
        self.id = id
        self.position = position
    }

    func hold(_ origin: TriageOrigin) {
        if let holds, holds != origin { holdsSeveral = true }
        holds = holdsSeveral ? nil : origin
        parent?.hold(origin)
    }

    // A damaged file can have an issue per record: the first hundred are kept, the rest counted.
    func add(_ issue: Issue) {
        if issues.contains(issue) { return }
        if issues.count < Self.issueLimit { issues.append(issue) } else { droppedIssues += 1 }
    }

    var allIssues: [Issue] {
        guard droppedIssues > 0 else { return issues }
        return issues + [Issue(.limit, stage: "chain", message: "\(droppedIssues) more issues are not listed")]
    }

    // Computed once: the digests of a large parent are needed by each of its findings.
    var fileSubject: FileSubject {
        if let subject, subject.kind == sample.kind { return subject }
        let fresh = FileSubject(sample)
        subject = fresh
        return fresh
    }

    // The parent and topmost ancestor as context of a file, or of a record in it (`includingSelf`).
    func context(includingSelf: Bool) -> [ContextObject] {
        guard let nearest = includingSelf ? self : parent else { return [] }
        var top = nearest
        while let above = top.parent { top = above }
        if top === nearest {
            return [ContextObject(file: nearest.fileSubject, relations: [.parent, .topmostAncestor])]
        }
        return [
            ContextObject(file: nearest.fileSubject, relations: [.parent]),
            ContextObject(file: top.fileSubject, relations: [.topmostAncestor]),
        ]
    }
}
