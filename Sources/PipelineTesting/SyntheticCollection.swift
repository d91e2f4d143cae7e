/// Files of a made-up host, laid out as a triage collector does it.
///
/// Written from what the collectors leave behind, without the reader's definitions.
public struct SyntheticCollection {
    /// How the files are laid out.
    public enum Layout: String, CaseIterable, Sendable {
        /// `C/…` beside the copy log.
        case kape
        /// `uploads/ACCESSOR/…`, percent-encoded, beside what the client says of itself.
        case velociraptor
        /// `[root]/…` beside `uac.log`.
        case uac
        /// `C/…` or `var/…` beside the collection's log.
        case cylr
        /// `HOST/C/…` and nothing else.
        case folders
    }

    /// Name of the host.
    public var host: String
    /// Files with their paths on the host: `C:\Users\…` or `/etc/…`.
    public var files: [(path: String, content: [UInt8])]

    /// A host with files.
    public init(host: String, files: [(path: String, content: [UInt8])]) {
        self.host = host
        self.files = files
    }

    /// Name of the archive, without a suffix, as the collector gives it.
    public func containerName(_ layout: Layout) -> String {
        switch layout {
        case .kape: "2026-11-20T101112_\(host)"
        case .velociraptor: "Collection-\(host)-2026-11-20T10_11_12Z"
        case .uac: "uac-\(host)-linux-20261120101112"
        case .cylr: host
        case .folders: "export"
        }
    }

    /// Names and contents of the archive's members; the first as many as there are files are those of the host.
    public func members(_ layout: Layout) -> [(name: String, content: [UInt8])] {
        files.map { (Self.name($0.path, layout, host), $0.content) } + own(layout)
    }

    /// The archive as a ZIP file.
    public func zip(_ layout: Layout) -> [UInt8] {
        SyntheticZip(members(layout).map { SyntheticZip.Member($0.name, $0.content) }).bytes
    }

    /// The archive as a tar file.
    public func tar(_ layout: Layout) -> [UInt8] {
        var tar = SyntheticTar()
        for member in members(layout) { tar.add(member.name, member.content) }
        return tar.bytes
    }

    // What the collector itself leaves.
    private func own(_ layout: Layout) -> [(name: String, content: [UInt8])] {
        func text(_ name: String, _ lines: String) -> (name: String, content: [UInt8]) { (name, Array(lines.utf8)) }
        switch layout {
        case .kape:
            return [
                text("2026-11-20T10_11_12_1234567_CopyLog.csv", "CopiedTimestamp,SourceFile,DestinationFile\n"),
                text("2026-11-20T10_11_12_1234567_ConsoleLog.txt", "Total execution time: 6.5 seconds\n"),
            ]
        case .velociraptor:
            return [
                text("client_info.json", "{\n \"Name\": \"velociraptor\",\n \"Hostname\": \"\(host)\"\n}\n"),
                text(
                    "collection_context.json", "{\"session_id\": \"F.0\", \"total_uploaded_files\": \(files.count)}\n"),
                text("results/Generic.Client.Info%2FUsers.json", "{\"Name\":\"alice\"}\n"),
            ]
        case .uac:
            return [
                text("uac.log", "2026-11-20 10:11:12 +0000 INF starting\n"),
                text("live_response/network/hostname.txt", "\(host)\n"), text("bodyfile/bodyfile.txt", "0|/etc|1|\n"),
            ]
        case .cylr: return [text("CyLR_Collection_Log_2026-11-20_10-11-12.log", "Collection complete.\n")]
        case .folders: return []
        }
    }

    private static func name(_ path: String, _ layout: Layout, _ host: String) -> String {
        let isWindows = path.dropFirst().first == ":"
        let plain =
            isWindows ? "\(path.prefix(1))/" + path.dropFirst(3).replacing("\\", with: "/") : "\(path.dropFirst())"
        switch layout {
        case .kape, .cylr: return plain
        case .folders: return host + "/" + plain
        case .uac: return "[root]/" + plain
        case .velociraptor:
            // Files of the file system itself are read through the raw device.
            let isRaw = path.dropFirst(3).first == "$"
            let volume = isRaw ? "ntfs/" + encoded("\\\\.\\" + path.prefix(2)) : "auto/" + encoded("\(path.prefix(2))")
            let rest = plain.split(separator: "/").map { encoded(String($0)) }
            return "uploads/"
                + ([isWindows ? volume : "auto"] + (isWindows ? rest.dropFirst() : rest[...]))
                .joined(separator: "/")
        }
    }

    private static func encoded(_ component: String) -> String {
        component.utf8.map { byte in
            let isSafe = (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
            if isSafe || "$-_. ()".utf8.contains(byte) { return String(Unicode.Scalar(byte)) }
            let hex = String(byte, radix: 16, uppercase: true)
            return "%" + (hex.count == 1 ? "0" : "") + hex
        }.joined()
    }
}
