import Pipeline

/// Notices that files below some folders have changed, and that they have stopped changing.
///
/// It looks every two seconds: that works on network file systems too, which tell nobody of changes, and costs a few
/// milliseconds for thousands of files.
struct FolderWatch: Sendable {
    private let folders: [String]
    private let interval: Duration

    init(_ folders: [String], interval: Duration = .seconds(2)) {
        self.folders = folders
        self.interval = interval
    }

    /// Calls `onChange` after each change, once two looks in a row found the same; until the task is cancelled.
    func run(onChange: @Sendable () async -> Void) async {
        var used = look()
        var last = used
        while (try? await Task.sleep(for: interval)) != nil {
            let now = look()
            if now != used, now == last {
                used = now
                await onChange()
            }
            last = now
        }
    }

    // Paths, sizes and times of all files, or why they cannot be listed.
    private func look() -> [String] {
        folders.flatMap { folder in
            do {
                return try DirectoryWalk(folder, followsLinks: true).files.map { file in
                    "\(file.path) \(file.size) \(file.modified.seconds).\(file.modified.nanoseconds)"
                }
            } catch {
                return ["\(error)"]
            }
        }
    }
}
