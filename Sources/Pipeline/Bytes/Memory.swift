import CLinux
import Glibc

// The C library's block compare and search, wrapped once: they run at memory speed where a loop would not.

func memoryEqual(_ left: UnsafeRawPointer, _ right: UnsafeRawPointer, _ count: Int) -> Bool {
    unsafe memcmp(left, right, count) == 0
}

func searchMemory(_ all: UnsafeRawBufferPointer, _ needle: UnsafeRawBufferPointer, from start: Int) -> Int? {
    guard let base = all.baseAddress, let wanted = needle.baseAddress,
        let hit = unsafe clinux_find(base + start, all.count - start, wanted, needle.count)
    else { return nil }
    return unsafe base.distance(to: hit)
}

func searchByte(_ all: UnsafeRawBufferPointer, _ value: UInt8, from start: Int) -> Int? {
    guard let base = all.baseAddress, let hit = unsafe memchr(base + start, Int32(value), all.count - start)
    else { return nil }
    return unsafe base.distance(to: UnsafeRawPointer(hit))
}

// Grows a block of memory, moving pages instead of copying them where the system can. Without memory it ends the
// process, as every allocation in Swift does.
func resizeMemory<Row: BitwiseCopyable>(
    _ block: UnsafeMutablePointer<Row>?, to count: Int
) -> UnsafeMutablePointer<Row> {
    guard let resized = unsafe realloc(block, count * MemoryLayout<Row>.stride) else { abort() }
    return unsafe resized.assumingMemoryBound(to: Row.self)
}

@usableFromInline
func freeMemory<Row: BitwiseCopyable>(_ block: UnsafeMutablePointer<Row>) { unsafe free(block) }

/// Nanoseconds of a clock that never goes back.
public func monotonicNanoseconds() -> UInt64 { clinux_monotonic_nanoseconds() }

/// Hands unused heap pages back to the system.
public func trimHeap() { clinux_trim_heap() }
