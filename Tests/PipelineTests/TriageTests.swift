import Pipeline
import PipelineTesting
import Testing

/// Collections are told from names alone, paths come back as they were, and what is no collection stays what it is.
struct TriageTests {
    private static let windows = [
        #"C:\Windows\System32\config\SYSTEM"#, #"C:\Windows\System32\config\SYSTEM.LOG1"#,
        #"C:\Users\ålice\AppData\Roaming\50% off & more.txt"#, #"C:\$Extend\$UsnJrnl:$J"#, #"D:\Data\a b.txt"#,
    ]
    private static let linux = ["/etc/passwd", "/home/bob/.ssh/authorized_keys", "/var/log/auth.log.1"]

    private func triage(
        _ names: [String], container: String = "a.zip", contents: [String: String] = [:]
    ) -> TriageCollections {
        TriageCollections(
            names, container: container, checkpoint: {},
            read: { wanted in
                Dictionary(
                    uniqueKeysWithValues: wanted.map { ($0, Bytes(utf8: contents[names[$0]] ?? "")) })
            })
    }

    private func restored(_ names: [String], container: String = "a.zip") -> [String?] {
        let triage = triage(names, container: container)
        return names.indices.map(triage.path(of:))
    }

    @Test(arguments: SyntheticCollection.Layout.allCases)
    func everyLayoutGivesPathsAndHostBack(layout: SyntheticCollection.Layout) {
        let paths = layout == .uac ? Self.linux : Self.windows
        let collection = SyntheticCollection(host: "WS-042", files: paths.map { ($0, []) })
        let members = collection.members(layout)
        let triage = triage(
            members.map(\.name), container: collection.containerName(layout) + ".zip",
            contents: Dictionary(
                uniqueKeysWithValues: members.map { ($0.name, String(decoding: $0.content, as: UTF8.self)) }))
        #expect(paths.indices.map(triage.path(of:)) == paths)
        #expect(triage.collections.count == 1)
        let origin = triage.collections.first?.origin
        #expect(origin?.host == "WS-042")
        let collectors: [SyntheticCollection.Layout: TriageCollector] = [
            .kape: .kape, .velociraptor: .velociraptor, .uac: .uac, .cylr: .cylr, .folders: .driveFolders,
        ]
        #expect(origin?.collector == collectors[layout])
        #expect(triage.collections.first?.files == members.count)
        #expect(triage.collections.first?.restored == paths.count)
        // What the collector wrote itself is no file of the host, but belongs to it.
        for index in members.indices.dropFirst(paths.count) {
            #expect(triage.path(of: index) == nil)
            #expect(triage.collection(of: index)?.origin == origin)
        }
    }

    @Test func unixPathsComeBackFromVelociraptorAndCyLR() {
        for layout in [SyntheticCollection.Layout.velociraptor, .cylr] {
            let names = SyntheticCollection(host: "srv1", files: Self.linux.map { ($0, []) }).members(layout).map(
                \.name)
            #expect(Array(restored(names).prefix(3)) == Self.linux)
        }
    }

    @Test(arguments: [
        ["C/main.c", "C/include/a.h"], ["C/Users/readme.txt", "C/Windows.txt"], ["src/c/Windows/System32/x.dll"],
        ["A/Windows", "B/Users"], ["[root]/etc/passwd"], ["uploads/auto/etc/passwd"], ["uploads/photo.jpg"],
        ["live_response/a.txt", "bodyfile/b.txt"], ["client_info.json"], ["kape_CopyLog.csv"], ["C"], ["C/"], [""],
        ["wp-content/uploads/file/2024/x.php"], ["docs/C/D/E/F/Windows.md"],
    ])
    func lookalikesAreNoCollections(names: [String]) {
        #expect(triage(names).collections == [])
        #expect(restored(names).allSatisfy { $0 == nil })
    }

