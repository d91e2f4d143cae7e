import Pipeline
import PipelineTesting
import Testing

@testable import RegistryHive

// The stage: text forms of values, live paths, what is said of damage, and the conformance kit.

@Suite struct HiveStageTests {
    private func scanned(_ root: KeyNode, path: String = "x", companions: [Companion] = []) -> ScannedOutput {
        scan(
            RegistryHiveStage(), Bytes(HiveBuilder.hive(root)), path: path, kind: "Registry Hive",
            companions: companions)
    }

    private func fields(_ record: RecordSubject?) -> [String: String] {
        Dictionary(record?.fields.map { ($0.key, $0.value) } ?? [], uniquingKeysWith: { first, _ in first })
    }

    @Test func conformance() {
        let root = HiveSamples.user()
        root.subkeys.append(KeyNode("many", (0..<30).map { KeyNode("k\($0)") }))
        let kit = StageConformance(path: "NTUSER.DAT", kind: "Registry Hive", flips: 200)
        #expect(kit.violations(of: RegistryHiveStage(), sample: HiveBuilder.hive(root)) == [])
    }

    @Test func conformanceWithLogs() {
        var builder = HiveBuilder()
        builder.primarySequence = 8
        let log = Companion(name: "SYSTEM.LOG1", bytes: Bytes(utf8: "regf"))
        let kit = StageConformance(path: "SYSTEM", kind: "Registry Hive", companions: [log], flips: 200)
        #expect(kit.violations(of: RegistryHiveStage(), sample: builder.build(HiveSamples.system())) == [])
    }

    @Test(arguments: [
        (ValueNode("v", text: "plain"), "plain", "plain"),
        (ValueNode("v", text: ""), "", "(Empty)"),
        (ValueNode("v", text: "%SystemRoot%\\x", type: 2), "%SystemRoot%\\x", "%SystemRoot%\\x"),
        (ValueNode("v", type: 1, utf16("seen\0hidden\0\0")), "seen\\0hidden", "seen"),
        (ValueNode("v", dword: 1), "1", "DWORD (0x00000001)"),
        (ValueNode("v", dword: 0xFFFF_FFFF), "4294967295", "DWORD (0xffffffff)"),
        (ValueNode("v", type: 5, [0, 0, 1, 0]), "256", "Binary Data"),
        (ValueNode("v", qword: 0x1_0000_0002), "4294967298", "QWORD (0x00000001-0x00000002)"),
        (ValueNode("v", type: 3, [0xAB, 0x01, 0xFF, 0x00, 0x7E]), "AB01FF007E", "Binary Data"),
        (ValueNode("v", type: 0, []), "", "Binary Data"),
        (ValueNode("v", type: 4, [1, 2]), "0102", "Binary Data"),
        (ValueNode("v", type: 0xFFFF_0012, [1]), "01", "Binary Data"),
        (ValueNode("v", texts: ["one", "two"]), "one\\0two", "one\\0two"),
        (ValueNode("v", texts: []), "", ""),
        (ValueNode("v", type: 6, utf16("\\Registry\\Machine")), "\\Registry\\Machine", "\\Registry\\Machine"),
    ])
    func valuesAreTexts(value: ValueNode, text: String, details: String) {
        let output = scanned(KeyNode("ROOT", [KeyNode("k", values: [value])]))
        let found = fields(output.records.last)
        #expect(found["value"] == text)
        #expect(found["Details"] == details)
        #expect(found["size"] == String(value.data.count))
        #expect(found["key"] == "\\k\\v")
        #expect(found["value_name"] == "v")
    }

    @Test func theDefaultValueHasNoName() {
        let output = scanned(KeyNode("ROOT", [KeyNode("k", values: [ValueNode("", text: "x")])]))
        let found = fields(output.records.last)
        #expect(found["key"] == "\\k\\")
        #expect(found["value_name"] == "")
        #expect(found["TargetObject"] == "\\k\\(Default)")
    }

    @Test(arguments: [
        (HiveSamples.software(), HiveIdentity.software, "HKLM\\SOFTWARE"),
        (HiveSamples.system(), .system, "HKLM\\System"), (HiveSamples.user(), .user, "HKCU"),
        (HiveSamples.amcache(), .amcache, "\\REGISTRY\\A\\Amcache"),
        (KeyNode("R", [KeyNode("SAM", [KeyNode("Domains")])]), .sam, "HKLM\\SAM"),
        (KeyNode("R", [KeyNode("Policy", [KeyNode("Secrets")])]), .security, "HKLM\\SECURITY"),
        (KeyNode("R", [KeyNode("Local Settings", [KeyNode("MuiCache")])]), .userClasses, "HKCU\\Software\\Classes"),
        (KeyNode("R", [KeyNode("Objects"), KeyNode("Description")]), .bootConfiguration, "HKLM\\BCD00000000"),
        (KeyNode("R", [KeyNode("DriverDatabase")]), .drivers, "HKLM\\DRIVERS"), (KeyNode("R"), .other, ""),
    ])
    func hivesAreKnownByTheirKeys(root: KeyNode, identity: HiveIdentity, live: String) throws {
        let hive = try Hive(Bytes(HiveBuilder.hive(root)))
        #expect(HiveIdentity(of: hive, path: "sample") == identity)
        #expect(identity.livePath == live)
    }

