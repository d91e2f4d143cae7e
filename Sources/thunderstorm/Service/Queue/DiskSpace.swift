import Glibc

/// Bytes that a user may still write to the disk of a path; nil when the system does not say.
func freeDiskSpace(at path: String) -> Int? {
    var info = statvfs()
    guard unsafe statvfs(path, &info) == 0 else { return nil }
    let (bytes, overflow) = UInt64(info.f_bavail).multipliedReportingOverflow(by: UInt64(info.f_frsize))
    return overflow ? Int.max : Int(clamping: bytes)
}
