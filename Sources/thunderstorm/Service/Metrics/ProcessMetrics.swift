import Glibc

/// What the system says about this process; nil where it does not.
struct ProcessMetrics {
    /// Bytes of memory in use.
    var residentBytes: Int?
    /// Open descriptors.
    var openDescriptors: Int?

    init() {
        // Second number of /proc/self/statm: resident pages.
        if let file = unsafe fopen("/proc/self/statm", "r") {
            defer { unsafe fclose(file) }
            var buffer = [CChar](repeating: 0, count: 256)
            if unsafe fgets(&buffer, 255, file) != nil {
                let text = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
                let numbers = text.split(separator: " ")
                if numbers.count > 1, let pages = Int(numbers[1]) { residentBytes = pages * Int(getpagesize()) }
            }
        }
        if let directory = unsafe opendir("/proc/self/fd") {
            defer { unsafe closedir(directory) }
            // Without `.`, `..` and the directory itself.
            var count = -3
            while unsafe readdir(directory) != nil { count += 1 }
            openDescriptors = max(count, 0)
        }
    }
}
