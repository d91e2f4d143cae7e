import Pipeline

// Makes registry hives in code, byte by byte after the format's description and without the parser's definitions, so
// that a wrong definition there is caught. Also makes the demo hive of `samples/`.

/// Kinds of lists that hold subkeys.
enum ListKind: Sendable {
    case lf
    case lh
    case li
    /// An index root over leaves of the given kind with so many entries each.
    indirect case ri(of: ListKind, each: Int)
}

/// A key to be written; each test makes its own and changes none that another one sees.
final class KeyNode: @unchecked Sendable {
    var name: String
    var className = ""
    var list = ListKind.lh
    var written: UInt64 = 132_000_000_000_000_000
    // nil: one byte a character if all of them fit.
    var compressed: Bool?
    var values: [ValueNode] = []
    var subkeys: [KeyNode] = []

    init(_ name: String, values: [ValueNode] = [], _ subkeys: [KeyNode] = []) {
        self.name = name
        self.values = values
        self.subkeys = subkeys
    }

    /// The key at a path below this one, made if it is not there.
    @discardableResult
    func key(_ path: String) -> KeyNode {
        var key = self
        for part in path.split(separator: "\\") {
            if let next = key.subkeys.first(where: { $0.name == part }) {
                key = next
            } else {
                let next = KeyNode(String(part))
                key.subkeys.append(next)
                key = next
            }
        }
        return key
    }

    @discardableResult
    func set(_ values: ValueNode...) -> KeyNode {
        self.values += values
        return self
    }
}

/// A value to be written.
struct ValueNode: Sendable {
    var name: String
    var type: UInt32
    var data: [UInt8]
    var compressed: Bool?

    init(_ name: String, type: UInt32, _ data: [UInt8]) {
        self.name = name
        self.type = type
        self.data = data
    }

    init(_ name: String, text: String, type: UInt32 = 1) { self.init(name, type: type, utf16(text + "\0")) }

    init(_ name: String, dword: UInt32) { self.init(name, type: 4, little(dword, 4)) }

    init(_ name: String, qword: UInt64) { self.init(name, type: 11, little(qword, 8)) }

    init(_ name: String, texts: [String]) { self.init(name, type: 7, utf16(texts.map { $0 + "\0" }.joined() + "\0")) }
}

func utf16(_ text: String) -> [UInt8] { text.utf16.flatMap { little($0, 2) } }

func little(_ value: some FixedWidthInteger, _ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
}

/// Writes a hive.
struct HiveBuilder {
    var minorVersion: UInt32 = 5
    var fileName = "\\??\\C:\\Windows\\System32\\config\\TEST"
    var primarySequence: UInt32 = 7
    var secondarySequence: UInt32 = 7
    var written: UInt64 = 132_000_000_000_000_000

    // Hive bins without the base block; offsets in cells are positions in it.
    private(set) var bins: [UInt8] = []
    private var binStart = 0
    private var cursor = 0

    /// A whole hive file with this root key.
    static func hive(_ root: KeyNode) -> [UInt8] {
        var builder = HiveBuilder()
        return builder.build(root)
    }

    mutating func build(_ root: KeyNode) -> [UInt8] {
        bins = []
        cursor = 0
        let cell = write(root, isRoot: true)
        closeBin()
        return baseBlock(root: cell, binsSize: bins.count) + bins
    }

    func baseBlock(root: Int, binsSize: Int, type: UInt32 = 0) -> [UInt8] {
        var block = [UInt8](repeating: 0, count: 4096)
        put(&block, 0, Array("regf".utf8))
        put(&block, 4, little(primarySequence, 4))
        put(&block, 8, little(secondarySequence, 4))
        put(&block, 12, little(written, 8))
        put(&block, 20, little(UInt32(1), 4))
        put(&block, 24, little(minorVersion, 4))
        put(&block, 28, little(type, 4))
        put(&block, 32, little(UInt32(1), 4))
        put(&block, 36, little(root, 4))
        put(&block, 40, little(binsSize, 4))
        put(&block, 44, little(UInt32(1), 4))
        put(&block, 48, Array(utf16(fileName).prefix(62)))
        seal(&block)
        return block
    }

    // MARK: Cells

    /// Writes a cell and answers where it is.
    mutating func allocate(_ content: [UInt8]) -> Int {
        let size = (content.count + 4 + 7) / 8 * 8
        if bins.count - cursor < size {
            closeBin()
            binStart = bins.count
            let binSize = (size + 32 + 4095) / 4096 * 4096
            bins += [UInt8](repeating: 0, count: binSize)
            put(&bins, binStart, Array("hbin".utf8) + little(binStart, 4) + little(binSize, 4))
            put(&bins, binStart + 20, little(written, 8))
            cursor = binStart + 32
        }
        let cell = cursor
        put(&bins, cell, little(-size, 4) + content)
        cursor += size
        return cell
    }

