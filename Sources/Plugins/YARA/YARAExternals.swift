import CYARA
import Pipeline

/// The external variables that rules may use, all of them always defined with one type each (REFERENCE C.5).
///
/// A rule that uses `filename` does not compile where `filename` is unknown, and a scanner keeps the values of its
/// last scan: so every name is defined in every compiler, and every value is set before every scan.
public struct YARAExternals: Sendable, Equatable {
    /// Name without directories.
    public var filename = ""
    /// Directory without a separator at its end.
    public var filepath = ""
    /// Lower-case extension with dot.
    public var fileExtension = ""
    /// Type by content, as the magic list names it.
    public var filetype = ""
    /// Owner of the file.
    public var owner = ""
    /// Group of the file.
    public var group = ""
    /// Permissions in words.
    public var permissions = ""
    /// Permission bits.
    public var filemode = 0
    /// Days since the last change; NaN if unknown, which no comparison is true for.
    public var age = Double.nan
    /// Operating system version.
    public var osversion = 0
    /// Time zone of the system.
    public var timezone = ""
    /// Language of the system.
    public var language = ""
    /// How the file was unpacked last (`ZIP`).
    public var unpackParent = ""
    /// All steps of unpacking, joined with `>`.
    public var unpackSource = ""
    /// MD5 of the content; empty when no rule asks for it.
    public var md5 = ""

    /// Values of an unknown file.
    public init() {}

    /// Values of a sample.
    ///
    /// - Parameters:
    ///   - withMD5: Whether a rule uses the digest; it is computed only then.
    ///   - now: What `age` is counted from.
    public init(_ sample: Sample, withMD5: Bool, now: Timestamp) {
        filename = sample.name
        filepath = sample.directory
        fileExtension = sample.fileExtension
        filetype = sample.kind.name
        unpackParent = sample.unpackParent
        unpackSource = sample.unpackSource.joined(separator: ">")
        if let changed = sample.times.modified ?? sample.times.created {
            age = Double(now.seconds &- changed.seconds) / 86_400
        }
        if withMD5 { md5 = sample.digests.md5 }
    }

    private var texts: [(name: String, value: String)] {
        [
            ("filename", filename), ("filepath", filepath), ("extension", fileExtension), ("filetype", filetype),
            ("owner", owner), ("group", group), ("permissions", permissions), ("timezone", timezone),
            ("language", language), ("unpack_parent", unpackParent), ("unpack_source", unpackSource), ("md5", md5),
        ]
    }

    private var numbers: [(name: String, value: Int)] { [("filemode", filemode), ("osversion", osversion)] }

    @unsafe func define(in compiler: UnsafeMutablePointer<YR_COMPILER>) {
        for (name, value) in texts { unsafe yr_compiler_define_string_variable(compiler, name, value) }
        for (name, value) in numbers { unsafe yr_compiler_define_integer_variable(compiler, name, Int64(value)) }
        unsafe yr_compiler_define_float_variable(compiler, "age", age)
    }

    @unsafe func set(in scanner: UnsafeMutablePointer<YR_SCANNER>) {
        for (name, value) in texts { unsafe yr_scanner_define_string_variable(scanner, name, value) }
        for (name, value) in numbers { unsafe yr_scanner_define_integer_variable(scanner, name, Int64(value)) }
        unsafe yr_scanner_define_float_variable(scanner, "age", age)
    }
}
