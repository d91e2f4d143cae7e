// Rows of plain values in one block of memory. An array asks at each `append` whether somebody else has it too; a table
// of millions of fields has one owner and need not ask.

/// A growing table of values that are plain bytes.
@usableFromInline
@safe struct PlainTable<Row: BitwiseCopyable>: ~Copyable {
    @usableFromInline var base: UnsafeMutablePointer<Row>
    @usableFromInline var capacity: Int
    /// Number of rows.
    @usableFromInline var count = 0

    @usableFromInline
    init(capacity: Int) {
        self.capacity = max(capacity, 16)
        unsafe base = resizeMemory(nil, to: self.capacity)
    }

    // Swift 6.3.1 fails to compile inlinable code of a generic type without this.
    @inlinable
    deinit { unsafe freeMemory(base) }

    /// A row; one that is not there ends the process, as with an array.
    @inlinable
    subscript(index: Int) -> Row {
        get {
            precondition(index >= 0 && index < count, "row \(index) of \(count)")
            return unsafe base[index]
        }
        set {
            precondition(index >= 0 && index < count, "row \(index) of \(count)")
            unsafe base[index] = newValue
        }
    }

    @inlinable
    mutating func append(_ row: Row) {
        if count == capacity { grow() }
        unsafe base[count] = row
        count &+= 1
    }

    /// Forgets all rows after the first `count`; keeps the memory.
    mutating func truncate(to count: Int) { self.count = min(max(count, 0), self.count) }

    @usableFromInline
    mutating func grow() {
        capacity *= 2
        unsafe base = resizeMemory(base, to: capacity)
    }
}
