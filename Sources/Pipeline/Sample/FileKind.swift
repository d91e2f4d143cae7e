/// The type of a file by content, under the name that rules and users know (`EXE`, `ZIP`, `EVTX`).
///
/// The names are part of the interface: the YARA external `filetype` and the field `magic_header` carry them.
public struct FileKind: Hashable, Sendable, CustomStringConvertible {
    /// The name as it is shown.
    public let name: String

    /// A kind with the given name; user-defined lists may bring names of their own.
    public init(_ name: String) { self.name = name }

    /// The name.
    public var description: String { name }

    /// Nothing recognised the content.
    public static let unknown = FileKind("UNKNOWN")

    /// Memory of a process or a machine: scanned in slices, with process rules too.
    public static let memoryDumps: Set<FileKind> = Set(
        [
            "MDMP", "LSASS Dump File", "Windows Crash Dump", "Windows Hibernation", "ELF Core", "LiME Dump",
            "AVML Dump",
            "VMware Snapshot", "VirtualBox Saved State", "Memory Image",
        ].map { FileKind($0) })
}
