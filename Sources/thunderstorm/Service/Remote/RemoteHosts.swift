import Pipeline
import Yams

/// The machines of a remote run, read from a YAML file.
///
/// ```yaml
/// user: root
/// paths: [/]
/// hosts:
///   - web1.example
///   - {host: 10.1.2.3, port: 2222, user: admin, sudo: true, paths: [/var/www, /tmp]}
/// ```
public struct RemoteHosts: Sendable {
    /// One machine.
    public struct Host: Sendable, Equatable {
        /// Name or address.
        public var name: String
        /// Port of its ssh.
        public var port: Int
        /// Login; empty for that of the ssh configuration.
        public var user: String
        /// Whether the scan is run through sudo.
        public var sudo: Bool
        /// What is scanned.
        public var paths: [String]
        /// More flags of `thunderstorm scan`.
        public var flags: [String]
    }

    private struct Entry: Decodable {
        var host: String?
        var port: Int?
        var user: String?
        var sudo: Bool?
        var paths: [String]?
        var flags: [String]?
    }

    private static let keys: Set<String> = ["host", "port", "user", "sudo", "paths", "flags"]

    /// The machines in the order of the file.
    public private(set) var hosts: [Host] = []

    /// Reads a file.
    ///
    /// - Throws: `ConfigurationError` naming file, line and key.
    public init(file path: String) throws {
        let bytes: Bytes
        do {
            bytes = try ByteStore().read(file: path)
        } catch {
            throw ConfigurationError("--targets: \(error)")
        }
        guard let map = try composeYAML(bytes.span.utf8Text, file: path)?.mapping, let list = map["hosts"]?.sequence
        else { throw ConfigurationError(file: path, line: nil, "has no list 'hosts' at its top level") }
        var common = Entry()
        var shared: [(Node, Node)] = []
        for (key, value) in map where key.string != "hosts" { shared.append((key, value)) }
        if !shared.isEmpty { common = try Self.entry(Node(shared), path) }
        for node in list {
            var own = Entry()
            if let name = node.string { own.host = name } else { own = try Self.entry(node, path) }
            hosts.append(try Self.host(own, common, line: node.mark?.line, path))
        }
        guard !hosts.isEmpty else { throw ConfigurationError(file: path, line: nil, "names no hosts") }
        var seen = Set<String>()
        for host in hosts where !seen.insert("\(host.name):\(host.port)").inserted {
            throw ConfigurationError(file: path, line: nil, "names \(host.name) port \(host.port) twice")
        }
    }

    private static func entry(_ node: Node, _ file: String) throws -> Entry {
        guard let map = node.mapping else {
            throw ConfigurationError(file: file, line: node.mark?.line, "a host is a name or a map of keys to values")
        }
        for (key, _) in map where !keys.contains(key.string ?? "") {
            throw ConfigurationError(
                file: file, line: key.mark?.line,
                "unknown key '\(key.string ?? "?")'; keys are: \(keys.sorted().joined(separator: ", "))")
        }
        do {
            return try YAMLDecoder().decode(Entry.self, from: node)
        } catch let error as DecodingError {
            throw ConfigurationError(file: file, line: node.mark?.line, YAMLOptions.sentence(error))
        }
    }

    private static func host(_ own: Entry, _ common: Entry, line: Int?, _ file: String) throws(ConfigurationError)
        -> Host
    {
        let host = Host(
            name: own.host ?? "", port: own.port ?? common.port ?? 22, user: own.user ?? common.user ?? "",
            sudo: own.sudo ?? common.sudo ?? false, paths: own.paths ?? common.paths ?? ["/"],
            flags: own.flags ?? common.flags ?? [])
        // Nothing that ssh could take for a flag, or a shell for more than a word.
        guard isPlain(host.name), !host.name.isEmpty else {
            throw ConfigurationError(file: file, line: line, "'\(host.name)' is no host name or address")
        }
        guard isPlain(host.user) else { throw ConfigurationError(file: file, line: line, "'\(host.user)' is no login") }
        guard (1...65_535).contains(host.port) else {
            throw ConfigurationError(file: file, line: line, "port \(host.port) is not 1 to 65535")
        }
        guard !host.paths.isEmpty, !host.paths.contains(where: { $0.isEmpty || $0.hasPrefix("-") || $0.contains("\0") })
        else { throw ConfigurationError(file: file, line: line, "paths must be a list of folders or files") }
        return host
    }

    private static func isPlain(_ text: String) -> Bool {
        !text.hasPrefix("-")
            && text.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                    || [0x2D, 0x2E, 0x3A, 0x5F].contains(byte)
            }
    }
}
