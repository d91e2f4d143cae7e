import CArchive
import Glibc
import Pipeline

// The wrapper around libarchive: one reader over one sample, all unsafe code of this stage. libarchive is C code on
// hostile input; nothing of ours is called while one of its functions is on the stack, and it gets the sample's memory
// as it is, without copies.

/// Why libarchive stopped.
struct ArchiveFailure: Error {
    /// Its message, cleaned.
    let message: String
    /// Whether the rest of the archive cannot be read either.
    let isFatal: Bool
}

/// Content of one member.
struct MemberContent {
    /// What could be read, or may be read.
    var bytes: Bytes
    /// Why the reading stopped early; nil when all is there.
    var failure: ArchiveFailure?
    /// The limit was reached, and there is more.
    var isCut = false
}

/// An archive that is being read from its first member to its last.
@safe final class ArchiveHandle {
    private let archive: OpaquePointer?
    // The memory libarchive reads from; it must live longer than the handle.
    private let bytes: Bytes
    private let isDOS: Bool
    // Only tar has sparse files; other readers of libarchive count offsets in ways of their own.
    private let hasHoles: Bool
    private var index = 0

    /// Opens an archive.
    ///
    /// - Throws: `ArchiveFailure` when it is not of the format.
    init(_ bytes: Bytes, _ format: ArchiveFormat, passwords: [String] = []) throws(ArchiveFailure) {
        self.bytes = bytes
        isDOS = ["ZIP", "RAR", "LHA", "CAB"].contains(format.name)
        hasHoles = format.name == "TAR"
        unsafe archive = archive_read_new()
        guard let archive = unsafe archive else { throw ArchiveFailure(message: "no memory", isFatal: true) }
        for reader in format.readers { unsafe Self.enable(reader, archive) }
        // What stands behind the end mark of a tape archive is read like the rest.
        if format.name == "TAR" { unsafe archive_read_set_options(archive, "read_concatenated_archives") }
        for password in passwords { unsafe archive_read_add_passphrase(archive, password) }
        // The memory stays where it is as long as `bytes` is kept, which is longer than the handle lives.
        let status = unsafe bytes.withUnsafeBytes { buffer in
            UnicodeNames.whileSet { unsafe archive_read_open_memory(archive, buffer.baseAddress, buffer.count) }
        }
        if status < ARCHIVE_WARN { throw failure(status) }
    }

    deinit {
        // Freeing may still read, so the memory goes last.
        if let archive = unsafe archive { unsafe archive_read_free(archive) }
        extendLifetime(bytes)
    }

    /// Moves to the next member.
    ///
    /// - Returns: nil at the end.
    /// - Throws: `ArchiveFailure`; when it is not fatal, the next call goes on behind the member.
    func next() throws(ArchiveFailure) -> ArchiveEntry? {
        var entry: OpaquePointer?
        let status = UnicodeNames.whileSet { unsafe archive_read_next_header(archive, &entry) }
        if status == ARCHIVE_EOF { return nil }
        if status == ARCHIVE_RETRY { throw failure(ARCHIVE_FAILED) }
        guard status >= ARCHIVE_WARN, let entry = unsafe entry else { throw failure(status) }
        defer { index += 1 }
        return UnicodeNames.whileSet { unsafe describe(entry) }
    }

    /// Reads the content of the member that `next` gave last.
    ///
    /// Stored content is a slice of the sample; what is inflated goes to the store.
    ///
    /// - Parameter limit: Most bytes that may come out.
    /// - Throws: `StageError` when the time is over or the store is full.
    func read(
        limit: Int, into store: ByteStore, checkpoint: () throws(StageError) -> Void
    ) throws(StageError) -> MemberContent {
        var stored: (start: Int, count: Int)? = (0, 0)
        var writer = store.makeWriter()
        var content = MemberContent(bytes: .empty)
        var total = 0
        do {
            while true {
                try checkpoint()
                let block = nextBlock()
                let isEnd = block.status == ARCHIVE_EOF
                if block.status < ARCHIVE_WARN {
                    content.failure = failure(block.status)
                    break
                }
                // A hole before the block is zeros, and so is one at the end of a sparse file.
                let (hole, overflow) = (hasHoles ? block.offset : total).subtractingReportingOverflow(total)
                if isEnd && (overflow || hole <= 0) { break }
                if overflow || hole < 0 {
                    content.failure = ArchiveFailure(message: "its blocks overlap", isFatal: false)
                    break
                }
                let zeros = min(hole, limit - total)
                if hole > 0 {
                    try spill(&stored, &writer)
                    try appendZeros(zeros, &writer)
                }
                let taken = isEnd ? 0 : min(block.count, limit - total - zeros)
                try unsafe take(block.start, block.pointer, taken, &stored, &writer)
                total += zeros + taken
                content.isCut = zeros < hole || !isEnd && taken < block.count
                if isEnd || content.isCut { break }
                // libarchive warns of a wrong checksum with the last block.
                if block.status != ARCHIVE_OK, content.failure == nil { content.failure = failure(block.status) }
            }
            if let stored, let slice = bytes.slice(at: stored.start, count: stored.count) {
                content.bytes = slice
            } else {
                content.bytes = try writer.finish()
            }
        } catch let error as SystemError {
            throw StageError(.failed, "\(error)")
        } catch let error as StageError {
            throw error
        } catch {
            throw StageError(.failed, "\(error)")
        }
        return content
    }

