import CLinux
import Glibc
import Pipeline

// The loader: a process of this program that loads signatures, looks at no sample, and forks engines. Each engine has
// the compiled signatures from birth, in pages it shares with the loader, so a new one takes milliseconds whatever the
// signatures are, and nothing compiled is ever read back from a file that could have been changed.
//
// Why forking is sound here although this process has threads: at that moment only the calling thread does anything. The
// others are idle workers of the runtime; the child never uses them, it has threads of its own and no queues or tasks
// (`forkProcess`).

/// Runs the process behind `thunderstorm engine`, which the service starts itself; ends with the service.
///
/// Socket 3 leads to the service.
public func runEngineLoader(_ registry: StageRegistry) -> Never {
    var info = stat()
    guard unsafe fstat(3, &info) == 0, info.st_mode & S_IFMT == S_IFSOCK else {
        let text = "thunderstorm: `engine` is started by the service, not by hand\n"
        _ = unsafe write(STDERR_FILENO, text, text.utf8.count)
        exit(2)
    }
    do {
        // A stack of our own size: libyara and nested stages recurse.
        try startThread { EngineLoader(registry, PacketSocket(3)).run() }
    } catch {
        exit(2)
    }
    while true { pause() }
}

private struct EngineLoader {
    private struct Child {
        let engine: UInt64
        let pid: Int32
        let descriptor: Descriptor
    }

    private let registry: StageRegistry
    private let service: PacketSocket

    init(_ registry: StageRegistry, _ service: PacketSocket) {
        self.registry = registry
        self.service = service
    }

    func run() -> Never {
        guard let packet = service.receive(), let launch = try? EngineLaunch(packet.bytes) else { exit(2) }
        let byteStore = ByteStore(temporaryDirectory: launch.temporaryDirectory)
        let setup: ScanSetup
        do {
            setup = try ScanSetup(try ScanSetup.Request(launch, byteStore: byteStore), registry: registry)
        } catch {
            _ = service.send(LoaderMessage.failed("\(error)").encoded)
            exit(1)
        }
        trimHeap()
        _ = service.send(LoaderMessage.loaded(setup.signatures, chain: setup.chain.name).encoded)
        var children: [Child] = []
        while true {
            var waiting = [pollfd(fd: service.descriptor, events: Int16(POLLIN), revents: 0)]
            waiting += children.map { pollfd(fd: $0.descriptor.number, events: Int16(POLLIN), revents: 0) }
            guard unsafe poll(&waiting, nfds_t(waiting.count), -1) >= 0 || errno == EINTR else { exit(1) }
            for (index, child) in children.enumerated().reversed() where waiting[index + 1].revents != 0 {
                tellEnd(of: child)
                children.remove(at: index)
            }
            guard waiting[0].revents != 0 else { continue }
            guard let packet = service.receive(), let socket = packet.descriptors.first,
                let request = try? ForkRequest(packet.bytes)
            else { exit(0) }
            let chain = setup.chain
            let pid = forkProcess(named: "thunder-engine") { runEngine(request, launch, chain, byteStore, socket) }
            if let child = announce(pid, request) { children.append(child) }
        }
    }

    private func announce(_ pid: Int32, _ request: ForkRequest) -> Child? {
        let descriptor = pid > 0 ? clinux_process_descriptor(pid) : -1
        guard descriptor >= 0 else {
            let reason = SystemError("cannot fork").description
            if pid > 0 {
                kill(pid, SIGKILL)
                var (code, number): (Int32, Int32) = (0, 0)
                _ = unsafe clinux_wait(pid, &code, &number)
            }
            _ = service.send(LoaderMessage.notStarted(engine: request.engine, reason: reason).encoded)
            return nil
        }
        let message = LoaderMessage.started(engine: request.engine, pid: pid)
        _ = service.send(message.encoded, descriptors: [descriptor])
        return Child(engine: request.engine, pid: pid, descriptor: Descriptor(descriptor))
    }

    private func tellEnd(of child: Child) {
        var (code, number): (Int32, Int32) = (0, 0)
        _ = unsafe clinux_wait(child.pid, &code, &number)
        _ = service.send(LoaderMessage.ended(engine: child.engine, code: code, signal: number).encoded)
    }
}

extension ScanSetup.Request {
    init(_ launch: EngineLaunch, byteStore: ByteStore) throws {
        var settings = Settings()
        if let file = launch.configurationFile { settings.chains = try Settings(file: file).chains }
        settings.rules = launch.rules
        settings.customSignatures = launch.customSignatures
        settings.chain = launch.chain
        settings.sigmaThreshold = launch.sigmaThreshold
        settings.exclude = launch.excluded
        self = try settings.scanRequest(defaultRules: "", byteStore: byteStore)
        scoring.levels = launch.levels
    }
}
