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
    /// Uploads whose bodies may come in at one time.
    public var uploadSlots = 512
    /// Most queued async samples.
    public var queueLimitCount = 1_000_000
    /// Most bytes of queued async samples.
    public var queueLimitBytes = 64 << 30
    /// Bytes that must stay free on the disk of the upload directory.
    public var diskReserveBytes = 256 << 20
    /// Whether the verdict on a content that was seen before is used again.
    public var cachesVerdicts = true
    /// Most bytes of cached verdicts.
    public var verdictCacheBytes = 64 << 20
    /// Certificate and key; nil serves without TLS.
    var certificates: Certificates.Files?
    /// File of tokens; nil asks for none.
    public var tokenFile: String?
    /// What one source may send.
    var sourceAllowance = Allowance()
    /// Seconds that running scans get when the service is asked to end.
    public var shutdownSeconds = 60
    /// Which samples are kept.
    public var storage = StoragePolicy()
    /// How many findings are kept for the page and the API, and how long; nil keeps none.
    var findings: FindingStore.Limits? = FindingStore.Limits()
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