    /// Whether the archive, not only a member, says that it is encrypted.
    var isEncrypted: Bool { unsafe archive_read_has_encrypted_entries(archive) > 0 }

    /// Compressed bytes that were read so far.
    var consumed: Int { Int(clamping: unsafe archive_filter_bytes(archive, -1)) }

    // MARK: Blocks

    @safe private struct Block {
        var status: Int32
        var pointer: UnsafeRawPointer?
        var count = 0
        var offset = 0
        // Where the block lies in the sample, if it does.
        var start: Int?
    }

    private func nextBlock() -> Block {
        var pointer: UnsafeRawPointer?
        var count = 0
        var offset: Int64 = 0
        let status = UnicodeNames.whileSet {
            unsafe archive_read_data_block(archive, &pointer, &count, &offset)
        }
        var block = unsafe Block(status: status, pointer: pointer, count: count, offset: Int(offset))
        if let pointer = unsafe pointer {
            block.start = unsafe bytes.withUnsafeBytes { whole in
                guard let base = whole.baseAddress, unsafe pointer >= base,
                    unsafe pointer + count <= base + whole.count
                else { return nil }
                return unsafe pointer - base
            }
        }
        return block
    }

    private func take(
        _ start: Int?, _ pointer: UnsafeRawPointer?, _ count: Int, _ stored: inout (start: Int, count: Int)?,
        _ writer: inout ByteWriter
    ) throws(SystemError) {
        guard count > 0, let pointer = unsafe pointer else { return }
        if let run = stored, let start, run.count == 0 || run.start + run.count == start {
            stored = (run.count == 0 ? start : run.start, run.count + count)
            return
        }
        try spill(&stored, &writer)
        try unsafe writer.append(RawSpan(_unsafeStart: pointer, byteCount: count))
    }

    // The content is no slice of the sample after all: what was taken as one is copied.
    private func spill(_ stored: inout (start: Int, count: Int)?, _ writer: inout ByteWriter) throws(SystemError) {
        guard let run = stored else { return }
        stored = nil
        if let slice = bytes.slice(at: run.start, count: run.count) { try writer.append(slice.span) }
    }

    private func appendZeros(_ count: Int, _ writer: inout ByteWriter) throws(SystemError) {
        let zeros = [UInt8](repeating: 0, count: min(count, 1 << 20))
        var left = count
        while left > 0 {
            let part = min(left, zeros.count)
            try writer.append(zeros.rawSpan.prefix(part))
            left -= part
        }
    }

    // MARK: Headers