    // What is left of the bin becomes a free cell.
    private mutating func closeBin() {
        if cursor < bins.count { put(&bins, cursor, little(bins.count - cursor, 4)) }
        cursor = bins.count
    }

    private mutating func write(_ key: KeyNode, isRoot: Bool = false) -> Int {
        let subkeys = key.subkeys.map { write($0) }
        let list = subkeys.isEmpty ? -1 : writeList(key.list, subkeys, key.subkeys.map(\.name))
        let values = key.values.map { writeValue($0) }
        let valueList = values.isEmpty ? -1 : allocate(values.flatMap { little($0, 4) })
        let classCell = key.className.isEmpty ? -1 : allocate(utf16(key.className))
        let (name, compressed) = stored(key.name, key.compressed)
        var node = Array("nk".utf8)
        node += little((isRoot ? 0x0C : 0) | (compressed ? 0x20 : 0), 2)
        node += little(key.written, 8) + little(0, 4) + little(-1, 4)
        node += little(subkeys.count, 4) + little(0, 4) + little(list, 4) + little(-1, 4)
        node += little(values.count, 4) + little(valueList, 4) + little(-1, 4) + little(classCell, 4)
        node += [UInt8](repeating: 0, count: 20)
        node += little(name.count, 2) + little(utf16(key.className).count, 2) + name
        let cell = allocate(node)
        for subkey in subkeys { put(&bins, subkey + 4 + 16, little(cell, 4)) }
        return cell
    }

    private mutating func writeList(_ kind: ListKind, _ cells: [Int], _ names: [String]) -> Int {
        switch kind {
        case .li: return allocate(Array("li".utf8) + little(cells.count, 2) + cells.flatMap { little($0, 4) })
        case .lf:
            let entries = zip(cells, names).flatMap { cell, name -> [UInt8] in
                little(cell, 4) + Array((Array(name.utf8) + [0, 0, 0, 0]).prefix(4))
            }
            return allocate(Array("lf".utf8) + little(cells.count, 2) + entries)
        case .lh:
            let entries = zip(cells, names).flatMap { cell, name -> [UInt8] in
                little(cell, 4)
                    + little(name.uppercased().utf16.reduce(UInt32(0)) { $0 &* 37 &+ UInt32($1) }, 4)
            }
            return allocate(Array("lh".utf8) + little(cells.count, 2) + entries)
        case .ri(let leaf, let each):
            let leaves = stride(from: 0, to: cells.count, by: each).map { start in
                let end = min(start + each, cells.count)
                return writeList(leaf, Array(cells[start..<end]), Array(names[start..<end]))
            }
            return allocate(Array("ri".utf8) + little(leaves.count, 2) + leaves.flatMap { little($0, 4) })
        }
    }

    private mutating func writeValue(_ value: ValueNode) -> Int {
        let (name, compressed) = stored(value.name, value.compressed)
        var size = UInt32(value.data.count)
        var data: [UInt8]
        if value.data.count <= 4 {
            size |= 0x8000_0000
            data = value.data + [UInt8](repeating: 0, count: 4 - value.data.count)
        } else if value.data.count > 16_344, minorVersion > 3 {
            data = little(writeBigData(value.data), 4)
        } else {
            data = little(allocate(value.data), 4)
        }
        return allocate(
            Array("vk".utf8) + little(name.count, 2) + little(size, 4) + data + little(value.type, 4)
                + little(compressed ? 1 : 0, 2) + little(0, 2) + name)
    }

    private mutating func writeBigData(_ data: [UInt8]) -> Int {
        let segments = stride(from: 0, to: data.count, by: 16_344).map { start in
            allocate(Array(data[start..<min(start + 16_344, data.count)]) + little(0, 4))
        }
        let list = allocate(segments.flatMap { little($0, 4) })
        return allocate(Array("db".utf8) + little(segments.count, 2) + little(list, 4))
    }

    private func stored(_ name: String, _ wish: Bool?) -> (bytes: [UInt8], compressed: Bool) {
        let latin = name.unicodeScalars.allSatisfy { $0.value < 0x100 }
        if wish ?? latin, latin { return (name.unicodeScalars.map { UInt8($0.value) }, true) }
        return (utf16(name), false)
    }
}

/// Writes bytes over others; the array must be long enough.
func put(_ bytes: inout [UInt8], _ offset: Int, _ new: [UInt8]) {
    bytes.replaceSubrange(offset..<(offset + new.count), with: new)
}

/// Sets the checksum of a base block.
func seal(_ block: inout [UInt8]) {
    var sum: UInt32 = 0
    for offset in stride(from: 0, to: 508, by: 4) {
        for byte in 0..<4 { sum ^= UInt32(block[offset + byte]) << UInt32(byte * 8) }
    }
    if sum == 0 { sum = 1 }
    if sum == .max { sum = .max - 1 }
    put(&block, 508, little(sum, 4))
}
