import FuzzSupport
import Pipeline
import PipelineTesting

// Any lines as the names in an archive, the first as that of the archive, and what stands behind a NUL as the file that
// tells the host: no crash, no hang, and what is restored is a path.

/// Entry point of libFuzzer: one input of `count` bytes.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    run(Array(UnsafeBufferPointer(start: start, count: count)))
    return 0
}

/// Called once by libFuzzer.
@_cdecl("LLVMFuzzerInitialize")
public func initialize(_ count: UnsafeMutablePointer<CInt>, _ arguments: UnsafeMutableRawPointer) -> CInt {
    prepare(seeds: seeds(), run)
}

private func run(_ bytes: [UInt8]) {
    let parts = bytes.split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false)
    var names = parts[0].split(separator: 0x0A, omittingEmptySubsequences: false).map {
        String(decoding: $0, as: UTF8.self)
    }
    let container = names.removeFirst()
    let hostFile = Bytes(parts.count > 1 ? Array(parts[1]) : [])
    let triage = TriageCollections(
        names, container: container, checkpoint: {},
        read: { wanted in Dictionary(uniqueKeysWithValues: wanted.map { ($0, hostFile) }) })
    for position in names.indices {
        guard let path = triage.path(of: position) else { continue }
        let text = Array(path.utf8)
        let isUnix = text.first == 0x2F
        let components = text.split(omittingEmptySubsequences: false) { $0 == 0x2F || !isUnix && $0 == 0x5C }
        precondition(isUnix || text.starts(with: [0x5C, 0x5C]) || text.dropFirst().starts(with: [0x3A, 0x5C]))
        precondition(!components.contains([0x2E, 0x2E]), path)
        precondition(!text.contains { $0 < 0x20 || $0 == 0x7F })
        precondition(triage.collection(of: position) != nil)
    }
    for collection in triage.collections {
        precondition(collection.origin.host?.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F } ?? true)
    }
    _ = CompanionIndex(triage.companionNames(names))
}

private func seeds() -> [[UInt8]] {
    let windows = [
        "C:\\Windows\\System32\\config\\SYSTEM", "C:\\Users\\b\u{E4}r\\AppData\\a%b.txt", "C:\\$Extend\\$UsnJrnl:$J",
    ]
    let linux = ["/etc/passwd", "/home/bob/.ssh/authorized_keys"]
    return SyntheticCollection.Layout.allCases.flatMap { layout in
        [windows, linux].map { paths in
            let collection = SyntheticCollection(host: "WS-7", files: paths.map { ($0, []) })
            let members = collection.members(layout)
            let lines = [collection.containerName(layout) + ".zip"] + members.map(\.name)
            return Array(lines.joined(separator: "\n").utf8) + [0] + Array("{\"Hostname\": \"WS-7\"}".utf8)
        }
    }
}
