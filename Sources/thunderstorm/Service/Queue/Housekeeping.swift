import NIOPosix
import Pipeline
import ServiceLifecycle

/// What has to be done now and then while the service runs.
struct Housekeeping: Service {
    let core: ServiceCore

    func run() async {
        await cancelWhenGracefulShutdown {
            while (try? await Task.sleep(for: .seconds(5))) != nil {
                core.saveStatistics()
                core.lookAround()
                core.collections.tellSilent(core.eventLog)
                core.access.reload(core.eventLog)
                core.certificates?.reload(core.eventLog)
                core.findings?.prune(now: core.now())
                await clean()
            }
        }
    }

    private func clean() async {
        guard let archive = core.archive else { return }
        let now = core.now()
        let removed = try? await NIOThreadPool.singleton.runIfActive { archive.clean(now: now) }
        guard let removed, removed > 0 else { return }
        core.eventLog.message(
            .info, module: "HTTPServer", "stored samples were removed: too old, or beyond the quota",
            fields: [("COUNT", "\(removed)")])
    }
}
