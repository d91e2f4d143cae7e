/// One step of a chain: looks at samples or records and says what it sees through `Output`.
///
/// A stage is built once, never changes, and is called from many threads. What changes during a submission is its
/// `State` and the `Output`. A stage that extracts or emits may be entered again for a child while it is still busy
/// with the parent; such a nested call gets a state of its own, finished when the call ends.
public protocol Stage: Sendable {
    /// Options in a chains file; `NoOptions` if there are none.
    associatedtype Options: Decodable & Sendable = NoOptions
    /// What it remembers during one submission; `NoState` if nothing.
    associatedtype State = NoState

    /// What it is, as data.
    static var descriptor: StageDescriptor { get }

    /// What this one is: differs from the type's where options decide, as the name of a `command` stage.
    var descriptor: StageDescriptor { get }

    /// Builds the stage; compiles signatures here. Signatures that cannot be used are told to the environment and
    /// left out; throws only when the stage cannot work at all.
    init(options: Options, environment: StageEnvironment) throws

    /// Called once in every process that scans, before it starts its threads and is locked in.
    ///
    /// What a stage needs of the system later (a program to start, a connection) it opens here. In a process that is not
    /// locked in it may never be called.
    func prepare(threads: Int) throws(SystemError)

    /// The state at the start of a submission.
    func makeState() -> State

    /// Looks at one sample.
    func inspect(_ sample: Sample, _ state: inout State, _ out: inout Output) throws(StageError)

    /// Looks at records that an earlier stage emitted from `sample`.
    func inspect(
        _ records: borrowing RecordBatch, of sample: Sample, _ state: inout State, _ out: inout Output
    ) throws(StageError)

    /// Looks at one slice of a sample that this or an earlier stage has cut.
    ///
    /// Slices of one sample are looked at on several threads at the same time, each with a state of its own. Places in
    /// reasons are told from the start of the sample.
    func inspect(_ slice: Slice, of sample: Sample, _ state: inout State, _ out: inout Output) throws(StageError)

    /// Says what only the whole submission shows.
    func finish(_ state: consuming State, _ out: inout Output) throws(StageError)
}

/// Options of a stage that has none.
public struct NoOptions: Decodable, Sendable {
    /// No options.
    public init() {}
}

/// State of a stage that remembers nothing.
public struct NoState: Sendable {
    /// No state.
    public init() {}
}

extension Stage where State == NoState {
    /// Nothing to remember.
    public func makeState() -> NoState { NoState() }
}

extension Stage {
    /// What all stages of the type are.
    public var descriptor: StageDescriptor { Self.descriptor }

    /// Needs nothing.
    public func prepare(threads: Int) throws(SystemError) {}

    /// Does not look at samples.
    public func inspect(_ sample: Sample, _ state: inout State, _ out: inout Output) throws(StageError) {}

    /// Does not look at records.
    public func inspect(
        _ records: borrowing RecordBatch, of sample: Sample, _ state: inout State, _ out: inout Output
    ) throws(StageError) {}

    /// Does not look at slices.
    public func inspect(
        _ slice: Slice, of sample: Sample, _ state: inout State, _ out: inout Output
    ) throws(StageError) {}

    /// Has nothing to add.
    public func finish(_ state: consuming State, _ out: inout Output) throws(StageError) {}
}
