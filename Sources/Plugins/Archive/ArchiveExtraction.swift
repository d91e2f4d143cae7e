import Pipeline

/// Takes the members of one archive out of it, one after another.
struct ArchiveExtraction {
    // How many names one issue lists.
    private static let namesShown = 20

    let sample: Sample
    let format: ArchiveFormat
    let options: ArchiveStage.Limits
    /// Members that were looked at: files, links, devices.
    private(set) var members = 0
    private var memberLimit: Int
    /// Whether a limit ended the extraction.
    private(set) var isOver = false
    // Whether all members together are no more than may be expanded, as they are declared.
    private var fits = false
    // A member failed in a way that ends the reading of the archive.
    private var isBroken = false
    private var locked: [ArchiveEntry] = []
    private var leaving: [String] = []
    // Members that others wait for, and those that wait for them.
    private var held: [Int: Bytes] = [:]
    private var waiting: [(entry: ArchiveEntry, bytes: Bytes)] = []
    private var waitingBytes = 0

    init(sample: Sample, format: ArchiveFormat, options: ArchiveStage.Limits) {
        self.sample = sample
        self.format = format
        self.options = options
        memberLimit = options.members
    }

    /// Extracts all members of a plan.
    ///
    /// - Returns: the index of the member that could not be passed; nil when the end was reached.
    /// - Throws: `StageError` when the time is over.
    mutating func extract(_ bytes: Bytes, _ plan: ArchivePlan, _ out: inout Output) throws(StageError) -> Int? {
        let handle: ArchiveHandle
        do throws(ArchiveFailure) {
            handle = try ArchiveHandle(bytes, format, passwords: options.passwords)
        } catch {
            out.note(.damaged, "the \(format.name) archive cannot be read: \(error.message)")
            return 0
        }
        fits = plan.declaredSize <= out.allowance
        memberLimit = plan.memberLimit(options)
        let needed = Set(plan.companions.values.joined())
        var position = 0
        var stopped: Int?
        var failures = 0
        while !isOver {
            try out.checkpoint()
            let entry: ArchiveEntry
            do throws(ArchiveFailure) {
                guard let next = try handle.next() else { break }
                entry = next
            } catch {
                let place = position == 0 ? "" : " behind member \(position)"
                note(error, handle, "the \(format.name) archive cannot be read\(place)", &out)
                failures += 1
                if error.isFatal || failures >= 100 {
                    stopped = position
                    break
                }
                continue
            }
            position = entry.index + 1
            if plan.isCut, entry.index >= plan.entries.count {
                limit("more than \(plan.entries.count) entries: the rest was not looked at", &out)
                break
            }
            guard entry.kind != .directory, mayTake(entry, &out) else { continue }
            guard entry.kind == .file else {
                try emit(entry, "", &out)
                continue
            }
            let content = try read(handle, entry, &out)
            if isBroken {
                try giveUp(behind: position, plan, &out)
                stopped = position
            }
            guard let content else {
                if isBroken { break }
                continue
            }
            if needed.contains(entry.index) { held[entry.index] = content }
            if plan.companions[entry.index] != nil {
                waiting.append((entry, content))
                waitingBytes += content.count
            } else {
                try hand(entry, content, plan, &out)
            }
            try releaseWaiting(plan, upTo: entry.index, &out)
            if isBroken { break }
        }
        try releaseWaiting(plan, upTo: .max, &out)
        held.removeAll()
        return stopped
    }

