import FuzzSupport
import Persistence
import Pipeline
import PipelineTesting

// The first byte chooses the stage, the rest is the sample: no crash, no hang, bounded memory.

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

private func run(_ input: [UInt8]) {
    guard let choice = input.first else { return }
    let bytes = Bytes(Array(input.dropFirst()))
    switch choice % 8 {
    case 0: _ = scan(ScheduledTaskStage(), bytes, path: "Task", kind: "Windows Task XML")
    case 1: _ = scan(AtJobStage(), bytes, path: "At1.job", kind: "Windows At Job")
    case 2: _ = scan(CronStage(), bytes, path: "etc/crontab", kind: "Text")
    case 3: _ = scan(CronStage(), bytes, path: "var/spool/cron/root", kind: "Text")
    case 4: _ = scan(AuthorizedKeysStage(), bytes, path: "root/.ssh/authorized_keys", kind: "Text")
    case 5: _ = scan(GroupsXMLStage(), bytes, path: "Groups.xml", kind: "XML")
    case 6: _ = scan(TomcatUsersStage(), bytes, path: "tomcat-users.xml", kind: "XML")
    default: _ = scan(HostsFileStage(), bytes, path: "etc/hosts", kind: "Text")
    }
}

private func seeds() -> [[UInt8]] {
    let texts: [(choice: UInt8, text: String)] = [
        (0, TaskSample.text), (2, CrontabSample.text), (3, "@daily /usr/bin/backup\n1 2 3 4 5 a b\n"),
        (4, AuthorizedKeysSample.text), (5, GroupsSample.text), (6, TomcatSample.text), (7, HostsSample.text),
    ]
    return [[0] + TaskSample.wide, [1] + JobBuilder().bytes] + texts.map { [$0.choice] + Array($0.text.utf8) }
}
