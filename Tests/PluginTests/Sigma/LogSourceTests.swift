import Foundation
import Pipeline
import PipelineTesting
import Testing

@testable import Sigma

@Suite("Logsources")
struct LogSourceTests {
    private static let sysmon = "Microsoft-Windows-Sysmon"

    private func process(_ detection: String) throws -> Loaded {
        try load(rule(detection, logsource: "{product: windows, category: process_creation}"))
    }

    // Koifman/LUMEN#37: an event id means something in its own channel only.
    @Test func anEventOfAnotherChannelIsAnotherEvent() throws {
        let loaded = try load(
            rule(
                "selection:\n  EventID: 1009\ncondition: selection",
                logsource: "{product: windows, service: windefend}"))
        let defender = "Microsoft-Windows-Windows Defender"
        #expect(loaded.fires(["Provider_Name": defender, "EventID": "1009", "Channel": defender + "/Operational"]))
        #expect(!loaded.fires(["Provider_Name": "Disk", "EventID": "1009", "Channel": "System"]))
        #expect(!loaded.fires(["Provider_Name": defender, "EventID": "1009", "Channel": "Application"]))
        #expect(!loaded.fires(["Provider_Name": "Other", "EventID": "1009", "Channel": defender + "/Operational"]))
        #expect(!loaded.fires(["Provider_Name": defender, "EventID": "1009"]))
    }

    // Koifman/LUMEN#31: networks in a filter.
    @Test func aFilterWithNetworksHoldsBack() throws {
        let loaded = try load(
            rule(
                """
                selection:
                  Initiated: 'true'
                filter:
                  DestinationIp|cidr: ['10.0.0.0/8', '192.168.0.0/16', '::1/128']
                condition: selection and not filter
                """, logsource: "{product: windows, category: network_connection}"))
        func connection(_ address: String) -> Bool {
            loaded.fires([
                "Provider_Name": Self.sysmon, "EventID": "3", "Channel": Self.sysmon + "/Operational",
                "Initiated": "true", "DestinationIp": address,
            ])
        }
        #expect(connection("8.8.8.8"))
        #expect(connection("2001:db8::1"))
        #expect(!connection("10.99.3.4"))
        #expect(!connection("192.168.0.1"))
        #expect(!connection("0:0:0:0:0:0:0:1"))
    }

