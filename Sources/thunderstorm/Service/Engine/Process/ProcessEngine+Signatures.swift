import Pipeline
import Synchronization

// Loading and reloading: a new loader loads the new set beside the old one, forks an engine, and only when that is ready
// traffic moves over. The old engine finishes what it has. A set that does not load leaves the old one serving.

extension ProcessEngine {
    /// What is in use.
    public var signatures: SignatureState? { state.withLock { $0.signatures } }

    /// Name of the chain in use.
    public var chainName: String { state.withLock { $0.chain } }

    /// Loads signatures for the first time and begins to scan.
    ///
    /// - Throws: `ConfigurationError` when they cannot be loaded, with the remedy.
    public func start() async throws -> SignatureState {
        try startThread { [self] in watch() }
        do {
            return try await load()
        } catch {
            close()
            throw error
        }
    }

    /// Loads the signatures anew, while the old ones serve, and returns when the new ones do.
    ///
    /// A call during a load waits for one that begins after it.
    /// - Throws: `ConfigurationError` when they cannot be loaded; the old ones serve on then.
    @discardableResult
    public func reload() async throws(ConfigurationError) -> SignatureState {
        do {
            let signatures = try await load()
            let counts = signatures.counts.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }
            events.message(
                .info, module: "Signatures", "New signatures are in use",
                fields: [("VERSION", signatures.version), ("COUNTS", counts.joined(separator: ", "))])
            for problem in signatures.problems where problem.isRejected {
                events.message(
                    .error, module: "Signatures", "Signature rejected",
                    fields: [
                        ("file", problem.file), ("line", problem.line.map { "\($0)" } ?? ""),
                        ("reason", problem.message),
                    ])
            }
            return signatures
        } catch {
            let failure = SignatureState.ReloadFailure(time: currentTime(), message: error.description)
            state.withLock { $0.signatures?.reloadFailure = failure }
            events.message(
                .error, module: "Signatures", "New signatures could not be loaded; the old ones stay in use",
                fields: [("REASON", error.description)])
            throw error
        }
    }

    private func load() async throws(ConfigurationError) -> SignatureState {
        let result = await withCheckedContinuation { (continuation: CheckedContinuation<_, Never>) in
            let isFirst = state.withLock { state in
                if state.loading != nil {
                    state.laterReloads.append { continuation.resume(returning: $0) }
                    return false
                }
                state.reloads.append { continuation.resume(returning: $0) }
                return true
            }
            if isFirst { startLoader() }
        }
        return try result.get()
    }

    func startLoader() {
        let number = state.withLock { state -> UInt64? in
            guard state.loading == nil, !state.isClosed else { return nil }
            let number = state.newNumber()
            state.loading = number
            state.loaded = nil
            return number
        }
        guard let number else { return }
        do {
            let loader = try LoaderProcess(number: number, program: options.program, launch: launch) {
                [self] message, descriptor in
                hear(message, from: number, descriptor)
            }
            state.withLock { $0.loaders[number] = loader }
        } catch {
            finishLoading(number, .failure(ConfigurationError("\(error)")))
        }
    }

    private func hear(_ message: LoaderMessage?, from number: UInt64, _ descriptor: Descriptor?) {
        switch message {
        case .loaded(let signatures, let chain):
            let loss = state.withLock { state -> ConfigurationError? in
                guard state.loading == number else { return nil }
                // Only a set that still serves can stay in use.
                if state.loader != nil, let loss = state.signatures?.loss(with: signatures) { return loss }
                state.loaded = (signatures, chain)
                // An engine on its way from the old loader is not needed any more.
                if let next = state.next { state.children[next]?.isDraining = true }
                state.next = nil
                state.retryAt = 0
                return nil
            }
            if let loss { return finishLoading(number, .failure(loss)) }
            supervise()
        case .failed(let reason):
            finishLoading(number, .failure(ConfigurationError(reason)))
        case .started(let engine, let pid):
            state.withLock { state in
                state.children[engine]?.pid = pid
                state.children[engine]?.process = descriptor
            }
        case .notStarted(let engine, _):
            state.withLock { state in
                state.children[engine]?.exit = (code: -1, signal: 0)
                state.children[engine]?.isAtEnd = true
            }
            concludeEnded()
        case .ended(let engine, let code, let signal):
            state.withLock { $0.children[engine]?.exit = (code, signal) }
            concludeEnded()
        case nil:
            lostLoader(number)
        }
    }

    private func lostLoader(_ number: UInt64) {
        let isNeeded = state.withLock { state in
            state.loaders[number] = nil
            guard state.loader == number, !state.isClosed else { return false }
            state.loader = nil
            return state.loading == nil
        }
        finishLoading(
            number, .failure(ConfigurationError("the process that loads signatures ended before it was done")))
        concludeEnded()
        guard isNeeded else { return }
        events.message(
            .error, module: "Engine", "The process that holds the signatures ended; they are loaded anew", fields: [])
        startLoader()
    }

    // The engine that takes over may be the first with new signatures: then those are in use from now on.
    func useSignatures(of child: UInt64, _ state: inout State) -> UInt64? {
        guard let number = state.loading, state.children[child]?.loader == number, let loaded = state.loaded
        else { return nil }
        state.loader = number
        state.signatures = loaded.signatures
        state.chain = loaded.chain
        state.loaded = nil
        return number
    }

    func finishLoading(_ number: UInt64) {
        guard let signatures = state.withLock({ $0.signatures }) else { return }
        finishLoading(number, .success(signatures))
    }

    func failLoading(_ number: UInt64, _ child: Child, _ reason: String) {
        // A loader that can fork no engine is no use. One that can has earned a second attempt, from supervise().
        guard state.withLock({ $0.failedStarts }) >= 3 else { return }
        finishLoading(child.loader, .failure(ConfigurationError(reason)))
    }

    private func finishLoading(_ number: UInt64, _ result: Result<SignatureState, ConfigurationError>) {
        let (told, isNext) = state.withLock {
            state -> ([@Sendable (Result<SignatureState, ConfigurationError>) -> Void], Bool)
            in
            guard state.loading == number else { return ([], false) }
            state.loading = nil
            state.loaded = nil
            let told = state.reloads
            state.reloads = state.laterReloads
            state.laterReloads = []
            return (told, !state.reloads.isEmpty)
        }
        for tell in told { tell(result) }
        closeUnusedLoaders()
        if isNext { startLoader() }
    }

    // Loaders of sets that are no longer in use stay until their last engine has ended: they tell how.
    func closeUnusedLoaders() {
        let unused = state.withLock { state in
            state.loaders.values.filter { loader in
                loader.number != state.loader && loader.number != state.loading
                    && !state.children.values.contains { $0.loader == loader.number }
            }
        }
        for loader in unused { loader.close() }
    }
}
