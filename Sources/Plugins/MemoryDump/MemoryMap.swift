import Pipeline

/// Memory that a dump holds at one place of the file.
public struct MemoryRange: Sendable, Equatable {
    /// Address of the first byte.
    public var address: UInt64
    /// Size in bytes, as the dump says.
    public var size: UInt64
    /// Where it stands in the file, in bytes from its start.
    public var offset: UInt64

    /// A range with its parts.
    public init(address: UInt64, size: UInt64, offset: UInt64) {
        self.address = address
        self.size = size
        self.offset = offset
    }
}

/// A program file or library that was mapped.
public struct LoadedModule: Sendable, Equatable {
    /// Path as the system named it.
    public var path = ""
    /// Address of its first byte.
    public var base: UInt64 = 0
    /// Bytes of address space.
    public var size: UInt64 = 0
    /// Time in its header, seconds since 1970; 0 if unknown.
    public var timestamp: UInt32 = 0
    /// Version as in `10.0.19041.1`; empty if unknown.
    public var version = ""
    /// Name of its debug file; empty if unknown.
    public var debugFile = ""
    /// Where its entry stands in the dump.
    public var entry = 0

    /// A module of which nothing is known yet.
    public init() {}
}

/// Says which memory a byte of a dump shows.
///
/// Ranges that overlap in the file are a lie; the one that begins last counts.
struct MemoryMap: Sendable {
    private let ranges: [MemoryRange]
    private let modules: [LoadedModule]
    private let isPhysical: Bool

    init(_ ranges: [MemoryRange], modules: [LoadedModule] = [], isPhysical: Bool = false) {
        self.ranges = ranges.filter { $0.size > 0 }.sorted { ($0.offset, $0.address) < ($1.offset, $1.address) }
        self.modules = modules.filter { $0.size > 0 }.sorted { $0.base < $1.base }
        self.isPhysical = isPhysical
    }

    func place(of offset: Int) -> MemoryPlace? {
        guard offset >= 0, let range = last(ranges, where: { $0.offset <= UInt64(offset) }) else { return nil }
        let distance = UInt64(offset) - range.offset
        guard distance < range.size, let address = range.address.plus(distance) else { return nil }
        let module = last(modules) { $0.base <= address }.flatMap { address - $0.base < $0.size ? $0.path : nil }
        return MemoryPlace(address: address, isPhysical: isPhysical, module: module ?? "")
    }

    // The last element of a sorted list for which a condition holds that holds for a beginning of it.
    private func last<Element>(_ list: [Element], where holds: (Element) -> Bool) -> Element? {
        var low = 0
        var high = list.count
        while low < high {
            let middle = (low + high) / 2
            if holds(list[middle]) { low = middle + 1 } else { high = middle }
        }
        return low > 0 ? list[low - 1] : nil
    }
}
