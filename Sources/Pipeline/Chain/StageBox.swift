// Type erasure: a chain holds stages of many types; a submission holds a state for each of them.

class StageBox: @unchecked Sendable {  // Immutable: its only stored property is a let of a Sendable type.
    let descriptor: StageDescriptor

    init(descriptor: StageDescriptor) { self.descriptor = descriptor }

    func makeRun() -> StageRun { StageRun() }

    func prepare(threads: Int) throws(SystemError) {}
}

/// A stage with its state during one submission; the base class does nothing.
class StageRun {
    func inspect(_ sample: Sample, _ out: inout Output) throws(StageError) {}

    func inspect(_ records: borrowing RecordBatch, of sample: Sample, _ out: inout Output) throws(StageError) {}

    func inspect(_ slice: Slice, of sample: Sample, _ out: inout Output) throws(StageError) {}

    func finish(_ out: inout Output) throws(StageError) {}
}

final class TypedStageBox<S: Stage>: StageBox, @unchecked Sendable {  // As above; the stage is Sendable.
    let stage: S

    init(_ stage: S) {
        self.stage = stage
        super.init(descriptor: stage.descriptor)
    }

    override func makeRun() -> StageRun { TypedStageRun(stage) }

    override func prepare(threads: Int) throws(SystemError) { try stage.prepare(threads: threads) }
}

final class TypedStageRun<S: Stage>: StageRun {
    private let stage: S
    // nil while it is lent to a call: a nested call then works on a state of its own.
    private var state: S.State?

    init(_ stage: S) {
        self.stage = stage
        state = stage.makeState()
    }

    override func inspect(_ sample: Sample, _ out: inout Output) throws(StageError) {
        guard var lent = state.take() else {
            var own = stage.makeState()
            try stage.inspect(sample, &own, &out)
            return try stage.finish(own, &out)
        }
        defer { state = lent }
        try stage.inspect(sample, &lent, &out)
    }

    override func inspect(
        _ records: borrowing RecordBatch, of sample: Sample, _ out: inout Output
    ) throws(StageError) {
        guard var lent = state.take() else {
            var own = stage.makeState()
            try stage.inspect(records, of: sample, &own, &out)
            return try stage.finish(own, &out)
        }
        defer { state = lent }
        try stage.inspect(records, of: sample, &lent, &out)
    }

    override func inspect(_ slice: Slice, of sample: Sample, _ out: inout Output) throws(StageError) {
        guard var lent = state.take() else {
            var own = stage.makeState()
            try stage.inspect(slice, of: sample, &own, &out)
            return try stage.finish(own, &out)
        }
        defer { state = lent }
        try stage.inspect(slice, of: sample, &lent, &out)
    }

    override func finish(_ out: inout Output) throws(StageError) {
        guard let state = state.take() else { return }
        try stage.finish(state, &out)
    }
}
