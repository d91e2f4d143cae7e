import Pipeline

// A rule that cannot be used is left out and said, so that the others work. But a set whose files can hardly be used is no
// set: a service that took it would find nothing and look healthy.

extension SignatureState {
    /// Why a newer set must not replace this one; nil when it may.
    ///
    /// It must not when half of the signatures of a kind would go because files that held them are rejected now. What is
    /// no longer there was taken away on purpose.
    func loss(with newer: SignatureState) -> ConfigurationError? {
        let rejected = newer.problems.filter(\.isRejected)
        guard !rejected.isEmpty else { return nil }
        let files = Set(rejected.map(\.file))
        let (before, after) = (counts(in: files), newer.counts(in: files))
        for (kind, all) in counts.sorted(by: { $0.key < $1.key }) {
            let held = before[kind] ?? [:]
            let lost = held.reduce(0) { $0 + max(0, $1.value - (after[kind]?[$1.key] ?? 0)) }
            guard lost * 2 >= all, let file = held.keys.sorted().first(where: { held[$0] != after[kind]?[$0] }),
                let problem = rejected.first(where: { $0.file == file })
            else { continue }
            return ConfigurationError(
                "\(lost) of \(all) signatures of the kind \(kind) would be lost with files that cannot be used: "
                    + "\(problem); mend these files, or remove them, and load again")
        }
        return nil
    }

    // Signatures in use from some files, by kind and file.
    private func counts(in files: Set<String>) -> [String: [String: Int]] {
        summaries.reduce(into: [:]) { counts, summary in
            guard files.contains(summary.file), !exclusions.excludes(summary) else { return }
            counts[summary.kind.name, default: [:]][summary.file, default: 0] += 1
        }
    }
}