    /// Extracts the single member whose local header a part of a ZIP file begins with.
    ///
    /// - Parameters:
    ///   - name: Name that the child gets.
    ///   - known: What the plan knows of a member of that name.
    /// - Throws: `StageError` when the time is over.
    mutating func extractMember(
        _ bytes: Bytes, name: String, known: ArchivePlan.Original?, _ out: inout Output
    ) throws(StageError) {
        for (attempt, passwords) in ([options.passwords] + options.passwords.map { [$0] }).enumerated() {
            let handle: ArchiveHandle
            let found: ArchiveEntry?
            do throws(ArchiveFailure) {
                handle = try ArchiveHandle(bytes, .zipMember, passwords: passwords)
                found = try handle.next()
            } catch {
                out.note(.damaged, "\(name) cannot be read by its local header: \(error.message)")
                return
            }
            guard var entry = found, entry.kind == .file else { return }
            entry.name = name
            if attempt == 0 {
                guard mayTake(entry, &out) else { return }
            } else {
                locked.removeLast()
            }
            let before = locked.count
            if let content = try read(handle, entry, &out) {
                try out.extract(child(entry, content, companions: [], known))
            }
            if locked.count == before { return }
        }
    }

    /// Tries each password alone on members that did not open with all of them at hand.
    ///
    /// The check of the old ZIP encryption is one byte: a wrong password passes it now and then, and libarchive stays
    /// with it.
    ///
    /// - Throws: `StageError` when the time is over.
    mutating func openLocked(_ bytes: Bytes, _ plan: ArchivePlan, _ out: inout Output) throws(StageError) {
        if !locked.isEmpty, format.shape == .zip, options.passwords.count > 1 {
            for password in options.passwords where !locked.isEmpty && !isOver {
                let wanted = Set(locked.map(\.index))
                guard let handle = try? ArchiveHandle(bytes, format, passwords: [password]) else { break }
                while let entry = try? handle.next() {
                    try out.checkpoint()
                    guard wanted.contains(entry.index) else { continue }
                    let content = try contents(handle, limit: out.allowance, out)
                    guard content.failure == nil, !content.isCut else { continue }
                    locked.removeAll { $0.index == entry.index }
                    try hand(entry, content.bytes, plan, &out)
                }
            }
        }
    }

    /// Says which members stayed closed, and which names are suspicious.
    ///
    /// - Throws: `StageError` when the time is over.
    mutating func conclude(_ out: inout Output) throws(StageError) {
        if !leaving.isEmpty { out.report(ArchiveHeuristics.leavesFolder.reason(leaving)) }
        guard !locked.isEmpty else { return }
        for entry in locked { try emit(entry, "encrypted ", &out) }
        let names = locked.prefix(Self.namesShown).map(\.name).joined(separator: ", ")
        let more = locked.count > Self.namesShown ? ", and \(locked.count - Self.namesShown) more" : ""
        let why =
            format.shape == .zip
            ? "none of the \(options.passwords.count) passwords opens them"
            : "encrypted \(format.name) archives cannot be opened"
        out.note(.unsupported, "\(locked.count) encrypted members were not looked at (\(why)): \(names)\(more)")
        locked = []
    }

    // MARK: One member

    private mutating func mayTake(_ entry: ArchiveEntry, _ out: inout Output) -> Bool {
        if entry.leavesFolder, leaving.count < 10 { leaving.append(entry.name) }
        guard members < memberLimit, out.childrenLeft > waiting.count else {
            let most = min(memberLimit, members + out.childrenLeft)
            limit("limit of \(most) members reached: \(entry.name) and all behind it were not looked at", &out)
            return false
        }
        members += 1
        return true
    }

    // Members of a ZIP file have headers of their own and are read from there.
    private mutating func giveUp(behind position: Int, _ plan: ArchivePlan, _ out: inout Output) throws(StageError) {
        guard format.shape != .zip else { return }
        let rest = plan.entries.dropFirst(position).filter { $0.kind == .file }
        var lost = 0
        for entry in rest.prefix(memberLimit) {
            if entry.isEncrypted {
                locked.append(entry)
            } else {
                lost += 1
                try emit(entry, "unreadable ", &out)
            }
        }
        if lost > 0 { out.note(.damaged, "\(lost) members behind it cannot be read") }
    }

    private mutating func limit(_ message: String, _ out: inout Output) {
        out.note(.limit, message)
        isOver = true
    }

