import Pipeline

// What is suspicious about an archive itself: readers would disagree about what is inside, or unpacking it would write
// elsewhere. Ids are part of the output.

enum ArchiveHeuristics {
    static let concatenated = Heuristic(
        "ZipSeveralDirectories", score: 55,
        "A ZIP file has several central directories: programs disagree about what is inside",
        tags: ["T1027", "T1036"], falsePositives: ["Archives that were joined by mistake"])

    static let hidden = Heuristic(
        "ZipHiddenMembers", score: 55, "A ZIP file has members that its central directory does not name",
        tags: ["T1027", "T1564"], falsePositives: ["Tools that update an archive in place and leave old members"])

    static let contradiction = Heuristic(
        "ZipContradictingHeaders", score: 60,
        "A member of a ZIP file is described differently by its own header and the central directory",
        tags: ["T1027", "T1036"], falsePositives: ["Damaged archives"])

    static let polyglot = Heuristic(
        "ZipBehindOtherType", score: 50, "A file of another type has a ZIP archive at its end",
        tags: ["T1027.009"], falsePositives: ["Pictures and documents that carry their sources"])

    static let leavesFolder = Heuristic(
        "ArchiveLeavesFolder", score: 60,
        "A member's name leads out of the folder that an archive is unpacked to", tags: ["T1574"],
        falsePositives: ["Backups made with relative names"])

    /// All of them.
    static let all = [concatenated, hidden, contradiction, polyglot, leavesFolder]
}

extension Heuristic {
    /// The reason against a file, with examples of what it is about.
    func reason(_ examples: [String]) -> Reason {
        var reason = reason("", at: "")
        reason.matched = examples.prefix(10).map { MatchedText($0) }
        return reason
    }
}
