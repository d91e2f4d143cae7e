import Glibc

/// Names in an open directory, without `.` and `..`; bytes that are no UTF-8 are replaced.
///
/// An entry takes as much memory as its name needs. Swift's `dirent` is larger: whoever copies the value, or its name,
/// reads beyond the last entry, and beyond the end of the heap when that is there.
func directoryNames(_ stream: OpaquePointer) -> [String] {
    let offset = MemoryLayout<dirent>.offset(of: \.d_name) ?? 0
    var names: [String] = []
    while let entry = unsafe readdir(stream) {
        let name = unsafe String(
            cString: (UnsafeRawPointer(entry) + offset).assumingMemoryBound(to: CChar.self))
        if name != ".", name != ".." { names.append(name) }
    }
    return names
}
