// Dumps made up in code. Nothing here knows the parser's structures: each table is written down again, field by field,
// so that a wrong offset in the parser shows.

/// Appends numbers and texts to a growing file.
struct Writer {
    var bytes: [UInt8] = []
    var isBigEndian = false

    var count: Int { bytes.count }

    mutating func number(_ value: UInt64, _ width: Int) {
        let little = (0..<width).map { UInt8(truncatingIfNeeded: value >> UInt64($0 * 8)) }
        bytes += isBigEndian ? little.reversed() : little
    }

    mutating func u16(_ value: Int) { number(UInt64(value), 2) }
    mutating func u32(_ value: Int) { number(UInt64(value), 4) }
    mutating func u64(_ value: UInt64) { number(value, 8) }
    mutating func text(_ text: String) { bytes += Array(text.utf8) }
    mutating func zeros(_ count: Int) { bytes += [UInt8](repeating: 0, count: max(count, 0)) }
    mutating func fill(to count: Int) { zeros(count - bytes.count) }

    mutating func set(_ value: UInt64, _ width: Int, at offset: Int) {
        for index in 0..<width { bytes[offset + index] = UInt8(truncatingIfNeeded: value >> UInt64(index * 8)) }
    }
}

/// A minidump of a made-up process.
struct MinidumpBuilder {
    var modules: [(path: String, base: UInt64, size: Int)] = [
        ("C:\\Program Files\\Demo\\demo.exe", 0x40_0000, 0x1_0000),
        ("C:\\Windows\\System32\\ntdll.dll", 0x7FFB_0000_0000, 0x20_0000),
    ]
    var unloaded: [(path: String, base: UInt64, size: Int)] = [("C:\\Windows\\System32\\old.dll", 0x1800_0000, 0x9000)]
    var threads: [(id: Int, name: String)] = [(0x1234, "main"), (0x1250, "")]
    var handles: [(type: String, name: String)] = [
        ("Mutant", "\\Sessions\\1\\BaseNamedObjects\\DemoMutex"),
        ("File", "\\Device\\HarddiskVolume2\\Users\\demo\\a.txt"),
        ("Event", ""),
    ]
    var memory: [(address: UInt64, bytes: [UInt8])] = [
        (0x40_1000, Array("text of the demo program".utf8)), (0x12_0000, Array("stack".utf8)),
    ]
    /// Memory64List, as full dumps have it, instead of MemoryList.
    var isFull = false
    var paddedCounts = false