    @Test func hivesAreKnownByTheirNames() throws {
        let hive = try Hive(Bytes(HiveBuilder.hive(KeyNode("R"))))
        #expect(HiveIdentity(of: hive, path: "C:\\Users\\x\\NTUSER.DAT") == .user)
        #expect(HiveIdentity(of: hive, path: "a/SOFTWARE") == .software)
        #expect(HiveIdentity(of: hive, path: "a/other") == .other)
    }

    @Test func theControlSetInUseIsTheCurrentOne() {
        let root = HiveSamples.system()
        root.key("ControlSet002\\Control").set(ValueNode("v", dword: 1))
        root.key("ControlSet0011").set(ValueNode("v", dword: 1))
        let targets = scanned(root).records.compactMap { fields($0)["TargetObject"] }
        #expect(targets.contains("HKLM\\System\\CurrentControlSet\\Services\\ACPI\\Start"))
        #expect(targets.contains("HKLM\\System\\ControlSet002\\Control\\v"))
        #expect(targets.contains("HKLM\\System\\ControlSet0011\\v"))
        #expect(!targets.contains { $0.hasPrefix("HKLM\\System\\ControlSet001\\") })
    }

    @Test func keysWithoutValuesAreRecords() {
        let output = scanned(KeyNode("ROOT", [KeyNode("a", [KeyNode("b", values: [ValueNode("v", dword: 1)])])]))
        #expect(output.records.map(\.type.name) == ["registry key", "registry key", "registry value"])
        #expect(output.records.map { fields($0)["key"] } == ["", "\\a", "\\a\\b\\v"])
    }

    @Test func longValuesAreCutAndSaid() {
        let value = ValueNode("long", type: 3, [UInt8](repeating: 0xCD, count: RegistryHiveStage.valueLimit + 100))
        let output = scanned(KeyNode("ROOT", values: [value]))
        let found = fields(output.records.first)
        #expect(found["value"]?.utf8.count == 2 * RegistryHiveStage.valueLimit)
        #expect(found["size"] == String(RegistryHiveStage.valueLimit + 100))
        #expect(output.issues.map(\.code) == [.limit])
    }

    @Test func damageIsSaidWithItsPlace() throws {
        let root = KeyNode("ROOT", [KeyNode("k", values: [ValueNode("a", dword: 1), ValueNode("b", text: "longer")])])
        let good = HiveBuilder.hive(root)
        let hive = try Hive(Bytes(good))
        let key = try #require(hive.key(at: "k"))
        let value = try #require(hive.value("b", of: key))

        var lost = good
        put(&lost, value.offset + 8, [0xF0, 0xFF, 0xFF, 0x7F])
        var output = scan(RegistryHiveStage(), Bytes(lost), kind: "Registry Hive")
        #expect(output.records.map { fields($0)["value"] } == [nil, "1", ""])
        #expect(
            output.issues.map(\.message) == [
                "\\k: value 'b': its 14 bytes of data at 0x7ffffff0 are outside the file"
            ])

        var long = good
        put(&long, value.offset + 4, [0xFF, 0xFF, 0, 0])
        output = scan(RegistryHiveStage(), Bytes(long), kind: "Registry Hive")
        #expect(output.issues.count == 1)
        #expect(output.issues.first?.message.contains("of its 65535 bytes of data are there") == true)

        var list = good
        put(&list, key.offset + 40, [0xF0, 0xFF, 0xFF, 0x7F])
        output = scan(RegistryHiveStage(), Bytes(list), kind: "Registry Hive")
        #expect(output.records.map { fields($0)["key"] } == ["", "\\k"])
        #expect(
            output.issues.map(\.message) == [
                "\\k: the list of its 2 values at 0x7ffffff0 is outside the file"
            ])
    }

    @Test func aDirtyHiveWithoutLogsIsSaid() {
        var builder = HiveBuilder()
        builder.primarySequence = 8
        let bytes = builder.build(KeyNode("ROOT"))
        let output = scan(RegistryHiveStage(), Bytes(bytes), kind: "Registry Hive")
        #expect(output.issues.map(\.code) == [.damaged])
        #expect(output.records.count == 1)
    }

    @Test func aLogAloneIsNamed() {
        let log = HiveBuilder().baseBlock(root: 32, binsSize: 4096, type: 6) + Array("HvLE".utf8)
        let output = scan(RegistryHiveStage(), Bytes(log), kind: "Registry Hive")
        #expect(output.issues.map(\.code) == [.unsupported])
        #expect(output.records.isEmpty)
    }

    // A hostile hive: the shortest keys that can be, each a list of all the others.
    @Test func manyKeysThatNameEachOtherAreReadOnce() throws {
        let root = KeyNode("ROOT", (0..<300).map { KeyNode("\($0)", [KeyNode("x")]) })
        var bytes = HiveBuilder.hive(root)
        let hive = try Hive(Bytes(bytes))
        let list = try #require(hive.root)
        let target = Array(bytes[(list.offset + 28)..<(list.offset + 32)])
        var walk = HiveWalk(hive)
        while let step = walk.next(hive) {
            if case .key(let key) = step {
                put(&bytes, key.offset + 20, little(-1, 4)); put(&bytes, key.offset + 28, target)
            }
        }
        let output = scan(RegistryHiveStage(), Bytes(bytes), kind: "Registry Hive")
        #expect(output.records.count == 301)
        #expect(output.issues.contains { $0.message.contains("belongs to another key already") })
    }
}
