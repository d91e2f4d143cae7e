extension Sample {
    /// Name of what is inside a compressed file, from the file's own: `log.1.gz` holds `log.1`, `a.tbz2` holds `a.tar`.
    ///
    /// `content` when the name does not tell.
    public var uncompressedName: String {
        let lower = name.lowercased()
        for (suffix, replacement) in compressedSuffixes where lower.hasSuffix(suffix) && lower != suffix {
            return name.dropLast(suffix.count) + replacement
        }
        return "content"
    }
}

private let compressedSuffixes = [
    (".tgz", ".tar"), (".txz", ".tar"), (".tlz", ".tar"), (".tbz2", ".tar"), (".tbz", ".tar"), (".tzst", ".tar"),
    (".taz", ".tar"), (".svgz", ".svg"), (".emz", ".emf"), (".gz", ""), (".xz", ""), (".lzma", ""), (".zlib", ""),
    (".bz2", ""), (".bz", ""), (".zst", ""), (".lz4", ""), (".lz", ""), (".z", ""),
]
