import Pipeline

/// Documentation of stages in Markdown, made from their descriptors.
public func stagesDocumentation(_ descriptors: [StageDescriptor]) -> String {
    var text = """
        # Stages

        Made by `thunderstorm stages --markdown`; do not edit. Stages stand in the order of the full chain.

        """
    for descriptor in descriptors {
        text += "\n## \(descriptor.name)\n\n\(descriptor.summary)\n\n"
        text += "- Looks at: \(interest(descriptor.interest))\n"
        if let seconds = descriptor.seconds { text += "- Time for one sample: \(seconds) s\n" }
        for option in descriptor.options { text += "- Option `\(option.name)`: \(option.help)\n" }
        for heuristic in descriptor.heuristics {
            text += "- Heuristic `\(heuristic.id)`, score \(heuristic.score): \(heuristic.description)\n"
        }
        for limitation in descriptor.limitations { text += "- Limitation: \(limitation)\n" }
        for reference in descriptor.references { text += "- Reference: \(reference)\n" }
    }
    return text
}

private func interest(_ interest: StageDescriptor.Interest) -> String {
    var parts: [String] = []
    switch interest.samples {
    case .all: parts.append("every sample")
    case .kinds(let kinds): parts.append("samples of type " + kinds.map(\.name).sorted().joined(separator: ", "))
    case .none: break
    }
    if interest.records { parts.append("records") }
    return parts.joined(separator: " and ")
}
