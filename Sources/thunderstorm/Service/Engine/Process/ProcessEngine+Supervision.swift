import CLinux
import Dispatch
import Glibc
import Pipeline
import Synchronization

// Births and ends of engines: which are needed, what their end means for the samples they had, and the watchdog.

extension ProcessEngine {
    private static let watchMilliseconds = 100
    // Ends of the engine with a sample alone in it, after which the sample is parked. A SIGKILL from elsewhere says less:
    // an operator's, or the system's that was out of memory.
    private static let crashLimit = 2
    private static let killLimit = 10

    // MARK: Births

    // Starts the engines that are missing and ends those that have nothing to do.
    func supervise() {
        let (births, idle) = state.withLock { state in
            let idle = retire(&state)
            return (wanted(&state), idle)
        }
        for socket in idle { socket.shutDown() }
        for (number, loader, ours, theirs, role) in births {
            let request = ForkRequest(
                engine: number, threads: role == .traffic ? options.threads : 1,
                asyncThreads: role == .traffic ? options.threads(of: .async) : 1)
            do {
                try startThread { [self] in listen(to: number, ours) }
            } catch {
                state.withLock { $0.children[number]?.isAtEnd = true }
            }
            // Without a loader the end of `theirs`, here, is the end of the connection.
            _ = loader.fork(request, socket: theirs)
        }
    }

    private typealias Birth = (UInt64, LoaderProcess, PacketSocket, PacketSocket, Role)

    private func wanted(_ state: inout State) -> [Birth] {
        guard !state.isClosed, monotonicNanoseconds() >= state.retryAt else { return [] }
        var births: [Birth] = []
        if state.next == nil {
            if let loading = state.loading, state.loaded != nil {
                state.next = birth(.traffic, from: loading, &state, &births)
            } else if let loader = state.loader {
                let current = state.current.flatMap { state.children[$0] }
                if current == nil || needsReplacement(current) {
                    state.next = birth(.traffic, from: loader, &state, &births)
                }
            }
        }
        if state.quarantine == nil, !state.suspects.isEmpty, let loader = state.loader {
            state.quarantine = birth(.quarantine, from: loader, &state, &births)
        }
        return births
    }

    private func needsReplacement(_ child: Child?) -> Bool {
        guard let child else { return true }
        return child.isAtEnd || child.isDraining || child.scanned >= options.recycleAfter
    }

    private func birth(_ role: Role, from number: UInt64, _ state: inout State, _ births: inout [Birth]) -> UInt64? {
        guard let loader = state.loaders[number], let (ours, theirs) = try? PacketSocket.pair() else {
            state.retryAt = monotonicNanoseconds() + 1_000_000_000
            return nil
        }
        let child = state.newNumber()
        state.children[child] = Child(role: role, loader: number, socket: ours)
        births.append((child, loader, ours, theirs, role))
        return child
    }

    // Engines without a purpose: they drain and have nothing left, or wait for suspects that are no more.
    private func retire(_ state: inout State) -> [PacketSocket] {
        var idle: [PacketSocket] = []
        for (number, child) in state.children where child.isReady && child.jobs.isEmpty && !child.isRetired {
            let isDone =
                switch child.role {
                case .traffic: child.isDraining
                case .quarantine: state.suspects.isEmpty || child.loader != state.loader
                }
            guard isDone else { continue }
            state.children[number]?.isRetired = true
            state.children[number]?.isDraining = true
            if state.quarantine == number { state.quarantine = nil }
            idle.append(child.socket)
        }
        return idle
    }

    func becameReady(_ number: UInt64, sandbox: String) {
        let (isNew, loader) = state.withLock { state -> (Bool, UInt64?) in
            state.children[number]?.isReady = true
            state.failedStarts = 0
            guard state.next == number else { return (false, nil) }
            state.next = nil
            if let old = state.current { state.children[old]?.isDraining = true }
            state.current = number
            return (true, useSignatures(of: number, &state))
        }
        if isNew {
            events.message(
                .info, module: "Engine", "The engine takes samples",
                fields: [("THREADS", "\(options.threads)"), ("SANDBOX", sandbox)])
        }
        if let loader { finishLoading(loader) }
        supervise()
        pump()
    }