    @Test func processesStartInSysmonAndSecurity() throws {
        let loaded = try process(
            "selection:\n  Image|endswith: '\\cmd.exe'\n  ParentImage|endswith: '\\winword.exe'\ncondition: selection")
        #expect(
            loaded.fires([
                "Provider_Name": Self.sysmon, "EventID": "1", "Channel": Self.sysmon + "/Operational",
                "Image": "C:\\Windows\\System32\\cmd.exe", "ParentImage": "C:\\Office\\WINWORD.EXE",
            ]))
        #expect(
            loaded.fires([
                "Provider_Name": "Microsoft-Windows-Security-Auditing", "EventID": "4688", "Channel": "Security",
                "NewProcessName": "C:\\Windows\\System32\\cmd.exe", "ParentProcessName": "C:\\Office\\WINWORD.EXE",
            ]))
        // The same fields in another event are no process start.
        #expect(
            !loaded.fires([
                "Provider_Name": Self.sysmon, "EventID": "10", "Channel": Self.sysmon + "/Operational",
                "Image": "C:\\Windows\\System32\\cmd.exe", "ParentImage": "C:\\Office\\WINWORD.EXE",
            ]))
        #expect(
            !loaded.fires([
                "Provider_Name": "Microsoft-Windows-Security-Auditing", "EventID": "4689", "Channel": "Security",
                "NewProcessName": "C:\\Windows\\System32\\cmd.exe", "ParentProcessName": "C:\\Office\\WINWORD.EXE",
            ]))
    }

    @Test func commandsAreProcessesToCome() throws {
        let loaded = try process(
            "selection:\n  Image|endswith: '\\powershell.exe'\n  CommandLine|contains: '-enc'\ncondition: selection")
        let task = RecordType("scheduled task", module: "ScheduledTasks", lists: ["commands"])
        #expect(loaded.fires(["name": "x", "commands": "powershell -enc AAAA"], type: task))
        #expect(loaded.fires(["commands": "\"C:\\Windows\\powershell.exe\" -enc AAAA"], type: task))
        #expect(!loaded.fires(["commands": "notpowershell -enc AAAA"], type: task))
        #expect(!loaded.fires(["commands": "calc.exe -enc AAAA"], type: task))
        let cached = RecordType("registry scheduled task", module: "ScheduledTasks", lists: ["commands"])
        #expect(loaded.fires(["guid": "{1}", "commands": "powershell.exe -enc AAAA"], type: cached))
        let job = RecordType("at job", module: "AtJobs")
        #expect(loaded.fires(["command": "powershell -enc AAAA"], type: job))
        let link = RecordType("link info", module: "LNK")
        let target = "C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe"
        #expect(loaded.fires(["target": target, "command_line": "\"\(target)\" -enc AAAA"], type: link))
        #expect(!loaded.fires(["target": "C:\\a.exe", "command_line": "a.exe -enc AAAA"], type: link))
        let linux = try load(
            rule(
                "selection:\n  Image|endswith: '/curl'\ncondition: selection",
                logsource: "{product: linux, category: process_creation}"))
        let cron = RecordType("cron job", module: "Cron")
        #expect(linux.fires(["user": "root", "command": "/usr/bin/curl http://x"], type: cron))
        #expect(linux.fires(["user": "root", "command": "curl http://x"], type: cron))
        #expect(!linux.fires(["user": "root", "command": "wget curl"], type: cron))
    }

    @Test func whatAnEventMustHaveIsChecked() throws {
        let loaded = try load(
            rule(
                "selection:\n  TargetObject|contains: Run\ncondition: selection",
                logsource: "{product: windows, category: registry_delete}"))
        func event(_ type: String) -> Bool {
            loaded.fires([
                "Provider_Name": Self.sysmon, "EventID": "12", "Channel": Self.sysmon + "/Operational",
                "EventType": type, "TargetObject": "HKLM\\Software\\Run",
            ])
        }
        #expect(event("DeleteKey"))
        #expect(event("DeleteValue"))
        #expect(!event("CreateKey"))
    }

    // The hive stage writes `TargetObject` and `Details` as Sysmon does; HiveSigmaTests shows it on hives.
    @Test(arguments: ["registry_set", "registry_event"])
    func registryRulesLookAtHives(_ category: String) throws {
        let loaded = try load(
            rule(
                "selection:\n  TargetObject|contains: '\\CurrentVersion\\Run\\'\n  Details|endswith: .scr\ncondition: selection",
                logsource: "{product: windows, category: \(category)}"))
        func value(_ target: String, type: RecordType = .registryValue) -> Bool {
            loaded.fires(
                ["key": "\\x", "value": "C:\\a.scr", "TargetObject": target, "Details": "C:\\a.scr"], type: type)
        }
        let run = "HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Run\\x"
        #expect(value(run))
        #expect(!value("HKLM\\SOFTWARE\\Other"))
        #expect(!value(run, type: .event))
    }

    @Test(arguments: ["registry_add", "registry_delete", "registry_rename"])
    func aHiveHasNoEventsOfChange(_ category: String) throws {
        let loaded = try load(
            rule(
                "selection:\n  TargetObject|contains: Run\ncondition: selection",
                logsource: "{product: windows, category: \(category)}"))
        #expect(!loaded.fires(["TargetObject": "HKLM\\Run"], type: .registryValue))
    }

    @Test func anyRecordTypeCanBeNamed() throws {
        let loaded = try load(
            rule(
                "selection:\n  COMMAND|contains: evil\ncondition: selection",
                logsource: "{product: THOR, service: at job}"))
        #expect(loaded.fires(["command": "run evil"], type: RecordType("at job", module: "AtJobs")))
        #expect(!loaded.fires(["command": "run evil"], type: RecordType("cron job", module: "Cron")))
    }

    @Test func textLogsAreChosenByPath() throws {
        let loaded = try load(
            rule("keywords: [Accepted password]\ncondition: keywords", logsource: "{product: linux, service: auth}"))
        let line: KeyValuePairs = ["line_index": "1", "line": "sshd[1]: Accepted password for root"]
        #expect(loaded.fires(line, type: .line, path: "/var/log/auth.log"))
        #expect(loaded.fires(line, type: .line, path: "C:\\triage\\var\\log\\AUTH.LOG.1"))
        #expect(!loaded.fires(line, type: .line, path: "/var/log/other"))
    }

    @Test func requestsHaveFields() throws {
        let loaded = try load(
            rule(
                "selection:\n  cs-method: GET\n  cs-uri-query|contains: '/etc/passwd'\n  sc-status: 200\ncondition: selection",
                title: "web", logsource: "{category: webserver}"),
            rule(
                "selection:\n  c-useragent|contains: Hydra\n  cs-host: evil.example\ncondition: selection",
                title: "proxy", logsource: "{category: proxy}"))
        func line(_ text: String, _ index: Int) -> RecordSubject { record(["line": text], type: .line, index: index) }
        let titles = loaded.titles([
            line(
                #"10.0.0.1 - bob [10/Oct/2023:13:55:36 -0700] "GET /a?f=/etc/passwd HTTP/1.1" 200 23 "-" "curl/8""#, 0),
            line(
                #"10.0.0.1 - bob [10/Oct/2023:13:55:36 -0700] "GET /a?f=/etc/passwd HTTP/1.1" 404 23 "-" "curl/8""#, 1),
            line(
                #"10.0.0.1 - - [10/Oct/2023:13:55:36 -0700] "GET http://evil.example/x HTTP/1.1" 200 5 "-" "Hydra""#, 2),
            line(
                #"10.0.0.1 - - [10/Oct/2023:13:55:36 -0700] "GET /x HTTP/1.1" 200 5 "http://evil.example" "Hydra""#, 3),
            line("GET /etc/passwd 200", 4),
            line("#Fields: date time cs-method cs-uri-stem cs-uri-query sc-status", 5),
            line("2023-10-10 13:55:36 GET /a f=/etc/passwd 200", 6),
            line("2023-10-10 13:55:36 GET /a f=/etc/passwd 500", 7),
        ])
        #expect(titles == [["web"], [], ["proxy"], [], [], [], ["web"], []])
    }

    @Test func auditLinesHaveFields() throws {
        let loaded = try load(
            rule(
                "selection:\n  type: EXECVE\n  a0: chmod\n  a1|startswith: '+'\ncondition: selection",
                logsource: "{product: linux, service: auditd}"))
        #expect(
            loaded.fires(
                ["line": #"type=EXECVE msg=audit(1364481363.243:24287): argc=3 a0="chmod" a1="+s" a2="/tmp/x""#],
                type: .line, path: "/var/log/audit/audit.log"))
        #expect(!loaded.fires(["line": #"type=SYSCALL msg=audit(1.2:3): a0="chmod" a1="+s""#], type: .line))
    }

    // Grouped events: fields of all their lines, and their arguments as a command line.
    @Test func auditEventsHaveFields() throws {
        let loaded = try load(
            rule(
                "selection:\n  type: EXECVE\n  a0: chmod\n  a1|startswith: '+'\ncondition: selection", title: "audit",
                logsource: "{product: linux, service: auditd}"),
            rule(
                "selection:\n  Image|endswith: '/chmod'\n  CommandLine|contains: ' /dev/shm/'\ncondition: selection",
                title: "process", logsource: "{product: linux, category: process_creation}"))
        let type = RecordType("audit log entry", module: "Auditlog", container: "entry", lists: ["type"])
        let entry: KeyValuePairs = [
            "id": "801", "type": "SYSCALL", "a0": "55d0", "exe": "/usr/bin/chmod", "type": "EXECVE", "a0": "chmod",
            "a1": "+x", "a2": "/dev/shm/k", "command_line": "chmod +x /dev/shm/k",
        ]
        #expect(loaded.titles([record(entry, type: type, index: 0)]).map { $0.sorted() } == [["audit", "process"]])
        let other: KeyValuePairs = [
            "type": "SYSCALL", "a0": "chmod", "exe": "/usr/bin/chmod", "command_line": "chmod +x /dev/shm/k",
        ]
        #expect(loaded.titles([record(other, type: type, index: 0)]) == [[]])
    }

    @Test func aFolderCanChangeTheMapping() throws {
        let loaded = try load(
            rule("selection:\n  F: x\ncondition: selection", logsource: "{product: mine, service: own}"),
            """
            mapping:
              - logsource: {product: mine, service: own}
                records: [{type: log line, path: ['own-*'], fields: {F: line}}]
            """)
        #expect(loaded.fires(["line": "x"], type: .line, path: "/logs/own-1"))
        #expect(!loaded.fires(["line": "x"], type: .line, path: "/logs/other"))
        let off = try load(
            rule("selection:\n  F: x\ncondition: selection"),
            "mapping:\n  - {logsource: {product: windows}, records: []}")
        #expect(!off.fires(["F": "x"]))
        #expect(off.diagnostics.problems.contains { $0.message.contains("windows (1)") && !$0.isRejected })
    }

    @Test func theShippedMappingIsTheBuiltInOne() throws {
        let path = Shared.packageRoot + "/rules/sigma/mapping.yml"
        let text = try #require(FileManager.default.contents(atPath: path)).split(separator: UInt8(ascii: "\n"))
        let shipped = text.drop { $0.first == UInt8(ascii: "#") }.map { String(decoding: $0, as: UTF8.self) }
        #expect(shipped == standardMapping.split(separator: "\n").map(String.init))
        #expect(LogSourceMap.standard.count > 90)
    }

    @Test func aServiceNarrowsACategory() {
        let map = LogSourceMap.standard
        let both = map.sources(of: LogSource(product: "windows", category: "process_creation", service: "sysmon"))
        #expect(both.map(\.events) == [["1"]])
        #expect(map.sources(of: LogSource(product: "windows", service: "no-such-service")).isEmpty)
        #expect(map.sources(of: LogSource(category: "process_creation")).count > 2)
    }
}
