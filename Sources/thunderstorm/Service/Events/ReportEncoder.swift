import Pipeline

/// Shapes of an API answer.
public enum ReportFormat: Sendable {
    /// The THOR 10 generation's.
    case legacy
    /// jsonlog v3.
    case v3
}

/// Turns reports into the JSON that clients get.
public struct ReportEncoder: Sendable {
    private let minimumLevel: Level

    /// An encoder that leaves out findings below a level; what was not looked at is always said.
    public init(minimumLevel: Level) { self.minimumLevel = minimumLevel }

    /// A JSON array with one element a finding; `[]` when there is nothing to say.
    public func encode(_ report: Report, as format: ReportFormat, context: EventContext, pretty: Bool) -> [UInt8] {
        var writer = JSONWriter(pretty: pretty)
        write(report, as: format, context: context, to: &writer)
        return writer.bytes
    }

    /// Writes the same array as a value of a larger answer.
    public func write(
        _ report: Report, as format: ReportFormat, context: EventContext, to writer: inout JSONWriter
    ) {
        writer.array { writer in
            for finding in EventWords.shown(report, minimumLevel: minimumLevel) {
                switch format {
                case .legacy: FindingEncoderLegacy().write(finding, to: &writer)
                case .v3: FindingEncoderV3().write(finding, context, to: &writer)
                }
            }
        }
    }
}