    // MARK: Ends

    // Takes leave of every engine whose socket has ended and of whose exit all is known that will be.
    func concludeEnded() {
        let ended = state.withLock { state in
            let ended = state.children.filter { _, child in
                child.isAtEnd && (child.exit != nil || state.loaders[child.loader] == nil)
            }
            for (number, child) in ended {
                state.children[number] = nil
                if state.current == number { state.current = nil }
                if state.next == number { state.next = nil }
                if state.quarantine == number { state.quarantine = nil }
                if !child.isReady {
                    state.failedStarts += 1
                    let wait = min(UInt64(100_000_000) << UInt64(min(state.failedStarts, 7)), 10_000_000_000)
                    state.retryAt = monotonicNanoseconds() + wait
                }
            }
            return ended
        }
        for (number, child) in ended.sorted(by: { $0.key < $1.key }) where !child.isRetired || !child.jobs.isEmpty {
            conclude(number, child)
        }
        closeUnusedLoaders()
        supervise()
        pump()
    }

    private func conclude(_ number: UInt64, _ child: Child) {
        let reason = child.killed ?? Self.words(child.exit)
        let jobs = child.jobs.values.sorted { $0.job.number < $1.job.number }
        let running = jobs.filter { $0.started != nil }
        events.message(
            .warning, module: "Engine",
            child.isReady ? "The engine ended and is replaced" : "The engine ended before it was ready",
            fields: [("REASON", reason), ("SAMPLES", "\(running.count)")])
        if !child.isReady { failLoading(number, child, "an engine with the new signatures does not start: \(reason)") }
        let isForeign = child.killed == nil && child.exit?.signal == SIGKILL
        var lost: [Job] = []
        let isClosed = state.withLock { state in
            for entry in jobs.reversed() where entry.started == nil {
                // It had not begun, so it is as it was.
                if state.isClosed {
                    lost.append(entry.job)
                } else {
                    state.waiting[entry.job.lane]?.insert(entry.job, at: 0)
                }
            }
            for entry in running {
                var job = entry.job
                let isOnly = child.culprits.isEmpty ? running.count == 1 : child.culprits.contains(job.number)
                if isOnly && isForeign { job.kills += 1 }
                if isOnly && !isForeign { job.crashes += 1 }
                if job.crashes >= Self.crashLimit || job.kills >= Self.killLimit || state.isClosed {
                    lost.append(job)
                } else {
                    state.suspects.append(job)
                }
            }
            return state.isClosed
        }
        for job in lost {
            if isClosed {
                job.done(Report(failure: "the engine was closed", of: job.submission))
            } else {
                park(job, reason)
            }
        }
    }

    private static func words(_ exit: (code: Int32, signal: Int32)?) -> String {
        guard let exit else { return "unknown" }
        if exit.signal == 0 { return "exit code \(exit.code)" }
        let name = unsafe strsignal(exit.signal).map { unsafe String(cString: $0) } ?? ""
        return "signal \(exit.signal) (\(name))"
    }

    private func park(_ job: Job, _ reason: String) {
        let submission = job.submission
        let signatures = state.withLock { $0.signatures?.version } ?? ""
        var kept = ""
        do {
            kept = try parked.keep(submission, reason: reason, signatures: signatures) ?? "not kept"
        } catch {
            kept = "not kept: \(error)"
        }
        events.message(
            .error, module: "Engine", "A sample could not be analysed: it ended the engine each time",
            fields: [
                ("FILE", submission.path), ("SOURCE", submission.source), ("REASON", reason),
                ("SHA256", Digests(of: submission.content).sha256), ("KEPT", kept),
            ])
        job.done(
            Report(
                failure:
                    "the analysis failed: the sample ended the engine each time (\(reason)); nothing is known of it",
                of: submission))
    }

    // MARK: Watchdog