    func build() -> [UInt8] {
        var file = Writer()
        var streams: [(type: Int, data: [UInt8])] = []
        // Strings come first, behind header and directory, so that tables can point at them.
        let directory = 32
        let number = 10
        file.text("MDMP")
        file.u32(0x0001_A793)
        file.u32(number)
        file.u32(directory)
        file.u32(0)
        file.u32(1_700_000_000)
        file.u64(isFull ? 2 : 0)
        file.zeros(number * 12)

        func string(_ text: String) -> Int {
            while file.count % 4 != 0 { file.zeros(1) }
            let place = file.count
            file.u32(text.utf16.count * 2)
            for unit in text.utf16 { file.u16(Int(unit)) }
            file.u16(0)
            return place
        }
        func counted(_ count: Int, _ body: (inout Writer) -> Void) -> [UInt8] {
            var table = Writer()
            table.u32(count)
            if paddedCounts { table.u32(0) }
            body(&table)
            return table.bytes
        }

        let modulePlaces = modules.map { string($0.path) }
        let unloadedPlaces = unloaded.map { string($0.path) }
        let handlePlaces = handles.map { (string($0.type), $0.name.isEmpty ? 0 : string($0.name)) }
        let named = threads.filter { !$0.name.isEmpty }
        let threadPlaces = named.map { string($0.name) }
        let pack = string("Service Pack 9")
        let debug = file.count
        file.text("RSDS")
        file.zeros(16)
        file.u32(1)
        file.text("demo.pdb\0")
        let debugSize = file.count - debug

        streams.append(
            (
                4,
                counted(modules.count) { table in
                    for (index, module) in modules.enumerated() {
                        table.u64(module.base)
                        table.u32(module.size)
                        table.u32(0)
                        table.u32(1_600_000_000)
                        table.u32(modulePlaces[index])
                        table.u32(0xFEEF_04BD)
                        table.u32(0x1_0000)
                        table.u32(10 << 16 | 1)
                        table.u32(19041 << 16 | 5)
                        table.zeros(36)
                        table.u32(index == 0 ? debugSize : 0)
                        table.u32(index == 0 ? debug : 0)
                        table.zeros(24)
                    }
                }
            ))
        streams.append(
            (
                3,
                counted(threads.count) { table in
                    for thread in threads {
                        table.u32(thread.id)
                        table.u32(0)
                        table.u32(0x20)
                        table.u32(8)
                        table.u64(0x7_F000)
                        table.u64(0x12_0000)
                        table.u32(5)
                        table.u32(0)
                        table.zeros(8)
                    }
                }
            ))
        var names = Writer()
        names.u32(named.count)
        for (index, thread) in named.enumerated() {
            names.u32(thread.id)
            names.u64(UInt64(threadPlaces[index]))
        }
        streams.append((24, names.bytes))
        var system = Writer()
        for value in [9, 6, 0x9A00] { system.u16(value) }
        system.bytes += [4, 1]
        for value in [10, 0, 19041, 2, pack] { system.u32(value) }
        system.zeros(28)
        streams.append((7, system.bytes))
        var misc = Writer()
        for value in [24, 3, 4321, 1_699_999_000, 0, 0] { misc.u32(value) }
        streams.append((15, misc.bytes))
        var old = Writer()
        for value in [12, 24, unloaded.count] { old.u32(value) }
        for (index, module) in unloaded.enumerated() {
            old.u64(module.base)
            for value in [module.size, 0, 1_500_000_000, unloadedPlaces[index]] { old.u32(value) }
        }
        streams.append((14, old.bytes))
        var open = Writer()
        for value in [16, 32, handles.count, 0] { open.u32(value) }
        for (index, place) in handlePlaces.enumerated() {
            open.u64(UInt64(4 + index * 4))
            for value in [place.0, place.1, 0, 0x1F_0001, 1, 2] { open.u32(value) }
        }
        streams.append((12, open.bytes))
        var info = Writer()
        info.u32(16)
        info.u32(48)
        info.u64(1)
        info.u64(0x40_0000)
        info.u64(0x40_0000)
        info.u32(0x80)
        info.u32(0)
        info.u64(0x1000)
        for value in [0x1000, 0x40, 0x100_0000, 0] { info.u32(value) }
        streams.append((16, info.bytes))
        var exception = Writer()
        for value in [0x1234, 0, 0xC000_0005, 0] { exception.u32(value) }
        exception.u64(0)
        exception.u64(0x40_1004)
        exception.u32(2)
        exception.u32(0)
        exception.u64(1)
        exception.u64(0xDEAD)
        exception.zeros(13 * 8 + 8)
        streams.append((6, exception.bytes))

        // The last table says where the memory stands, which comes behind everything else.
        let tables = streams.reduce(0) { $0 + $1.data.count }
        let listSize = isFull ? 16 + memory.count * 16 : (paddedCounts ? 8 : 4) + memory.count * 16
        var place = file.count + tables + listSize
        var list = Writer()
        if isFull {
            list.u64(UInt64(memory.count))
            list.u64(UInt64(place))
            for range in memory {
                list.u64(range.address)
                list.u64(UInt64(range.bytes.count))
            }
        } else {
            list.bytes = counted(memory.count) { table in
                for range in memory {
                    table.u64(range.address)
                    table.u32(range.bytes.count)
                    table.u32(place)
                    place += range.bytes.count
                }
            }
        }
        streams.append((isFull ? 9 : 5, list.bytes))
        for (index, stream) in streams.enumerated() {
            file.set(UInt64(stream.type), 4, at: directory + index * 12)
            file.set(UInt64(stream.data.count), 4, at: directory + index * 12 + 4)
            file.set(UInt64(file.count), 4, at: directory + index * 12 + 8)
            file.bytes += stream.data
        }
        for range in memory { file.bytes += range.bytes }
        return file.bytes
    }
}