    private func describe(_ entry: OpaquePointer) -> ArchiveEntry {
        let target = unsafe text(archive_entry_symlink(entry))
        let hardLink = unsafe text(archive_entry_hardlink(entry))
        let kind: ArchiveEntry.Kind =
            if hardLink != nil {
                .hardLink
            } else {
                switch unsafe archive_entry_filetype(entry) & S_IFMT {
                case S_IFDIR: .directory
                case S_IFLNK: .symbolicLink
                case S_IFCHR, S_IFBLK: .device
                case S_IFIFO, S_IFSOCK: .channel
                default: .file
                }
            }
        var times = FileTimes()
        if unsafe archive_entry_mtime_is_set(entry) != 0 {
            times.modified = unsafe Self.time(archive_entry_mtime(entry), archive_entry_mtime_nsec(entry))
        }
        if unsafe archive_entry_atime_is_set(entry) != 0 {
            times.accessed = unsafe Self.time(archive_entry_atime(entry), archive_entry_atime_nsec(entry))
        }
        if unsafe archive_entry_ctime_is_set(entry) != 0 {
            times.changed = unsafe Self.time(archive_entry_ctime(entry), archive_entry_ctime_nsec(entry))
        }
        if unsafe archive_entry_birthtime_is_set(entry) != 0 {
            times.created = unsafe Self.time(archive_entry_birthtime(entry), archive_entry_birthtime_nsec(entry))
        }
        return unsafe ArchiveEntry(
            index: index, name: text(archive_entry_pathname(entry)) ?? "", kind: kind,
            size: archive_entry_size_is_set(entry) != 0 ? Int(archive_entry_size(entry)) : nil, times: times,
            target: hardLink ?? target, isEncrypted: archive_entry_is_encrypted(entry) != 0)
    }

    // Names are bounded: a header may hold a megabyte of path.
    private func text(_ pointer: UnsafePointer<CChar>?) -> String? {
        guard let pointer = unsafe pointer else { return nil }
        let count = unsafe strnlen(pointer, 4096)
        return unsafe memberName(RawSpan(_unsafeStart: pointer, byteCount: count), isDOS: isDOS)
    }

    private static func time(_ seconds: time_t, _ nanoseconds: Int) -> Timestamp {
        Timestamp(seconds: Int64(seconds), nanoseconds: UInt32(clamping: nanoseconds))
    }

    private func failure(_ status: Int32) -> ArchiveFailure {
        let message = unsafe archive_error_string(archive).map { unsafe String(cString: $0) } ?? "damaged"
        return ArchiveFailure(message: String(message.prefix(200)), isFatal: status <= ARCHIVE_FATAL)
    }

    private static func enable(_ reader: ArchiveFormat.Reader, _ archive: OpaquePointer) {
        switch reader {
        case .zip: unsafe archive_read_support_format_zip_seekable(archive)
        case .zipStream: unsafe archive_read_support_format_zip_streamable(archive)
        case .sevenZip: unsafe archive_read_support_format_7zip(archive)
        case .rar: unsafe archive_read_support_format_rar(archive)
        case .rar5: unsafe archive_read_support_format_rar5(archive)
        case .tar: unsafe archive_read_support_format_tar(archive)
        case .cab: unsafe archive_read_support_format_cab(archive)
        case .iso: unsafe archive_read_support_format_iso9660(archive)
        case .cpio: unsafe archive_read_support_format_cpio(archive)
        case .ar: unsafe archive_read_support_format_ar(archive)
        case .lha: unsafe archive_read_support_format_lha(archive)
        case .xar: unsafe archive_read_support_format_xar(archive)
        case .warc: unsafe archive_read_support_format_warc(archive)
        case .raw: unsafe archive_read_support_format_raw(archive)
        case .bzip2: unsafe archive_read_support_filter_bzip2(archive)
        case .compress: unsafe archive_read_support_filter_compress(archive)
        case .gzip: unsafe archive_read_support_filter_gzip(archive)
        case .lz4: unsafe archive_read_support_filter_lz4(archive)
        case .lzip: unsafe archive_read_support_filter_lzip(archive)
        case .lzma: unsafe archive_read_support_filter_lzma(archive)
        case .rpm: unsafe archive_read_support_filter_rpm(archive)
        case .xz: unsafe archive_read_support_filter_xz(archive)
        case .zstd: unsafe archive_read_support_filter_zstd(archive)
        }
    }
}

/// libarchive converts Unicode names to the thread's character set, which has to be UTF-8 while it works.
///
/// A locale object never changes after it was made, which is why it may cross threads although it is a raw pointer.
@safe private struct UnicodeNames: @unchecked Sendable {
    private static let shared = UnicodeNames()
    private let locale: locale_t?

    private init() { unsafe locale = newlocale(1 << LC_CTYPE, "C.UTF-8", nil) }

    static func whileSet<R>(_ body: () -> R) -> R {
        // libarchive takes a name that it cannot convert for a lack of memory, and ends the process, when `errno` is
        // still ENOMEM from some earlier call on this thread (archive_entry.c: archive_entry_pathname and others).
        errno = 0
        guard let locale = unsafe shared.locale else { return body() }
        let before = unsafe uselocale(locale)
        defer { unsafe _ = uselocale(before) }
        return body()
    }
}
