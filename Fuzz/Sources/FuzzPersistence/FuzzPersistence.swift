import Persistence
import Pipeline
import PipelineTesting

// The first byte chooses the stage, the rest is the sample: no crash, no hang, bounded memory.

/// Entry point of libFuzzer: one input of `count` bytes.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: start, count: count))
    guard let choice = input.first else { return 0 }
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
    return 0
}