/// A full crash dump of a made-up machine with the given runs of pages.
func crashDump(is64: Bool, runs: [(page: Int, content: [UInt8])], bitmap: Bool = false) -> [UInt8] {
    var file = Writer()
    file.text(is64 ? "PAGEDU64" : "PAGEDUMP")
    file.u32(0xF)
    file.u32(19041)
    if is64 {
        for value in [0x1AD000, 0, 0xFFFF_F801, 0xFFFF_F802] as [UInt64] { file.u64(value) }
        for value in [0x8664, 4, 0xEF, 0] { file.u32(value) }
        for value in [1, 2, 3, 4] as [UInt64] { file.u64(value) }
        file.fill(to: 0x88)
        file.u32(runs.count)
        file.u32(0)
        file.u64(UInt64(runs.reduce(0) { $0 + $1.content.count / 4096 }))
        for run in runs {
            file.u64(UInt64(run.page))
            file.u64(UInt64(run.content.count / 4096))
        }
        file.fill(to: 0xF98)
        file.u32(bitmap ? 5 : 1)
        file.fill(to: 0xFA8)
        file.u64(133_444_736_000_000_000)
        file.text("made up\0")
        file.fill(to: 0x1030)
        file.u64(36_000_000_000)
        file.fill(to: 0x2000)
    } else {
        for value in [0x39000, 0, 0x8055_0000, 0x8056_0000, 0x14C, 1, 0x7F, 1, 2, 3, 4] { file.u32(value) }
        file.fill(to: 0x64)
        file.u32(runs.count)
        file.u32(runs.reduce(0) { $0 + $1.content.count / 4096 })
        for run in runs {
            file.u32(run.page)
            file.u32(run.content.count / 4096)
        }
        file.fill(to: 0xF88)
        file.u32(1)
        file.fill(to: 0xFC0)
        file.u64(133_444_736_000_000_000)
        file.fill(to: 0x1000)
    }
    if bitmap {
        file.text("FDMPDUMP")
        file.fill(to: 0x2020)
        file.u64(0x3000)
        file.u64(0)
        let pages = 256
        file.u64(UInt64(pages))
        var bits = [UInt8](repeating: 0, count: pages / 8)
        for run in runs {
            for page in run.page..<run.page + run.content.count / 4096 { bits[page / 8] |= 1 << UInt8(page % 8) }
        }
        file.bytes += bits
        file.fill(to: 0x3000)
    }
    for run in runs { file.bytes += run.content }
    return file.bytes
}

/// A LiME dump with the given parts.
func limeDump(_ parts: [(address: UInt64, content: [UInt8])]) -> [UInt8] {
    var file = Writer()
    for part in parts {
        file.text("EMiL")
        file.u32(1)
        file.u64(part.address)
        file.u64(part.address + UInt64(part.content.count) - 1)
        file.u64(0)
        file.bytes += part.content
    }
    return file.bytes
}

/// A core file of a made-up process.
struct CoreBuilder {
    var is64 = true
    var isBigEndian = false
    var segments: [(address: UInt64, content: [UInt8])] = [
        (0x40_0000, Array("code of the demo".utf8)), (0x7FFC_0000, Array("stack of the demo".utf8)),
    ]
    var files: [(path: String, start: UInt64, end: UInt64)] = [
        ("/usr/bin/demo", 0x40_0000, 0x40_1000), ("/usr/lib/libdemo.so", 0x50_0000, 0x50_2000),
        ("/usr/bin/demo", 0x40_1000, 0x40_3000),
    ]

