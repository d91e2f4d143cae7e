import CArchive
import Glibc

/// Writes archives of many formats with libarchive, for tests.
enum ArchiveWriter {
    struct Failure: Error {
        let message: String
    }

    /// An archive of files.
    ///
    /// - Parameters:
    ///   - format: Name of the format as libarchive knows it (`zip`, `7zip`, `pax`).
    ///   - filter: Name of the compression around it.
    ///   - options: Options in libarchive's syntax (`zip:encryption=aes256`).
    static func archive(
        _ files: [(name: String, content: [UInt8])], format: String, filter: String = "none", options: String? = nil,
        password: String? = nil
    ) throws -> [UInt8] {
        let archive = unsafe archive_write_new()
        defer { unsafe archive_write_free(archive) }
        func check(_ status: Int32) throws {
            guard status < ARCHIVE_WARN else { return }
            throw Failure(message: unsafe archive_error_string(archive).map { unsafe String(cString: $0) } ?? "?")
        }
        try check(unsafe archive_write_set_format_by_name(archive, format))
        if filter != "none" { try check(unsafe archive_write_add_filter_by_name(archive, filter)) }
        if let options { try check(unsafe archive_write_set_options(archive, options)) }
        if let password { try check(unsafe archive_write_set_passphrase(archive, password)) }
        unsafe archive_write_set_bytes_in_last_block(archive, 1)
        let size = files.reduce(4 << 20) { $0 + $1.content.count * 2 + 1024 }
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 16)
        defer { unsafe memory.deallocate() }
        var used = 0
        try unsafe withUnsafeMutablePointer(to: &used) { used in
            try check(unsafe archive_write_open_memory(archive, memory.baseAddress, memory.count, used))
            for (name, content) in files {
                let entry = unsafe archive_entry_new()
                defer { unsafe archive_entry_free(entry) }
                unsafe archive_entry_set_pathname(entry, name)
                unsafe archive_entry_set_size(entry, Int64(content.count))
                unsafe archive_entry_set_filetype(entry, 0o100000)
                unsafe archive_entry_set_perm(entry, 0o644)
                unsafe archive_entry_set_mtime(entry, 1_700_000_000, 0)
                try check(unsafe archive_write_header(archive, entry))
                unsafe content.withUnsafeBytes { buffer in
                    unsafe _ = archive_write_data(archive, buffer.baseAddress, buffer.count)
                }
            }
            try check(unsafe archive_write_close(archive))
        }
        return unsafe Array(memory[..<used])
    }
}
