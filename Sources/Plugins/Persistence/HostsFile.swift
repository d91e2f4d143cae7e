public import Pipeline

// Hosts files: `ADDRESS NAME [NAME …]` (hosts(5)). Emits each name as one record `hosts file entry`: host, ip.

/// A line of a hosts file.
struct HostsLine: Equatable {
    var address: String
    var hosts: [String]

    /// Reads a line; nil when it does not begin with an address.
    init?(_ line: String) {
        let content = line.prefix { $0 != "#" }
        let parts = words(content)
        guard let first = parts.first, parts.count > 1, Self.isAddress(first) else { return nil }
        address = first
        hosts = Array(parts.dropFirst())
    }

    /// Whether names with this address lead to the machine itself, or nowhere.
    var isSink: Bool { address.hasPrefix("127.") || address == "0.0.0.0" || address == "::1" || address == "::" }

    private static func isAddress(_ word: String) -> Bool {
        let parts = word.split(separator: ".", omittingEmptySubsequences: false)
        if parts.count == 4, parts.allSatisfy({ UInt8($0) != nil }) { return true }
        let plain = word.split(separator: "%").first ?? ""
        return word.contains(":") && plain.utf8.count <= 45
            && plain.utf8.allSatisfy {
                $0 == 0x3A || $0 == 0x2E || (0x30...0x39).contains($0) || (0x61...0x66).contains($0 | 0x20)
            }
    }
}

/// Reads hosts files.
public struct HostsFileStage: Stage {
    static let blocked = Heuristic(
        "HostsBlocksSecurity", score: 70, "A hosts file cuts off a host of updates or of security software",
        tags: ["T1562.001", "T1565.001"], falsePositives: ["Machines that must not update themselves"])
    static let redirected = Heuristic(
        "HostsRedirectsSecurity", score: 75,
        "A hosts file redirects a host of updates or of security software", tags: ["T1562.001", "T1565.001", "T1557"],
        falsePositives: ["Update servers of the own network"])

    // Domains of updates, of security software, and of services that analysts ask.
    private static let domains = [
        "windowsupdate.com", "update.microsoft.com", "windowsupdate.microsoft.com", "wustat.windows.com",
        "ntservicepack.microsoft.com", "definitionupdates.microsoft.com", "wdcp.microsoft.com", "wd.microsoft.com",
        "security.debian.org", "security.ubuntu.com", "kaspersky.com", "kaspersky-labs.com", "symantec.com",
        "symantecliveupdate.com", "norton.com", "mcafee.com", "trellix.com", "trendmicro.com", "eset.com", "nod32.com",
        "avast.com", "avg.com", "avira.com", "bitdefender.com", "bitdefender.net", "sophos.com", "sophosupd.com",
        "malwarebytes.com", "mbamupdates.com", "f-secure.com", "withsecure.com", "pandasecurity.com", "drweb.com",
        "comodo.com", "gdata.de", "clamav.net", "crowdstrike.com", "sentinelone.net", "cylance.com", "carbonblack.io",
        "paloaltonetworks.com", "fireeye.com", "virustotal.com", "hybrid-analysis.com", "any.run",
        "virusscan.jotti.org",
        "nextron-systems.com", "spybot.info", "emsisoft.com", "hitmanpro.com",
    ]

    /// What it is, as data.
    public static let descriptor = StageDescriptor(
        name: "hosts-file", summary: "Reads hosts files and reports hosts of updates and security that they redirect.",
        interest: .samples, module: "Hosts", dependsOnNames: true, heuristics: [blocked, redirected],
        references: ["https://man7.org/linux/man-pages/man5/hosts.5.html"],
        limitations: ["Only files named hosts are read, and copies as hosts.old, hosts.bak or hosts.txt."])

    /// Type of the records.
    public static let recordType = RecordType("hosts file entry", module: "Hosts")

    private static let names: Set<String> = ["hosts", "hosts.old", "hosts.bak", "hosts.txt", "hosts.ics"]

    /// Builds the stage.
    public init(options: NoOptions = NoOptions(), environment: StageEnvironment = StageEnvironment()) {}

    /// Reads one file.
    public func inspect(_ sample: Sample, _ state: inout NoState, _ out: inout Output) throws(StageError) {
        guard Self.names.contains(sample.name.lowercased()) else { return }
        try ConfigurationLines.each(of: sample, &out) { line, out throws(StageError) in
            guard let entry = HostsLine(line.text) else { return }
            for host in entry.hosts {
                try out.emit(Self.recordType, offset: line.offset) { builder in
                    builder.field("host", host)
                    builder.field("ip", entry.address)
                    guard Self.isWatched(host) else { return }
                    let heuristic = entry.isSink ? Self.blocked : Self.redirected
                    builder.report(heuristic.reason(host, at: Self.recordType.pointer(to: "host")))
                }
            }
        }
    }

    private static func isWatched(_ host: String) -> Bool {
        let lower = host.lowercased()
        return domains.contains { lower == $0 || lower.hasSuffix("." + $0) }
    }
}