    func build() -> [UInt8] {
        var file = Writer(isBigEndian: isBigEndian)
        let width = is64 ? 8 : 4
        let headerSize = is64 ? 64 : 52
        let entrySize = is64 ? 56 : 32
        let notes = self.notes()
        let count = segments.count + 1
        file.bytes = [0x7F, 0x45, 0x4C, 0x46, is64 ? 2 : 1, isBigEndian ? 2 : 1, 1]
        file.fill(to: 16)
        file.u16(4)
        file.u16(is64 ? (isBigEndian ? 22 : 62) : 3)
        file.u32(1)
        file.number(0, width)
        file.number(UInt64(headerSize), width)
        file.number(0, width)
        file.u32(0)
        for value in [headerSize, entrySize, count, 0, 0, 0] { file.u16(value) }
        var place = headerSize + count * entrySize
        func entry(_ type: Int, _ address: UInt64, _ size: Int) {
            file.u32(type)
            if is64 { file.u32(0) }
            file.number(UInt64(place), width)
            file.number(address, width)
            file.number(0, width)
            file.number(UInt64(size), width)
            file.number(UInt64(size), width)
            if !is64 { file.u32(0) }
            file.number(0, width)
            place += size
        }
        entry(4, 0, notes.count)
        for segment in segments { entry(1, segment.address, segment.content.count) }
        file.bytes += notes
        for segment in segments { file.bytes += segment.content }
        return file.bytes
    }

    private func notes() -> [UInt8] {
        var all = Writer(isBigEndian: isBigEndian)
        func note(_ type: Int, _ body: (inout Writer) -> Void) {
            var data = Writer(isBigEndian: isBigEndian)
            body(&data)
            all.u32(5)
            all.u32(data.count)
            all.u32(type)
            all.text("CORE\0\0\0\0")
            all.bytes += data.bytes
            while all.count % 4 != 0 { all.zeros(1) }
        }
        note(3) { data in
            data.zeros(is64 ? 16 : 8)
            if is64 { data.u32(1000) } else { data.u16(1000) }
            if is64 { data.u32(1000) } else { data.u16(1000) }
            for value in [77, 1, 77, 77] { data.u32(value) }
            data.text("demo")
            data.fill(to: data.count + 12)
            let start = data.count
            data.text("/usr/bin/demo --listen 8080 ")
            data.fill(to: start + 80)
        }
        for (thread, signal) in [(77, 11), (78, 0)] {
            note(1) { data in
                data.zeros(12)
                data.u16(signal)
                data.fill(to: is64 ? 32 : 24)
                data.u32(thread)
                data.fill(to: is64 ? 336 : 144)
            }
        }
        note(0x4649_4C45) { data in
            let width = is64 ? 8 : 4
            data.number(UInt64(files.count), width)
            data.number(4096, width)
            for file in files {
                data.number(file.start, width)
                data.number(file.end, width)
                data.number(0, width)
            }
            for file in files { data.text(file.path + "\0") }
        }
        return all.bytes
    }
}

/// A small program with two sections, as a file or as a loader lays it out.
///
/// It holds no code.
func program(isMapped: Bool, isLibrary: Bool = false, marker: String = "made up program") -> [UInt8] {
    var file = Writer()
    file.text("MZ")
    file.fill(to: 0x3C)
    file.u32(0x80)
    file.fill(to: 0x80)
    file.text("PE\0\0")
    file.u16(0x8664)
    file.u16(2)
    file.zeros(12)
    file.u16(240)
    file.u16(isLibrary ? 0x2022 : 0x22)
    let optional = file.count
    file.u16(0x20B)
    file.fill(to: optional + 32)
    file.u32(0x1000)
    file.u32(0x200)
    file.fill(to: optional + 56)
    file.u32(0x3000)
    file.u32(0x400)
    file.fill(to: optional + 68)
    file.u16(3)
    file.fill(to: optional + 240)
    for (name, address, size, offset) in [(".text\0\0\0", 0x1000, 0x200, 0x400), (".data\0\0\0", 0x2000, 0x200, 0x600)]
    {
        file.text(name)
        for value in [size, address, size, offset] { file.u32(value) }
        file.zeros(16)
    }
    for (address, offset, text) in [(0x1000, 0x400, "first section"), (0x2000, 0x600, marker)] {
        file.fill(to: isMapped ? address : offset)
        file.text(text)
    }
    file.fill(to: isMapped ? 0x3000 : 0x800)
    return file.bytes
}
