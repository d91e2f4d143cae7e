public import Pipeline

// Goes through all keys of a hive, parents before children, with a stack of its own. Each key and each list is
// entered once, so that loops end and the work is bounded by the file; the depth is bounded by what Windows allows.
// List kinds after "Windows registry file format specification" (M. Suhanov): li, lf, lh and ri.

/// A walk through all keys below the roots of a hive.
public struct HiveWalk: ~Copyable {
    /// What the next step of a walk brought.
    public enum Step: Sendable {
        /// A key; `path` is its path.
        case key(HiveKey)
        /// Something could not be read; `path` is the key it belongs to.
        case problem(HiveProblem)
    }

    /// Deepest level of keys that Windows allows.
    public static let depthLimit = 512
    /// Longest path, in bytes of UTF-8; no longer one can be made with Windows.
    public static let pathLimit = 64 << 10

    // One key whose subkeys are being gone through: the leaf that is read, and the index root it is from.
    private struct Level {
        var pathCount: Int
        var leaf = HiveList()
        var index = HiveList()
    }

    /// Path of the key that was reached last, each name after a `\`; empty for the root.
    public private(set) var path = ByteArena(capacity: 1024)
    /// Level of that key; the root has 0.
    public private(set) var depth = 0
    private var levels: [Level] = []
    private var seen: CellSet
    private var nextRoot = 0
    // Found while a key was entered; told right after the key.
    private var pending: HiveProblem?

    /// A walk that begins at the roots.
    public init(_ hive: borrowing Hive) {
        seen = CellSet(fileSize: hive.bytes.count)
        levels.reserveCapacity(32)
    }

    /// Goes on to the next key; nil when all were seen.
    public mutating func next(_ hive: borrowing Hive) -> Step? {
        if let problem = pending.take() { return .problem(problem) }
        let span = hive.bytes.span
        while let top = levels.indices.last {
            path.truncate(to: levels[top].pathCount)
            if levels[top].leaf.left > 0 {
                let place = levels[top].leaf.takeEntry()
                guard let reference = span.uint32(at: place), let cell = Hive.cell(reference, in: span),
                    let key = HiveKey(span, cell)
                else { return .problem(HiveProblem("an entry of its subkey list is not a key", at: place)) }
                guard seen.insert(key.offset) else {
                    return .problem(HiveProblem("an entry of its subkey list is in the tree already", at: place))
                }
                path.append(0x5C)
                hive.appendName(of: key, to: &path)
                return enter(key, span)
            }
            if levels[top].index.left > 0 {
                let place = levels[top].index.takeEntry()
                if let problem = openLeaf(place, span, top) { return .problem(problem) }
            } else {
                levels.removeLast()
            }
        }
        return startRoot(hive)
    }

    /// Whether this value was not reached before; two keys that claim one value are damage.
    public mutating func isNew(_ value: HiveValue) -> Bool { seen.insert(value.offset) }

    private mutating func startRoot(_ hive: borrowing Hive) -> Step? {
        while nextRoot < hive.roots.count {
            let root = hive.roots[nextRoot]
            nextRoot += 1
            guard seen.insert(root.offset) else { continue }
            path.truncate(to: 0)
            // What stands for a lost root needs its name, or all would have the same path.
            if hive.roots.count > 1 {
                path.append(0x5C)
                hive.appendName(of: root, to: &path)
            }
            return enter(root, hive.bytes.span)
        }
        return nil
    }

    private mutating func enter(_ key: HiveKey, _ span: RawSpan) -> Step {
        depth = levels.count
        if key.isNameCut { pending = HiveProblem("its name reaches beyond its cell and was cut", at: key.offset) }
        guard key.subkeyCount > 0 else { return .key(key) }
        if depth >= Self.depthLimit || path.count > Self.pathLimit {
            pending = HiveProblem(
                "deeper than \(Self.depthLimit) levels or \(Self.pathLimit) bytes of path: "
                    + "\(key.subkeyCount) subkeys were not read", at: key.offset)
            return .key(key)
        }
        var list = HiveList()
        pending = open(&list, key.subkeyList, span) ?? pending
        var level = Level(pathCount: path.count)
        if list.isIndex { level.index = list } else { level.leaf = list }
        levels.append(level)
        return .key(key)
    }

    private mutating func openLeaf(_ place: Int, _ span: RawSpan, _ level: Int) -> HiveProblem? {
        guard let reference = span.uint32(at: place) else {
            return HiveProblem("an entry of its subkey index is missing", at: place)
        }
        var list = HiveList()
        let problem = open(&list, reference, span)
        if list.isIndex { return HiveProblem("its subkey index points to another index; not read", at: place) }
        levels[level].leaf = list
        return problem
    }

    // A list is read for one key only: a second owner is damage, and many of them would be endless work.
    private mutating func open(_ list: inout HiveList, _ reference: UInt32, _ span: RawSpan) -> HiveProblem? {
        let problem = list.open(reference, span)
        if list.left == 0 || seen.insert(list.start) { return problem }
        let start = list.start
        list = HiveList()
        return HiveProblem("its subkey list belongs to another key already", at: start)
    }
}

/// The entries of one list of subkeys that are still to be read.
struct HiveList {
    private var offset = 0
    private var stride = 4
    private(set) var left = 0
    /// Position of the list in the file.
    private(set) var start = 0
    /// Whether its entries are lists (`ri`), not keys.
    private(set) var isIndex = false

    @inline(__always)
    mutating func takeEntry() -> Int {
        defer {
            offset = offset &+ stride
            left -= 1
        }
        return offset
    }

    /// Opens the list at a cell; what is wrong with it is the answer, what can be read of it is kept.
    mutating func open(_ reference: UInt32, _ span: RawSpan) -> HiveProblem? {
        guard let cell = Hive.cell(reference, in: span), let signature = span.uint16(at: cell.offset),
            let count = span.uint16(at: cell.offset &+ 2)
        else {
            return HiveProblem("its subkey list at \(hex(reference)) is outside the file", at: HiveHeader.size)
        }
        switch signature {
        case 0x666C, 0x686C: stride = 8  // lf, lh: each offset has a hash or the first characters beside it
        case 0x696C: stride = 4  // li
        case 0x6972: isIndex = true  // ri
        default: return HiveProblem("its subkey list is none (signature \(hex(UInt32(signature))))", at: cell.offset)
        }
        start = cell.offset
        offset = start &+ 4
        left = min(Int(count), (cell.count &- 4) / stride)
        if left == Int(count) { return nil }
        return HiveProblem("its subkey list claims \(count) entries and has room for \(left)", at: cell.offset)
    }
}
