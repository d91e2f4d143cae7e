import Pipeline

/// Where events are sent to: `HOST[:PORT[:FORMAT[:PROTOCOL]]]` or `http(s)://HOST[:PORT][/PATH][:FORMAT]`, and with
/// `@LEVEL` at the end the lowest level that is sent.
public struct TargetAddress: Sendable, Equatable {
    /// How lines travel.
    public enum Transport: String, Sendable {
        /// One datagram a line.
        case udp
        /// Lines over TCP, each with its end.
        case tcp
        /// The same through TLS.
        case tls = "tcptls"
        /// Lines in the body of a POST.
        case http
        /// The same through TLS.
        case https
        /// The system's own log at a socket's path.
        case local
    }

    /// Host name or address; a path for the system's own log.
    public var host: String
    /// Port.
    public var port: Int
    /// How events are written.
    public var format: EventFormat
    /// How lines travel.
    public var transport: Transport
    /// Path of the POST.
    public var path = "/"
    /// Lowest level that is sent; nil for that of all logs.
    public var minimumLevel: Level?

    private static let formats: [(name: String, format: EventFormat)] = [
        ("DEFAULT", .text), ("CEF", .cef), ("JSON", .json), ("SYSLOGJSON", .syslogJSON), ("SYSLOGKV", .syslogKeyValue),
    ]

    /// The system's own log.
    public static let localSyslog = TargetAddress(
        host: "/dev/log", port: 0, format: .text, transport: .local, minimumLevel: nil)

    private init(host: String, port: Int, format: EventFormat, transport: Transport, minimumLevel: Level?) {
        self.host = host
        self.port = port
        self.format = format
        self.transport = transport
        self.minimumLevel = minimumLevel
    }

    /// Reads what a user wrote.
    ///
    /// - Throws: `ConfigurationError` that says what is wrong and how it is written.
    public init(_ text: String) throws(ConfigurationError) {
        var rest = text[...]
        var level: Level?
        if let sign = text.lastIndex(of: "@"), let named = Level(name: String(text[text.index(after: sign)...])) {
            level = named
            rest = text[..<sign]
        }
        if let scheme = ["http", "https"].first(where: { rest.lowercased().hasPrefix($0 + "://") }) {
            try self.init(url: rest.dropFirst(scheme.count + 3), isTLS: scheme == "https", whole: text)
        } else {
            try self.init(parts: rest, whole: text)
        }
        minimumLevel = level
    }

    private init(parts text: Substring, whole: String) throws(ConfigurationError) {
        let (host, rest) = try Self.host(text, whole)
        var parts = rest.isEmpty ? [] : rest.dropFirst().split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count <= 3 else { throw Self.wrong(whole, "has too many parts") }
        while parts.count < 3 { parts.append("") }
        var transport = Transport.udp
        switch parts[2].uppercased() {
        case "", "UDP": transport = .udp
        case "TCP": transport = .tcp
        case "TCPTLS", "TLS": transport = .tls
        default: throw Self.wrong(whole, "names the protocol '\(parts[2])'; there are UDP, TCP, TCPTLS")
        }
        self.init(
            host: host, port: try Self.port(parts[0], otherwise: 514, whole),
            format: try Self.format(parts[1], otherwise: .text, whole), transport: transport, minimumLevel: nil)
    }

    private init(url text: Substring, isTLS: Bool, whole: String) throws(ConfigurationError) {
        var text = text
        var format = EventFormat.json
        if let sign = text.lastIndex(of: ":"),
            let named = Self.formats.first(where: { $0.name == text[text.index(after: sign)...].uppercased() })
        {
            format = named.format
            text = text[..<sign]
        }
        let slash = text.firstIndex(of: "/") ?? text.endIndex
        let (host, rest) = try Self.host(text[..<slash], whole)
        self.init(
            host: host, port: try Self.port(rest.dropFirst(), otherwise: isTLS ? 443 : 80, whole), format: format,
            transport: isTLS ? .https : .http, minimumLevel: nil)
        path = slash == text.endIndex ? "/" : String(text[slash...])
        guard path.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw Self.wrong(whole, "has a blank or a character beyond ASCII in its path; write it percent-encoded")
        }
    }

    // The host, and what follows from its colon on.
    private static func host(_ text: Substring, _ whole: String) throws(ConfigurationError) -> (String, Substring) {
        var host = text.prefix { $0 != ":" }
        var rest = text[host.endIndex...]
        if text.first == "[" {
            guard let end = text.firstIndex(of: "]") else { throw wrong(whole, "lacks the ] of its address") }
            host = text[text.index(after: text.startIndex)..<end]
            rest = text[text.index(after: end)...]
        }
        guard !host.isEmpty, host.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw wrong(whole, "names no host")
        }
        guard rest.isEmpty || rest.first == ":" else { throw wrong(whole, "has '\(rest)' behind the host") }
        return (String(host), rest)
    }

    private static func port(_ text: Substring, otherwise: Int, _ whole: String) throws(ConfigurationError) -> Int {
        if text.isEmpty { return otherwise }
        guard let port = Int(text), (1...65_535).contains(port) else {
            throw wrong(whole, "names the port '\(text)'; ports are 1 to 65535")
        }
        return port
    }

    private static func format(
        _ text: Substring, otherwise: EventFormat, _ whole: String
    ) throws(ConfigurationError) -> EventFormat {
        if text.isEmpty { return otherwise }
        guard let named = formats.first(where: { $0.name == text.uppercased() }) else {
            let names = formats.map(\.name).joined(separator: ", ")
            throw wrong(whole, "names the format '\(text)'; there are \(names)")
        }
        return named.format
    }

    private static func wrong(_ text: String, _ what: String) -> ConfigurationError {
        ConfigurationError(
            "remote-log '\(text)' \(what); write HOST[:PORT[:FORMAT[:PROTOCOL]]] or http(s)://HOST[:PORT][/PATH][:FORMAT], "
                + "and @LEVEL behind it for the lowest level sent")
    }
}

extension TargetAddress: CustomStringConvertible {
    /// The target as messages name it.
    public var description: String {
        switch transport {
        case .local: host
        case .http, .https: "\(transport.rawValue)://\(bracketed):\(port)\(path)"
        case .udp, .tcp, .tls: "\(bracketed):\(port) (\(transport.rawValue))"
        }
    }

    private var bracketed: String { host.contains(":") ? "[\(host)]" : host }
}
