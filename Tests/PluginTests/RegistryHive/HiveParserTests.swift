import Pipeline
import PipelineTesting
import Testing

@testable import RegistryHive

// The parser alone: what is written by the builder is read again, whatever lists and cells it lies in.

@Suite struct HiveParserTests {
    @Test(arguments: [
        ListKind.lf, .lh, .li, .ri(of: .lh, each: 7), .ri(of: .li, each: 3), .ri(of: .lf, each: 1000),
    ])
    func allListKindsAreRead(kind: ListKind) throws {
        let root = KeyNode("ROOT")
        root.list = kind
        root.subkeys = (0..<50).map { KeyNode("key\($0)") }
        let hive = try Hive(Bytes(HiveBuilder.hive(root)))
        #expect(paths(hive) == [""] + (0..<50).map { "\\key\($0)" })
        #expect(hive.problems.isEmpty)
    }

    @Test func namesOfBothKindsAreRead() throws {
        let wide = KeyNode("ключ")
        let latin = KeyNode("Größe")
        let odd = KeyNode("plain")
        odd.compressed = false
        let root = KeyNode("ROOT", [wide, latin, odd])
        var unicode = ValueNode("wide", dword: 1)
        unicode.compressed = false
        root.values = [ValueNode("", text: "default"), ValueNode("Ünï", dword: 1), ValueNode("имя", dword: 1), unicode]
        let hive = try Hive(Bytes(HiveBuilder.hive(root)))
        #expect(paths(hive) == ["", "\\ключ", "\\Größe", "\\plain"])
        let top = try #require(hive.root)
        let list = try hive.values(of: top)
        #expect(try (0..<list.count).map { hive.name(of: try hive.value($0, of: list)) } == ["", "Ünï", "имя", "wide"])
        #expect(try hive.value(0, of: list).isDefault)
        #expect(hive.key(at: "PLAIN")?.isNameCompressed == false)
        #expect(hive.number("WIDE", of: top) == 1)
    }

    @Test func keysTellTimeAndClass() throws {
        let key = KeyNode("a")
        key.className = "some class"
        key.written = 131_000_000_001_234_567
        let hive = try Hive(Bytes(HiveBuilder.hive(KeyNode("ROOT", [key]))))
        let found = try #require(hive.key(at: "A"))
        #expect(hive.className(of: found) == "some class")
        #expect(found.lastWritten == Timestamp(filetime: 131_000_000_001_234_567))
        #expect(hive.root.flatMap { hive.className(of: $0) } == nil)
        #expect(hive.root?.isRoot == true)
        #expect(found.isRoot == false)
    }

    @Test(arguments: [0, 1, 3, 4, 5, 100, 16_344, 16_345, 50_000, 1_200_000])
    func dataOfAllSizesIsRead(count: Int) throws {
        let data = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
        for version: UInt32 in [3, 4, 5, 6] {
            var builder = HiveBuilder()
            builder.minorVersion = version
            let hive = try Hive(Bytes(builder.build(KeyNode("ROOT", values: [ValueNode("v", type: 3, data)]))))
            let value = try #require(hive.root.flatMap { hive.value("v", of: $0) })
            #expect(value.size == count)
            #expect(hive.bytes(of: value, limit: 2 << 20) == data)
        }
    }

    @Test func depthEndsWhereWindowsEndsIt() throws {
        var key = KeyNode("deepest")
        for level in 0..<600 { key = KeyNode("l\(level)", [key]) }
        let hive = try Hive(Bytes(HiveBuilder.hive(KeyNode("ROOT", [key]))))
        var walk = HiveWalk(hive)
        var problems: [HiveProblem] = []
        var keys = 0
        while let step = walk.next(hive) {
            switch step {
            case .key: keys += 1
            case .problem(let problem): problems.append(problem)
            }
        }
        #expect(keys == HiveWalk.depthLimit + 1)
        #expect(problems.count == 1)
        #expect(problems.first?.message.contains("deeper than 512 levels") == true)
    }

    @Test func loopsEnd() throws {
        let inner = KeyNode("inner")
        var bytes = HiveBuilder.hive(KeyNode("ROOT", [KeyNode("outer", [inner])]))
        let hive = try Hive(Bytes(bytes))
        let outer = try #require(hive.key(at: "outer"))
        // The list of `outer` names the root instead of `inner`.
        let list = 4096 + 4 + Int(little32(bytes, outer.offset + 28))
        put(&bytes, list + 4, Array(bytes[36..<40]))
        let looped = try Hive(Bytes(bytes))
        #expect(paths(looped) == ["", "\\outer"])
        #expect(problems(looped).first?.contains("in the tree already") == true)
        #expect(looped.key(at: "outer\\inner") == nil)
    }

    @Test func countsFromTheFileAreNotTrusted() throws {
        let key = KeyNode("a", values: [ValueNode("v", dword: 1)], [KeyNode("b")])
        let good = HiveBuilder.hive(KeyNode("ROOT", [key]))
        let node = try #require((try Hive(Bytes(good))).key(at: "a"))
        for field in [20, 36, 28, 40] {
            var bytes = good
            put(&bytes, node.offset + field, [0xFF, 0xFF, 0xFF, 0xFF])
            let hive = try Hive(Bytes(bytes))
            #expect(paths(hive).starts(with: ["", "\\a"]))
        }
        var bytes = good
        put(&bytes, node.offset + 72, [0xFF, 0xFF])
        let hive = try Hive(Bytes(bytes))
        #expect(problems(hive).contains { $0.contains("was cut") })
    }