    /// Ends an engine; the samples that are to blame are those in `culprits`, or all it has.
    func kill(_ number: UInt64, _ reason: String, culprits: Set<UInt64> = []) {
        let child = state.withLock { state -> Child? in
            guard let child = state.children[number], child.killed == nil else { return nil }
            state.children[number]?.killed = reason
            state.children[number]?.culprits = culprits
            return child
        }
        guard let child else { return }
        if let process = child.process { clinux_signal(process.number, SIGKILL) } else { child.socket.shutDown() }
    }

    // Looks after time and memory, ten times a second, until the engine is closed.
    func watch() {
        let never = DispatchSemaphore(value: 0)
        while !state.withLock({ $0.isClosed }) {
            _ = never.wait(timeout: .now() + .milliseconds(Self.watchMilliseconds))
            let now = monotonicNanoseconds()
            for (number, child) in state.withLock({ $0.children }) {
                if child.isAtEnd, child.exit == nil, let process = child.process {
                    clinux_signal(process.number, SIGKILL)
                }
                guard child.isReady else { continue }
                let late = child.jobs.values.filter { entry in
                    guard let started = entry.started, now > started else { return false }
                    let seconds = Double(now - started) / 1e9
                    return seconds > launch.limits.seconds(forBytes: entry.job.submission.content.count)
                        && seconds > secondsAllowed(for: entry.job)
                }
                if let first = late.first {
                    kill(
                        number, "a scan did not stop after \((secondsAllowed(for: first.job) * 10).rounded() / 10) s",
                        culprits: Set(late.map(\.job.number)))
                }
                watchMemory(number, child)
                placeQueueThreads(of: number, child, now: now)
            }
            supervise()
            pump()
        }
    }

    private func secondsAllowed(for job: Job) -> Double {
        // Only the engine knows whether an archive is a triage collection, which may take longer.
        let content = job.submission.content
        let seconds =
            ArchiveBeginning.isThere(content)
            ? launch.limits.seconds(forCollectionOf: content.count) : launch.limits.seconds(forBytes: content.count)
        return seconds + options.overrunSeconds
    }

    private func watchMemory(_ number: UInt64, _ child: Child) {
        guard launch.memoryLimit > 0, child.pid > 0, let used = Self.privateMemory(of: child.pid) else { return }
        guard let baseline = child.baseline else {
            return state.withLock { $0.children[number]?.baseline = used }
        }
        let taken = used - baseline
        if taken > launch.memoryLimit {
            kill(number, "it took more than the \(launch.memoryLimit) bytes of --engine-memory")
        } else if taken > launch.memoryLimit / 2, child.role == .traffic {
            // What a scan took and will not give back goes with the process.
            state.withLock { state in
                if state.current == number {
                    state.children[number]?.scanned = max(child.scanned, options.recycleAfter)
                }
            }
        }
    }

    // Resident pages that are not backed by files: statm is size, resident, shared, … in pages (proc(5)).
    private static func privateMemory(of pid: Int32) -> Int? {
        guard let statm = try? ByteStore().read(file: "/proc/\(pid)/statm") else { return nil }
        let pages = statm.span.utf8Text.split(separator: " ").compactMap { Int($0) }
        return pages.count > 2 ? (pages[1] - pages[2]) * Int(getpagesize()) : nil
    }
}

// What archives and compressed archives begin with: enough to tell a scan that may take long from one that hangs.
private enum ArchiveBeginning {
    private static let magics: [[UInt8]] = [
        [0x50, 0x4B, 0x03, 0x04], [0x1F, 0x8B], [0x37, 0x7A, 0xBC, 0xAF], [0x42, 0x5A, 0x68], [0xFD, 0x37, 0x7A, 0x58],
        [0x28, 0xB5, 0x2F, 0xFD], [0x52, 0x61, 0x72, 0x21],
    ]

    static func isThere(_ content: Content) -> Bool {
        let start = content.available(at: 0, count: 512)
        return magics.contains { start.span.matches($0, at: 0) }
            || start.span.matches([0x75, 0x73, 0x74, 0x61, 0x72], at: 257)
    }
}
