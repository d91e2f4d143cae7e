// What is known of a file that a collector took from a host: words that findings carry.

/// A program that copies files of a host for an investigation, told by how it lays them out.
public enum TriageCollector: String, Sendable, CaseIterable {
    /// Offline collections and exports of Velociraptor: `uploads/ACCESSOR/…`, names percent-encoded.
    case velociraptor = "Velociraptor"
    /// Unix-like Artifacts Collector: `[root]/…` beside `live_response` and `bodyfile`.
    case uac = "UAC"
    /// Kroll Artifact Parser and Extractor: `C/…` beside `…_CopyLog.csv`.
    case kape = "KAPE"
    /// Live Response Collection by the Cyber team: `C/…` or `var/…` beside `CyLR_Collection_Log_….log`.
    case cylr = "CyLR"
    /// A folder for each drive, with what only a Windows system has in them; nothing tells what made it.
    case driveFolders = "drive folders"
}

/// Where a file comes from that lay in a triage collection.
public struct TriageOrigin: Sendable, Equatable {
    /// What collected it.
    public var collector: TriageCollector
    /// Name of the host; nil when the collection does not tell.
    public var host: String?

    /// An origin with its parts.
    public init(collector: TriageCollector, host: String?) {
        self.collector = collector
        self.host = host
    }
}
