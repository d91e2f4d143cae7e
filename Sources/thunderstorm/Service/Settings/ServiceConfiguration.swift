import Pipeline

/// Everything the service needs to know, checked; made from `Settings`.
public struct ServiceConfiguration: Sendable {
    /// Address to listen on.
    public var host = "127.0.0.1"
    /// Port to listen on; 0 takes any free one.
    public var port = 8080
    /// Directory of queued samples and large temporary files.
    public var uploadDirectory = "/tmp/thunderstorm-uploads"
    /// Async results kept; 0 keeps none.
    public var resultCacheSize = 10_000
    /// Scan threads.
    public var threads = 2
    /// Scan threads that take sync requests only.
    public var syncOnlyThreads = 0
    /// Largest sample in bytes.
    public var maximumFileSize = 200 << 20
    /// Sync requests that may wait for a scan thread.
    public var waitingSlots = 64
    /// Most queued async samples.
    public var queueLimitCount = 1_000_000
    /// Most bytes of queued async samples.
    public var queueLimitBytes = 64 << 30
    /// Bytes that must stay free on the disk of the upload directory.
    public var diskReserveBytes = 256 << 20
    /// Findings below this level are not answered.
    public var minimumLevel = Level.notice
    /// Scan id of the run; samples get `-N`.
    public var scanIDPrefix = makeScanID()

    /// The defaults.
    public init() {}
}

/// A fresh scan id: `S-` and ten characters.
public func makeScanID() -> String {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")
    var generator = SystemRandomNumberGenerator()
    return "S-" + String((0..<10).compactMap { _ in alphabet.randomElement(using: &generator) })
}
