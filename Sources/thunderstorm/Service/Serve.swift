import CLinux
import Pipeline

/// Puts the service together and runs it until it is asked to end.
///
/// - Parameters:
///   - settings: Flags and configuration file, flags first.
///   - defaultRules: Signature folder used when none is named.
///   - arguments: The command line, for `/api/v1/info`.
///   - announce: Told what people at a terminal should read, a line each.
/// - Throws: `ConfigurationError` naming what cannot work and what would.
public func serve(
    _ settings: Settings, defaultRules: String, arguments: [String], registry: StageRegistry,
    announce: @escaping @Sendable (String) -> Void
) async throws {
    let configuration = try settings.serviceConfiguration()
    // A thousand idle connections are not many.
    clinux_raise_open_files()
    try prepareDirectory(configuration.uploadDirectory, flag: "--server-upload-dir")
    let byteStore = ByteStore(temporaryDirectory: configuration.uploadDirectory)
    let hostname = machineName()
    let events = EventSinks(
        try settings.output.sinks(minimumLevel: configuration.minimumLevel, hostname: hostname), hostname: hostname,
        scanID: configuration.scanIDPrefix)

    announce("thunderstorm \(thunderstormVersion): loading signatures")
    let setup = try ScanSetup(
        settings.scanRequest(defaultRules: defaultRules, byteStore: byteStore), registry: registry)
    let state = setup.signatures
    let counts = state.counts.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
    announce("signatures: \(counts.isEmpty ? "none" : counts)")
    for problem in state.problems {
        events.message(
            problem.isRejected ? .error : .warning, module: "Startup",
            problem.isRejected ? "Signature rejected" : "Signature warning",
            fields: [
                ("file", problem.file), ("line", problem.line.map { "\($0)" } ?? ""), ("reason", problem.message),
            ])
    }
    let rejected = state.problems.filter(\.isRejected)
    for problem in rejected.prefix(20) { announce("rejected: \(problem)") }
    if rejected.count > 20 { announce("and \(rejected.count - 20) more; `thunderstorm rules check` lists all of them") }
    if state.counts.isEmpty { announce("warning: no signature is loaded, nothing will be found") }

    let engine = try InProcessEngine(
        chain: setup.chain, threads: configuration.threads, syncOnly: configuration.syncOnlyThreads,
        byteStore: byteStore)
    var parts = ThunderstormServer.Parts(
        configuration: configuration, engine: engine, eventLog: events, byteStore: byteStore, signatures: { state })
    parts.arguments = arguments
    parts.targets = { events.targets }
    parts.yaraVersion = state.libraries["YARA"] ?? "none"
    let server = try ThunderstormServer(parts)
    events.message(
        .info, module: "Startup", "Thunderstorm started",
        fields: [("version", thunderstormVersion), ("signatures", state.version), ("chain", setup.chain.name)])
    let host = configuration.host.contains(":") ? "[\(configuration.host)]" : configuration.host
    let scheme = configuration.certificates == nil ? "http" : "https"
    if configuration.certificates == nil, configuration.tokenFile != nil {
        announce("warning: tokens travel unencrypted without --server-cert and --server-key")
    }
    try await server.run { port in
        announce(
            "listening on \(scheme)://\(host):\(port), chain \(setup.chain.name), \(configuration.threads) threads")
    }
    engine.close()
    events.message(.info, module: "Startup", "Thunderstorm ended", fields: [])
    for (target, lost) in await events.close() { announce("\(target) did not take the last \(lost) events") }
    announce("ended")
}
