import FuzzSupport
import Pipeline
import PipelineTesting
import RegistryHive

// Any bytes as a registry hive: no crash, no hang, bounded memory. What stands behind the bins that the header claims is
// taken for the transaction log of the hive, and checksums of both headers are put right, so that the fuzzer reaches
// the recovery.

private let stage = RegistryHiveStage()
private let names = ["SYSTEM", "SOFTWARE", "NTUSER.DAT", "UsrClass.dat", "Amcache.hve", "SAM"]

/// Entry point of libFuzzer: one input of `count` bytes.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOne(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    run(Array(UnsafeBufferPointer(start: start, count: count)))
    return 0
}

/// Called once by libFuzzer.
@_cdecl("LLVMFuzzerInitialize")
public func initialize(_ count: UnsafeMutablePointer<CInt>, _ arguments: UnsafeMutableRawPointer) -> CInt {
    prepare(seeds: seeds(), run)
}

private func run(_ bytes: [UInt8]) {
    var hive = bytes
    var companions: [Companion] = []
    if let bins = Bytes(hive).span.uint32(at: 40), 4096 + Int(bins) + 512 <= bytes.count {
        var log = Array(hive[(4096 + Int(bins))...])
        seal(&log)
        companions.append(Companion(name: "HIVE.LOG1", bytes: Bytes(log)))
        hive.removeSubrange((4096 + Int(bins))...)
    }
    if hive.count >= 512 { seal(&hive) }
    let name = hive.count > 5 ? names[Int(hive[5]) % names.count] : "SYSTEM"
    _ = report(of: stage, Bytes(hive), path: name, kind: "Registry Hive", companions: companions)
}

// Byte 5, the third digit of a sequence number that nothing reads, says which hive it is.
private func seeds() -> [[UInt8]] {
    let trees = [HiveSamples.system(), HiveSamples.software(), HiveSamples.user()]
    var seeds = trees.enumerated().map { index, tree in named(HiveBuilder.hive(tree), index) }
    seeds.append(named(HiveBuilder.hive(HiveSamples.amcache()), 4))
    seeds.append(named(HiveBuilder.hive(HiveSamples.oldAmcache()), 4))
    return seeds + lists() + [dirty()]
}

private func named(_ hive: [UInt8], _ index: Int) -> [UInt8] {
    var hive = hive
    for offset in [5, 9] { hive[offset] = UInt8(index) }
    return hive
}

// One small hive for each kind of subkey list, with big data, a class name and wide names.
private func lists() -> [[UInt8]] {
    [ListKind.lf, .lh, .li, .ri(of: .lf, each: 2), .ri(of: .li, each: 2)].map { kind in
        let root = KeyNode(
            "ROOT",
            values: [
                ValueNode("", text: "default"), ValueNode("long", type: 3, [UInt8](repeating: 7, count: 40_000)),
                ValueNode("texts", texts: ["a", "b"]), ValueNode("wide \u{416}", qword: 1),
            ])
        root.className = "class"
        root.list = kind
        root.subkeys = (0..<6).map { KeyNode("key\($0)", values: [ValueNode("n", dword: UInt32($0))]) }
        return HiveBuilder.hive(root)
    }
}

// A hive whose last write is in an old-format log: a bitmap and two pages.
private func dirty() -> [UInt8] {
    var builder = HiveBuilder()
    builder.primarySequence = 8
    let hive = builder.build(KeyNode("ROOT", values: [ValueNode("text", text: "old")], [KeyNode("key")]))
    builder.secondarySequence = 8
    var log = Array(builder.baseBlock(root: 32, binsSize: hive.count - 4096, type: 1).prefix(512))
    log += Array("DIRT".utf8) + [3] + [UInt8](repeating: 0xFF, count: 507)
    return hive + log + hive[4096..<5120]
}
