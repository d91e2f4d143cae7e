import CLinux
import Glibc
import Pipeline

// An engine, from its fork to its end: it locks itself in, takes samples from its socket, and answers with reports. It
// ends when its socket does.

func runEngine(
    _ request: ForkRequest, _ launch: EngineLaunch, _ chain: Chain, _ byteStore: ByteStore, _ inherited: Descriptor
) -> Never {
    // The socket becomes descriptor 3, in place of the loader's; nothing else of the loader stays open.
    guard dup2(inherited.number, 3) == 3 else { _exit(70) }
    clinux_close_from(4)
    let socket = PacketSocket(3)
    // What it starts stands back with it.
    let forClients = min(launch.niceness, EngineLaunch.mostForClients)
    if forClients > 0 { _ = nice(Int32(forClients)) }
    var said: [String] = []
    // Before there are threads, limits and the sandbox: what stages start here is not locked in.
    do {
        try chain.prepare(threads: request.threads)
    } catch {
        said.append("a stage misses something: \(error)")
    }
    let stacks = (request.threads + request.asyncThreads + 2) * (8 << 20)
    clinux_become_engine(
        launch.memoryLimit > 0 ? UInt64(privateMemory() + launch.memoryLimit + launch.memoryLimit / 4 + stacks) : 0)
    var directory: Int32 = -1
    do {
        directory = try byteStore.pinTemporaryDirectory()
    } catch {
        said.append("no temporary files: \(error)")
    }
    // A thread cannot come forward again once it stands back, so both lanes have threads. The service sees to it that no
    // more scans run than there are threads for sync jobs.
    let syncEngine: InProcessEngine
    let asyncEngine: InProcessEngine
    do {
        syncEngine = try InProcessEngine(
            chain: chain, threads: request.threads, limits: launch.limits, byteStore: byteStore, warmUp: true)
        asyncEngine = try InProcessEngine(
            chain: chain, threads: request.asyncThreads, niceness: launch.niceness - forClients, limits: launch.limits,
            byteStore: byteStore, warmUp: true)
    } catch {
        _exit(71)
    }
    // After the threads are there and have scanned something: what a library opens when it is first used is open now.
    let refused = clinux_sandbox(directory)
    said.insert(
        refused == 0
            ? "no_new_privs and a seccomp filter: no files, no network, no programs"
            : "none: \(SystemError("the kernel has no seccomp filters", number: refused))", at: 0)
    guard socket.send(EngineAnswer.ready(sandbox: said.joined(separator: "; ")).encoded) == .sent else { _exit(0) }
    // An answer that gets lost would leave its sample waiting for the time limit, or a hole in the audit trail: this engine
    // ends then, and its samples are tried again.
    @Sendable func answer(_ answer: EngineAnswer) {
        guard socket.send(answer.encoded) == .sent else { _exit(73) }
    }
    while let packet = socket.receive() {
        var reader = BinaryReader(packet.bytes)
        guard let request = try? ScanRequest(from: &reader) else { _exit(72) }
        do {
            let submission = try submission(request, packet, inPacket: reader.rest)
            let witness = request.trail.map { trail in
                TrailWitness(
                    context: EventContext(
                        time: submission.received, hostname: submission.source, scanID: trail.id),
                    hidesPersonalData: trail.hidesPersonalData
                ) { lines in answer(.seen(lines)) }
            }
            let engine = request.lane == .sync ? syncEngine : asyncEngine
            engine.submit(submission, lane: request.lane, witness: witness) { report in
                witness?.finish()
                answer(.report(number: request.number, report: report))
            }
        } catch {
            answer(.failed(number: request.number, reason: "\(error)"))
        }
    }
    _exit(0)
}

private func submission(
    _ request: ScanRequest, _ packet: Packet, inPacket rest: Bytes
) throws(SystemError) -> Submission {
    var files = packet.descriptors[...]
    func next(offset: Int, count: Int) throws(SystemError) -> Bytes {
        guard let file = files.popFirst() else { throw SystemError("a sample came without its file", number: EPROTO) }
        return try bytes(of: file, offset: offset, count: count)
    }
    let content: Content
    switch request.content {
    case .inPacket: content = .whole(rest)
    case .inFile(let offset): content = .whole(try next(offset: offset, count: request.header.count))
    case .inPieces:
        guard let file = files.popFirst() else { throw SystemError("a sample came without its file", number: EPROTO) }
        let own = fcntl(file.number, F_DUPFD_CLOEXEC, 0)
        // It may have grown since.
        content = .file(try FileContent(owning: own, path: request.header.path, count: request.header.count))
    }
    var companions: [Bytes] = []
    for (offset, companion) in zip(request.companionOffsets, request.header.companions) {
        companions.append(try next(offset: offset, count: companion.count))
    }
    guard content.count == request.header.count,
        let submission = request.header.submission(content: content, companions: companions)
    else { throw SystemError("a sample came in parts that do not fit", number: EPROTO) }
    return submission
}

private func bytes(of file: Descriptor, offset: Int, count: Int) throws(SystemError) -> Bytes {
    if count <= ScanRequest.copyLimit {
        return try Bytes.read(file.number, at: offset, count: count, of: "a sample's file")
    }
    let (end, overflow) = offset.addingReportingOverflow(count)
    var info = stat()
    guard !overflow, unsafe fstat(file.number, &info) == 0, Int(info.st_size) >= end,
        let found = try ByteStore.map(descriptor: file.number, count: end).slice(at: offset, count: count)
    else { throw SystemError("a sample's file is shorter than it was", number: EIO) }
    return found
}

// Data and stack of this process in bytes, as RLIMIT_DATA counts them.
private func privateMemory() -> Int {
    guard let statm = try? ByteStore().read(file: "/proc/self/statm") else { return 0 }
    let pages = statm.span.utf8Text.split(separator: " ").compactMap { Int($0) }
    return pages.count > 5 ? pages[5] * Int(getpagesize()) : 0
}
