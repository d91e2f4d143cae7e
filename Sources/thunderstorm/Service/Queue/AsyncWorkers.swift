import Pipeline
import ServiceLifecycle

/// Takes samples from the queue and has them scanned, so many at a time.
///
/// On shutdown the scans that run are finished; the rest of the queue waits in the upload directory for the next run.
struct AsyncWorkers: Service {
    let core: ServiceCore
    /// Samples scanned at one time: the threads that are not kept for sync requests.
    let count: Int

    func run() async {
        await withGracefulShutdownHandler {
            await withDiscardingTaskGroup { group in
                for _ in 0..<count {
                    group.addTask { await work() }
                }
            }
            // The queue closes when the service begins to end; services of a group must not end before their turn.
            try? await gracefulShutdown()
        } onGracefulShutdown: {
            core.queue.close()
        }
    }

    private func work() async {
        while let sample = await core.queue.next() {
            await scan(sample)
        }
    }

    private func scan(_ sample: QueuedSample) async {
        core.results.setScanning(sample.id)
        do {
            let bytes = try core.directory.bytes(of: sample)
            let submission = Submission(
                number: core.numbers.nextSample(), path: sample.path, source: sample.source, bytes: bytes,
                received: sample.received)
            core.results.setComplete(
                sample.id, await core.scan(submission, lane: .async, arrival: sample.arrival))
        } catch {
            core.results.setFailed(sample.id)
            core.eventLog.message(
                .error, module: "HTTPServer", "a queued sample could not be read",
                fields: [("ID", "\(sample.id)"), ("ERROR", "\(error)")])
        }
        core.directory.remove(sample.id)
    }
}