    @Test func aBrokenListIsToldAndTheRestIsRead() throws {
        let root = KeyNode("ROOT", [KeyNode("a", [KeyNode("lost")]), KeyNode("b", [KeyNode("kept")])])
        var bytes = HiveBuilder.hive(root)
        let node = try #require((try Hive(Bytes(bytes))).key(at: "a"))
        let list = 4096 + 4 + Int(little32(bytes, node.offset + 28))
        put(&bytes, list, Array("xx".utf8))
        let hive = try Hive(Bytes(bytes))
        #expect(paths(hive) == ["", "\\a", "\\b", "\\b\\kept"])
        #expect(problems(hive) == ["its subkey list is none (signature 0x7878)"])
    }

    @Test func aHiveIsReadWithoutItsHeader() throws {
        let root = KeyNode("ROOT", [KeyNode("a")])
        var bytes = HiveBuilder.hive(root)
        put(&bytes, 0, [UInt8](repeating: 0x41, count: 512))
        let hive = try Hive(Bytes(bytes))
        #expect(hive.header == nil)
        #expect(paths(hive) == ["", "\\a"])
        #expect(hive.problems.count == 2)
    }

    @Test func aLostRootIsReplacedByItsSubtrees() throws {
        let root = KeyNode("ROOT", [KeyNode("a", [KeyNode("b")]), KeyNode("c")])
        var bytes = HiveBuilder.hive(root)
        let top = try #require((try Hive(Bytes(bytes))).root)
        put(&bytes, top.offset, Array("xx".utf8))
        let hive = try Hive(Bytes(bytes))
        #expect(Set(paths(hive)) == ["\\a", "\\a\\b", "\\c"])
        #expect(hive.problems.contains { $0.message.contains("2 keys without a parent") })
    }

    @Test func aBrokenBinIsToldAndItsCellsAreRead() throws {
        let root = KeyNode("ROOT", (0..<200).map { KeyNode("key\($0)") })
        var bytes = HiveBuilder.hive(root)
        put(&bytes, 8192, Array("oops".utf8))
        let hive = try Hive(Bytes(bytes))
        #expect(paths(hive).count == 201)
        #expect(hive.problems.contains { $0.message.contains("hive bins have no proper header") && $0.offset == 8192 })
    }

    @Test func otherFilesAreRefused() {
        #expect(throws: ParseError(.badMagic, "", at: 0)) { try Hive(Bytes(utf8: "no hive at all")) }
        #expect(throws: ParseError(.truncated, "", at: 0)) { try Hive(Bytes(utf8: "regf")) }
        var log = HiveBuilder().baseBlock(root: 32, binsSize: 4096, type: 6)
        log += Array("HvLE".utf8)
        #expect(throws: ParseError(.unsupported, "", at: 0)) { try Hive(Bytes(log)) }
    }

    // The walk, the lookups and the data of every value, for every truncation and for many flipped bits.
    @Test func damageNeverStopsTheProcess() throws {
        let good = HiveBuilder.hive(sampleTree())
        let whole = paths(try Hive(Bytes(good))).count
        for length in 0..<good.count { #expect(exercise(Array(good[..<length])) <= whole) }
        var generator = SplitMix64(seed: 42)
        for _ in 0..<2000 {
            var bytes = good
            for _ in 0..<(1 + generator.next() % 4) {
                bytes[Int(generator.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: generator.next())
            }
            #expect(exercise(bytes) <= bytes.count / 76)
        }
    }

    @Test func aLargeHiveStandsTruncation() throws {
        let root = KeyNode("ROOT")
        root.list = .ri(of: .lh, each: 100)
        root.subkeys = (0..<3000).map { KeyNode("key\($0)", values: [ValueNode("v", text: "text \($0)")]) }
        root.values = [ValueNode("big", type: 3, [UInt8](repeating: 0xAB, count: 100_000))]
        let good = HiveBuilder.hive(root)
        #expect(exercise(good) == 3001)
        for length in stride(from: 0, to: good.count, by: 4096) { #expect(exercise(Array(good[..<length])) <= 3001) }
    }

    // MARK: Help

    private func sampleTree() -> KeyNode {
        let a = KeyNode("a", values: [ValueNode("", text: "default"), ValueNode("n", dword: 7)])
        a.className = "class"
        a.subkeys = [KeyNode("b", values: [ValueNode("q", qword: 1), ValueNode("m", texts: ["x", "y"])])]
        let many = KeyNode("many")
        many.list = .ri(of: .lf, each: 4)
        many.subkeys = (0..<10).map { KeyNode("k\($0)") }
        return KeyNode("ROOT", [a, many])
    }

    /// Reads everything; the number of keys.
    private func exercise(_ bytes: [UInt8]) -> Int {
        guard let hive = try? Hive(Bytes(bytes)) else { return 0 }
        var walk = HiveWalk(hive)
        var keys = 0
        while let step = walk.next(hive) {
            guard case .key(let key) = step else { continue }
            keys += 1
            _ = hive.className(of: key)
            hive.eachSubkey(of: key) { _ in true }
            hive.eachValue(of: key) { value in
                _ = hive.bytes(of: value)
                return true
            }
        }
        _ = hive.key(at: "a\\b")
        return keys
    }

    private func paths(_ hive: Hive) -> [String] {
        var walk = HiveWalk(hive)
        var paths: [String] = []
        while let step = walk.next(hive) {
            if case .key = step { paths.append(walk.path.span.utf8Text) }
        }
        return paths
    }

    private func problems(_ hive: Hive) -> [String] {
        var walk = HiveWalk(hive)
        var messages: [String] = []
        while let step = walk.next(hive) {
            if case .problem(let problem) = step { messages.append(problem.message) }
        }
        return messages
    }

    private func little32(_ bytes: [UInt8], _ offset: Int) -> UInt32 {
        (0..<4).reduce(0) { $0 | UInt32(bytes[offset + $1]) << UInt32($1 * 8) }
    }
}
