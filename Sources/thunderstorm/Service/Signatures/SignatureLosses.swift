import Pipeline

// A rule that cannot be used is left out and said, so that the others work. But a set whose files can hardly be used is no
// set: a service that took it would find nothing and look healthy.

extension SignatureState {
    /// Why a newer set must not replace this one; nil when it may.
    ///
    /// It must not when half of the signatures of a kind would go because files that held them are rejected now, nor when
    /// none would be left while such a file is rejected that was not before: a package may name its files anew. What else is no
    /// longer there was taken away on purpose.
    func loss(with newer: SignatureState) -> ConfigurationError? {
        let rejected = newer.problems.filter(\.isRejected)
        guard !rejected.isEmpty else { return nil }
        let files = Set(rejected.map(\.file))
        let (before, after) = (counts(in: files), newer.counts(in: files))
        let known = Set(problems.filter(\.isRejected).map(\.file))
        let fresh = rejected.filter { !known.contains($0.file) }
        for (kind, all) in counts.sorted(by: { $0.key < $1.key }) {
            let held = before[kind] ?? [:]
            let left = after[kind] ?? [:]
            let lost = held.filter { left[$0.key, default: 0] < $0.value }
            let sum = lost.reduce(0) { $0 + $1.value - left[$1.key, default: 0] }
            var problem = sum * 2 >= all ? rejected.first { lost[$0.file] != nil } : nil
            if problem == nil, newer.counts[kind] == nil {
                let kinds = Set(
                    summaries.filter { $0.kind.name == kind }.compactMap { SignatureFileKind(path: $0.file) })
                problem = fresh.first { SignatureFileKind(path: $0.file).map(kinds.contains) ?? false }
            }
            guard let problem else { continue }
            return ConfigurationError(
                "\(newer.counts[kind] == nil ? all : sum) of \(all) signatures of the kind \(kind) would be lost, and "
                    + "there are files that cannot be used: \(problem); mend these files, or remove them, and load again"
            )
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
