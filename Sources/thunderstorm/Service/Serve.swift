import CLinux
import Glibc
import Pipeline
import UnixSignals

/// Puts the service together and runs it until it is asked to end.
///
/// - Parameters:
///   - settings: Flags and configuration file, flags first.
///   - defaultRules: Signature folder used when none is named.
///   - arguments: The command line, for `/api/v1/info`.
///   - announce: Told what people at a terminal should read, a line each.
/// - Throws: `ConfigurationError` naming what cannot work and what would.
public func serve(
    _ settings: Settings, defaultRules: String, arguments: [String],
    announce: @escaping @Sendable (String) -> Void
) async throws {
    let configuration = try settings.serviceConfiguration()
    // A thousand idle connections are not many.
    clinux_raise_open_files()
    try prepareDirectory(configuration.uploadDirectory, flag: "--server-upload-dir")
    let byteStore = ByteStore(temporaryDirectory: configuration.uploadDirectory)
    let hostname = machineName()
    let trail = try settings.output.trail(scanID: configuration.scanIDPrefix, hostname: hostname)
    let events = EventSinks(
        try settings.output.sinks(minimumLevel: configuration.minimumLevel, hostname: hostname), hostname: hostname,
        scanID: configuration.scanIDPrefix, trail: trail)

    announce("thunderstorm \(thunderstormVersion): loading signatures")
    var options = EngineOptions()
    options.threads = configuration.threads
    options.syncOnly = configuration.syncOnlyThreads
    options.niceness = try settings.scanNiceness()
    options.parkedDirectory = configuration.uploadDirectory + "/parked"
    options.trail = trail
    let engine = try ProcessEngine(
        options, settings: settings, defaultRules: defaultRules, temporaryDirectory: configuration.uploadDirectory,
        events: events)
    let state = try await engine.start()
    let chain = engine.chainName
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

    var parts = ThunderstormServer.Parts(
        configuration: configuration, engine: engine, eventLog: events, byteStore: byteStore,
        signatures: { engine.signatures ?? state })
    parts.reloadSignatures = { () async throws(ConfigurationError) in try await engine.reload() }
    parts.arguments = arguments
    parts.targets = { events.targets }
    let systemd = SystemdNotifier()
    parts.onDraining = { systemd.stopping() }
    parts.yaraVersion = state.libraries["YARA"] ?? "none"
    let server = try ThunderstormServer(parts)
    engine.isReceiving.withLock { $0 = { [arrivals = server.core.arrivals] in arrivals.count > 0 } }
    events.message(
        .info, module: "Startup", "Thunderstorm started",
        fields: [("version", thunderstormVersion), ("signatures", state.version), ("chain", chain)])
    let host = configuration.host.contains(":") ? "[\(configuration.host)]" : configuration.host
    let scheme = configuration.certificates == nil ? "http" : "https"
    if configuration.certificates == nil, configuration.tokenFile != nil {
        announce("warning: tokens travel unencrypted without --server-cert and --server-key")
    }
    let background =
        reloadTriggers(
            engine, events, systemd,
            folders: settings.watchRules == true ? engine.launch.rules + engine.launch.customSignatures : [])
        + signsOfLife(systemd)
    defer {
        for task in background { task.cancel() }
        engine.close()
    }
    try await server.run { port in
        systemd.ready()
        announce("listening on \(scheme)://\(host):\(port), chain \(chain), \(configuration.threads) threads")
    }
    events.message(.info, module: "Startup", "Thunderstorm ended", fields: [])
    for (target, lost) in await events.close() { announce("\(target) did not take the last \(lost) events") }
    announce("ended")
}

// SIGHUP opens the log files and loads the signatures anew, a change of the folders the signatures only; what becomes of
// it is said in the log.
private func reloadTriggers(
    _ engine: ProcessEngine, _ events: EventSinks, _ systemd: SystemdNotifier, folders: [String]
) -> [Task<Void, Never>] {
    // Under nohup the signal would be ignored, and never be seen.
    signal(SIGHUP, SIG_DFL)
    let signals = Task {
        for await _ in await UnixSignalsSequence(trapping: .sighup) {
            systemd.reloading()
            events.reopen()
            _ = try? await engine.reload()
            systemd.ready()
        }
    }
    guard !folders.isEmpty else { return [signals] }
    let watch = Task { await FolderWatch(folders).run { _ = try? await engine.reload() } }
    return [signals, watch]
}

// What the watchdog of the service manager wants to see, if there is one.
private func signsOfLife(_ systemd: SystemdNotifier) -> [Task<Void, Never>] {
    guard let interval = systemd.watchdogInterval else { return [] }
    return [
        Task {
            while !Task.isCancelled {
                systemd.alive()
                try? await Task.sleep(for: .nanoseconds(Int64(clamping: interval)))
            }
        }
    ]
}
