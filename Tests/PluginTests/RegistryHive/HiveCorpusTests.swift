import Pipeline
import PipelineTesting
import RegistryHive
import Testing

// Counts of keys and values against those of another tool (regipy), for every hive of the shared corpus. Where they
// differ the file is damaged; docs/comparisons/hives.md tells why, file by file.

@Suite struct HiveCorpusTests {
    static let folder = Shared.directory("corpus")

    struct Counts: Equatable, CustomStringConvertible {
        var keys: Int
        var values: Int

        var description: String { "\(keys) keys, \(values) values" }
    }

    static let explained: [String: (ours: Counts, why: String)] = [
        "mkorman90+regipy/corrupted_system_hive": (
            Counts(keys: 1687, values: 5706),
            "lists that point into data: one leaf entered as a key there has 1.7 billion subkeys"
        ),
        "msuhanov+yarp/hives_for_tests/BadListHive": (
            Counts(keys: 6, values: 0), "two keys share one list: its key is shown once, and an issue says so"
        ),
        "msuhanov+yarp/hives_for_tests/BadSubkeyHive": (
            Counts(keys: 6, values: 0), "two lists name one key: it is shown once, and an issue says so"
        ),
        "msuhanov+yarp/hives_for_tests/DeletedDataHiveTruncated": (
            Counts(keys: 2, values: 0), "the key claims one value, its list lies behind the end of the file"
        ),
        "log2timeline+plaso/test_data/regf/corrupt_sub_key_list.hiv": (
            Counts(keys: 100, values: 99), "one list entry points outside the file and is no key"
        ),
    ]

    @Test(.enabled(if: folder != nil, "no ../shared here"))
    func countsEqualThoseOfAnotherTool() throws {
        let folder = try #require(Self.folder)
        let truth = try ByteStore().read(file: folder + "/truth/hives.tsv")
        let table = truth.span.utf8Text
        var compared = 0
        for line in table.split(separator: "\n").dropFirst() {
            let columns = line.split(separator: "\t")
            let path = String(columns[0].dropFirst("hives/".count))
            let theirs = Counts(keys: Int(columns[1]) ?? -9, values: Int(columns[2]) ?? -9)
            let bytes = try ByteStore().read(file: folder + "/hives/" + path)
            let hive = try? Hive(bytes)
            let ours = hive.map { count($0) } ?? Counts(keys: -1, values: -1)
            let expected = Self.explained[path]?.ours ?? theirs
            #expect(ours == expected, "\(path)")
            compared += 1
        }
        #expect(compared == 87)
    }

    private func count(_ hive: Hive) -> Counts {
        var walk = HiveWalk(hive)
        var counts = Counts(keys: 0, values: 0)
        while let step = walk.next(hive) {
            guard case .key(let key) = step else { continue }
            counts.keys += 1
            counts.values += (try? hive.values(of: key))?.count ?? 0
        }
        return counts
    }

    // Every value of every hive becomes a record, and whatever is damaged is said.
    @Test(.enabled(if: folder != nil, "no ../shared here"))
    func everyHiveIsReadToTheEnd() throws {
        let folder = try #require(Self.folder)
        let stage = RegistryHiveStage()
        var (clean, files) = (0, 0)
        for path in Shared.files(below: folder + "/hives") where !path.lowercased().contains(".log") {
            let bytes = try ByteStore().read(file: path)
            guard bytes.count < 2 << 20 else { continue }
            let output = scan(stage, bytes, path: path, kind: "Registry Hive")
            #expect(!output.records.isEmpty || !output.issues.isEmpty, "\(path)")
            #expect(!output.issues.contains { $0.code == .timeout || $0.code == .failed }, "\(path)")
            files += 1
            if output.issues.isEmpty { clean += 1 }
        }
        #expect(files > 50)
        #expect(clean > 30)
    }

    // Real logs carry the checksums that we compute, and what they make of a hive is whole.
    @Test(
        .enabled(if: folder != nil, "no ../shared here"),
        arguments: [
            "msuhanov+yarp/hives_for_tests/BadLogHive3/BadLogHive", "mkorman90+regipy/UsrClass.dat",
            "AndrewRathbun+DFIRArtifactMuseum/Windows/Amcache/Server2022/APTSimulatorVM/"
                + "APTSimulatorVM_Amcache_Server2022/Amcache.hve",
        ])
    func realLogsAreApplied(path: String) throws {
        let base = try #require(Self.folder) + "/hives/" + path
        let hive = try ByteStore().read(file: base)
        let logs = [".LOG1", ".LOG2"].compactMap { name in
            (try? ByteStore().read(file: base + name)).map { Companion(name: lastName(base) + name, bytes: $0) }
        }
        let recovery = try #require(HiveRecovery(of: hive, logs: logs))
        #expect(recovery.notes.contains { $0.message.contains("log entries applied from") })
        #expect(!recovery.notes.contains { $0.message.contains("checksum") })
        let recovered = try Hive(recovery.write(to: ByteStore()))
        #expect(recovered.header?.isDirty == false)
        #expect(recovered.problems.isEmpty)
        #expect(count(recovered).keys >= count(try Hive(hive)).keys)
    }

    private func lastName(_ path: String) -> String { String(path.split(separator: "/").last ?? "") }
}