    // Reads a member; nil when nothing of it can be handed on.
    private mutating func read(
        _ handle: ArchiveHandle, _ entry: ArchiveEntry, _ out: inout Output
    ) throws(StageError) -> Bytes? {
        let room = out.allowance - waitingBytes
        if room <= 0, entry.size != 0 {
            limit("expansion limit reached: \(entry.name) and all behind it were not looked at", &out)
            return nil
        }
        let content = try contents(handle, limit: share(of: entry, room), out)
        if let failure = content.failure {
            isBroken = failure.isFatal
            if entry.isEncrypted {
                locked.append(entry)
                return nil
            }
            let got = content.bytes.isEmpty ? "" : "; \(content.bytes.count) bytes of it were looked at"
            out.note(.damaged, "\(entry.name) is damaged: \(failure.message)\(got)")
            if !content.bytes.isEmpty { return content.bytes }
            try emit(entry, "unreadable ", &out)
            return nil
        }
        if content.isCut {
            out.note(
                .limit, "expansion limit reached: \(entry.name) was looked at up to \(content.bytes.count) bytes")
        } else if let size = entry.size, size != content.bytes.count, format.name != "WARC" {
            out.note(.damaged, "\(entry.name) has \(content.bytes.count) bytes, its header says \(size)")
        }
        return content.bytes
    }

    // One member never takes all that is left: a bomb in front does not hide what stands behind it. Where everything
    // fits as it is declared, an honest member has its size.
    private func share(of entry: ArchiveEntry, _ room: Int) -> Int {
        guard fits, let size = entry.size, size >= 0 else { return max(room - room / 2, 0) }
        return max(min(room, max(size, room - room / 2)), 0)
    }

    private func contents(
        _ handle: ArchiveHandle, limit: Int, _ out: borrowing Output
    ) throws(StageError) -> MemberContent {
        try handle.read(
            limit: limit, into: out.byteStore, checkpoint: { () throws(StageError) in try out.checkpoint() })
    }

    private func child(
        _ entry: ArchiveEntry, _ bytes: Bytes, companions: [Companion], _ original: ArchivePlan.Original?
    ) -> Child {
        Child(
            name: entry.childName, bytes: bytes, method: format.method, times: entry.times, companions: companions,
            path: original?.path, origin: original?.origin)
    }

    private mutating func hand(
        _ entry: ArchiveEntry, _ bytes: Bytes, _ plan: ArchivePlan, _ out: inout Output
    ) throws(StageError) {
        let companions = (plan.companions[entry.index] ?? []).compactMap { index in
            held[index].map { Companion(name: plan.fileName(of: index), bytes: $0) }
        }
        try out.extract(child(entry, bytes, companions: companions, plan.original(of: entry.index)))
    }

    // Hands on the members whose companions have all been read, or cannot come any more.
    private mutating func releaseWaiting(_ plan: ArchivePlan, upTo index: Int, _ out: inout Output) throws(StageError) {
        var rest: [(entry: ArchiveEntry, bytes: Bytes)] = []
        for (entry, bytes) in waiting {
            if (plan.companions[entry.index] ?? []).allSatisfy({ $0 <= index }) {
                waitingBytes -= bytes.count
                try hand(entry, bytes, plan, &out)
            } else {
                rest.append((entry, bytes))
            }
        }
        waiting = rest
    }

    // A record for what is not extracted: links, devices, members without a password, members that cannot be read.
    private func emit(_ entry: ArchiveEntry, _ state: String, _ out: inout Output) throws(StageError) {
        try out.emit(ArchiveStage.recordType, offset: 0) { builder in
            builder.field("path", sample.path + "/" + entry.childName)
            builder.field("kind", state + entry.kind.rawValue)
            builder.field("target", entry.target)
            if let size = entry.size { builder.field("size", size) }
            builder.field("modified", entry.times.modified)
        }
    }

    private func note(_ failure: ArchiveFailure, _ handle: ArchiveHandle, _ what: String, _ out: inout Output) {
        let isLocked = handle.isEncrypted || failure.message.lowercased().contains("encrypt")
        out.note(isLocked ? .unsupported : .damaged, "\(what): \(failure.message)")
    }
}
