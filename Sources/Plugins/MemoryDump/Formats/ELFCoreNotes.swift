import Pipeline

// Notes of core files: a header of three words, a name and a description, both filled to four bytes.

extension ELFCore {
    private static let processStatus: UInt32 = 1
    private static let processInformation: UInt32 = 3
    private static let mappedFiles: UInt32 = 0x4649_4C45

    mutating func readNotes(at start: UInt64, size: UInt64, _ left: inout NoteBudget) {
        let place = Int(truncatingIfNeeded: start)
        guard left.bytes > 0, left.count > 0 else { return }
        let data = reader.available(at: start, count: min(size, left.bytes))
        left.bytes -= UInt64(data.count)
        if UInt64(data.count) < size {
            let code: ParseError.Code = left.bytes == 0 ? .limit : .truncated
            problems.append(ParseError(code, "notes: \(size) bytes, \(data.count) were read", at: place))
        }
        var offset = 0
        while data.count - offset >= 12 {
            guard left.count > 0 else {
                problems.append(
                    ParseError(.limit, "more than \(Self.noteLimit) notes; the rest was not read", at: place))
                return
            }
            left.count -= 1
            let nameSize = Int(number32(data, offset))
            let size = Int(number32(data, offset + 4))
            let type = number32(data, offset + 8)
            // All three come from 32-bit fields, so the sums stay far below 2^63.
            let content = offset + 12 + (nameSize + 3) & ~3
            guard let note = data.slice(at: content, count: size) else {
                problems.append(
                    ParseError(.truncated, "a note of \(size) bytes ends behind the notes", at: place + offset))
                return
            }
            if isLinux(data.slice(at: offset + 12, count: nameSize)) {
                switch type {
                case Self.processStatus: readStatus(note, at: place + offset)
                case Self.processInformation: readInformation(note)
                case Self.mappedFiles: readFiles(note, at: place + content)
                default: break
                }
            }
            offset = content + (size + 3) & ~3
        }
    }

    private func isLinux(_ name: Bytes?) -> Bool {
        guard let name, name.count <= 8 else { return false }
        return ["CORE", "LINUX", "FreeBSD"].contains(String(lossyNullTerminated: name.span))
    }

    // prstatus: signal information, pending and held signals (a word each), then the number of the thread.
    private mutating func readStatus(_ note: Bytes, at place: Int) {
        let id = is64 ? 32 : 24
        guard note.count >= id + 4, threads.count < Self.noteLimit else { return }
        threads.append(Thread(id: number32(note, id), signal: UInt32(number16(note, 12)), entry: place))
    }

    // prpsinfo: identities, then 16 bytes of name and 80 of arguments at its end.
    private mutating func readInformation(_ note: Bytes) {
        guard note.count >= (is64 ? 136 : 124), let name = note.slice(at: note.count - 96, count: 16),
            let arguments = note.slice(at: note.count - 80, count: 80)
        else { return }
        facts.append(("process", String(lossyNullTerminated: name.span)))
        let line = String(lossyNullTerminated: arguments.span)
        facts.append(("command_line", String(line.reversed().drop { $0 == " " }.reversed())))
        facts.append(("process_id", "\(number32(note, is64 ? 24 : 12))"))
        facts.append(("parent_process_id", "\(number32(note, is64 ? 28 : 16))"))
        facts.append(("user_id", is64 ? "\(number32(note, 16))" : "\(number16(note, 8))"))
    }

    // Count, page size, three words for each file, then the names. A file is mapped in several parts.
    private mutating func readFiles(_ note: Bytes, at place: Int) {
        let width = is64 ? 8 : 4
        let count = Int(
            min(word(note, 0), UInt64(max(note.count - 2 * width, 0) / (3 * width)), UInt64(Self.fileLimit)))
        if word(note, 0) > UInt64(count) {
            problems.append(
                ParseError(
                    count == Self.fileLimit ? .limit : .truncated,
                    "\(word(note, 0)) mapped files, \(count) were read", at: place))
        }
        var position = 2 * width + count * 3 * width
        var known: [String: Int] = [:]
        for index in 0..<count {
            let entry = 2 * width + index * 3 * width
            let start = word(note, entry)
            let end = word(note, entry + width)
            let terminator = note.span.firstOffset(of: 0, from: position) ?? note.count
            guard position <= terminator, let text = note.slice(at: position, count: min(terminator - position, 4096))
            else { return }
            position = terminator + 1
            guard end > start else { continue }
            let name = String(lossy: text.span)
            if let module = known[name] {
                let base = min(modules[module].base, start)
                let last = max(modules[module].base &+ modules[module].size, end)
                modules[module].base = base
                modules[module].size = last &- base
                continue
            }
            guard modules.count < Self.fileLimit else { return }
            known[name] = modules.count
            var module = LoadedModule()
            module.path = name
            module.base = start
            module.size = end - start
            module.entry = place + entry
            modules.append(module)
        }
    }
}