    @Test(arguments: [
        ("C/$MFT", #"C:\$MFT"#), ("HOST/C_/Users/bob/NTUSER.DAT", #"C:\Users\bob\NTUSER.DAT"#),
        (#"E\Windows\System32\cmd.exe"#, #"E:\Windows\System32\cmd.exe"#),
        ("a/b/C%3A/Users/b%C3%A4r/AppData/x%2Ey", #"C:\Users\bär\AppData\x.y"#),
        ("./C/Windows//Prefetch/./X.pf", nil), ("C/Windows//Prefetch/X.pf", #"C:\Windows\Prefetch\X.pf"#),
        (
            "uploads/ntfs/%5C%5C%3F%5CGLOBALROOT%5CDevice%5CHarddiskVolumeShadowCopy1/Windows/x",
            #"\\?\GLOBALROOT\Device\HarddiskVolumeShadowCopy1\Windows\x"#
        ),
        ("clients/C.1/collections/F.2/uploads/lazy_ntfs/%5C%5C.%5CD%3A/x.txt", #"D:\x.txt"#),
    ])
    func singlePathsAreRestored(name: String, path: String?) {
        #expect(restored([name]) == [path])
    }

    @Test func namesThatAreNoPathsStayAndAreCounted() {
        let bad = [
            "uploads/auto/C%3A/Users/%2E%2E/x", "uploads/auto/C%3A/a%2Fb", "uploads/auto/C%3A/a%5Cb",
            "uploads/auto/C%3A/a%zz", "uploads/auto/C%3A/a%4", "uploads/auto/C%3A/a%00b", "uploads/auto/C%3A/a%FF",
            "uploads/auto/C%3A/a%0Ab", "uploads/auto/C%3A/x/../y", "uploads/auto/%5C%5C..%5C/x",
        ]
        let triage = triage(["uploads/auto/C%3A/good.txt"] + bad)
        #expect(triage.path(of: 0) == #"C:\good.txt"#)
        for index in bad.indices { #expect(triage.path(of: index + 1) == nil, "\(bad[index])") }
        #expect(triage.collections.first?.unrestorable == Array(1...bad.count))
        #expect(triage.collections.first?.restored == 1)
    }

    @Test func theSamePathTwiceIsCounted() {
        let names = ["uploads/auto/C%3A/$MFT", "uploads/ntfs/%5C%5C.%5CC%3A/$MFT", "uploads/auto/C%3A/$mft"]
        let triage = triage(names)
        #expect(names.indices.map(triage.path(of:)) == [#"C:\$MFT"#, #"C:\$MFT"#, #"C:\$mft"#])
        #expect(triage.collections.first?.samePaths == 2)
    }

    @Test func theOutermostCollectionCounts() {
        let inside = "C/Users/bob/AppData/fake/OTHER/C/Windows/System32/config/SYSTEM"
        let triage = triage(["WS1/C/Windows/System32/config/SYSTEM", "WS1/" + inside])
        #expect(triage.collections.map(\.origin.host) == ["WS1"])
        #expect(
            triage.path(of: 1) == #"C:\Users\bob\AppData\fake\OTHER\C\Windows\System32\config\SYSTEM"#)
    }

    @Test func severalHostsInOneTreeStayApart() {
        let names = [
            "WS1/C/Windows/System32/config/SYSTEM", "WS1/C/Windows/System32/config/SYSTEM.LOG1",
            "WS2/C/Windows/System32/config/SYSTEM", "WS2/C/Windows/System32/config/SYSTEM.LOG1", "notes.txt",
        ]
        let triage = triage(names)
        #expect(names.indices.map { triage.collection(of: $0)?.origin.host } == ["WS1", "WS1", "WS2", "WS2", nil])
        let index = CompanionIndex(triage.companionNames(names))
        #expect(names.indices.map(index.positions(ofPosition:)) == [[1], [], [3], [], []])
    }

    @Test func logsOfAHiveAreFoundThroughAnotherAccessor() {
        let names = [
            "uploads/auto/C%3A/Windows/System32/config/SAM",
            "uploads/ntfs/%5C%5C.%5CC%3A/Windows/System32/config/SAM.LOG1",
        ]
        let index = CompanionIndex(triage(names).companionNames(names))
        #expect(index.positions(ofPosition: 0) == [1])
    }

    @Test(arguments: [
        ("Collection-DESKTOP-2OR51GL-2021-07-16_06_56_50_-0700_PDT.zip", "uploads/auto/C%3A/x", "DESKTOP-2OR51GL"),
        ("uac-web-01-linux-20240102030405.tar", "[root]/etc/passwd", "web-01"),
        ("2024-01-02T030405_PC1.zip", "C/$MFT", "PC1"), ("2024-01-02T03_04_05_1234567_PC_2.zip", "C/$MFT", "PC_2"),
        ("2024-01-02T030405_kape.zip", "C/$MFT", nil), ("triage.zip", "C/$MFT", nil),
        ("case.zip", "10.0.0.7/C/$MFT", nil), ("x.zip", "evil host\u{1B}[2J/C/$MFT", nil),
        ("F.1.zip", "F.BN2HJCPOF5U7U/uploads/auto/C%3A/x", nil), ("x.zip", "WS9/uploads/auto/C%3A/x", "WS9"),
    ])
    func hostsComeFromNames(container: String, name: String, host: String?) {
        let triage = triage([name], container: container)
        #expect(triage.collections.count == 1)
        #expect(triage.collections.first?.origin.host == host)
    }

    @Test(arguments: [
        (#"{"Hostname": "FS02", "Fqdn": "FS02.corp.example"}"#, "FS02"), (#"{"Fqdn":"a.example"}"#, "a.example"),
        (#"{"Hostname": 5}"#, nil), (#"{"Hostname": "a\"b"}"#, nil), (#"{"Hostname": "x"#, nil), ("", nil),
        (#"{"Hostname": "../../etc"}"#, nil), (#"{"Hostname": "", "Fqdn": "b.example"}"#, "b.example"),
        (#""Hostname""#, nil),
    ])
    func theClientsOwnWordComesFirst(json: String, host: String?) {
        let names = ["uploads/auto/C%3A/x", "client_info.json"]
        let triage = triage(names, container: "x.zip", contents: ["client_info.json": json])
        #expect(triage.collections.first?.origin.host == host)
    }

    @Test func aFloodOfCandidatesIsBoundedAndSaid() {
        let deep = (0..<500).map { _ in "C" }.joined(separator: "/")
        var names = (0..<20_000).map { "h\($0)/C/x" } + [deep + "/x", String(repeating: "a/", count: 5000) + "C/$MFT"]
        #expect(triage(names).isCut)
        names.insert("WS1/C/$MFT", at: 0)
        let found = triage(names)
        #expect(found.collections.map(\.origin.host) == ["WS1"])
        #expect(found.path(of: 0) == #"C:\$MFT"#)
    }

    // Random names from the parts that layouts are made of: no trap, and only plain paths come out.
    @Test func mixedPartsNeverGiveAnythingButAPath() {
        let parts = [
            "uploads", "auto", "ntfs", "C", "C%3A", "C:", "[root]", "..", ".", "", "%5C%5C.%5CC%3A", "%2e%2E",
            "Windows",
            "System32", "live_response", "uac.log", "%", "%0", "%5C%5C", "client_info.json", "\\", "$MFT", "a\u{301}",
            "\u{301}x", "CyLR_Collection_Log_1.log", "x_CopyLog.csv", "\u{1}", "Users", "AppData",
        ]
        var seed: UInt64 = 42
        func next(_ bound: Int) -> Int {
            seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(seed >> 33) % bound
        }
        var restoredCount = 0
        for _ in 0..<400 {
            let names = (0..<12).map { _ in
                (0...next(7)).map { _ in parts[next(parts.count)] }.joined(separator: next(5) == 0 ? "\\" : "/")
            }
            let triage = triage(names, contents: ["client_info.json": #""Hostname":"H1""#])
            for (index, name) in names.enumerated() {
                guard let path = triage.path(of: index) else { continue }
                restoredCount += 1
                let bytes = Array(path.utf8)
                let components = bytes.split { $0 == 0x2F || $0 == 0x5C }
                #expect(!components.contains([0x2E, 0x2E]) || bytes[0] == 0x2F, "\(name) \(path)")
                #expect(!bytes.contains { $0 < 0x20 }, "\(name)")
                let isDrive = bytes.dropFirst().starts(with: [0x3A, 0x5C])
                #expect(bytes[0] == 0x2F || isDrive || bytes.starts(with: [0x5C, 0x5C]), "\(name) \(path)")
                #expect(triage.collection(of: index) != nil)
            }
        }
        #expect(restoredCount > 100)
    }
}
