import Pipeline
import ServiceLifecycle

/// Takes samples from the queue and has them scanned, so many at a time.
///
/// As many again are with the engine already, so that a thread that is done does not wait until results are stored and
/// the next sample is read.
///
/// On shutdown the scans that run are finished; the rest of the queue waits in the upload directory for the next run.
struct AsyncWorkers: Service {
    let core: ServiceCore
    /// Samples scanned at one time: the threads that are not kept for sync requests.
    let count: Int

    func run() async {
        await withGracefulShutdownHandler {
            await withDiscardingTaskGroup { group in
                for _ in 0..<2 * count {
                    group.addTask { await work() }
                }
            }
            // The queue closes when the service begins to end; services of a group must not end before their turn.
            try? await gracefulShutdown()
        } onGracefulShutdown: {
            core.queue.close()
        }
        core.saveStatistics()
        core.journal.flush()
    }

    private func work() async {
        while let ticket = await core.queue.next() {
            await scan(ticket)
        }
    }

    private func scan(_ ticket: FairQueue.Ticket) async {
        core.results.setScanning(ticket.id)
        do {
            guard let (sample, bytes) = try await queued(ticket) else { return }
            let submission = Submission(
                number: core.numbers.nextSample(), path: sample.path, source: sample.source, bytes: bytes,
                received: sample.received)
            let result = await core.scan(
                submission, sha256: sample.sha256, collection: sample.collection, lane: .async,
                arrival: ticket.arrival)
            if !sample.collection.isEmpty { core.saveStatistics() }
            await core.conclude(
                ticket, result.report.failure == nil ? .complete(result) : .failed, source: sample.source)
        } catch {
            core.eventLog.message(
                .error, module: "HTTPServer", "a queued sample could not be read",
                fields: [
                    ("ID", "\(ticket.id)"), ("ERROR", "\(error)"), ("FILE", core.directory.setAside(ticket.place)),
                ])
            await core.conclude(ticket, .failed, source: "")
        }
    }

    // What the system lacks for the moment is no fault of the sample, which waits until it is there again; for the next
    // run, when this one ends.
    private func queued(_ ticket: FairQueue.Ticket) async throws(SystemError) -> (sample: QueuedSample, bytes: Bytes)? {
        var isSaid = false
        while true {
            do throws(SystemError) {
                return try core.directory.sample(ticket.id, at: ticket.place)
            } catch {
                guard error.isShortage else { throw error }
                if !isSaid {
                    core.eventLog.message(
                        .warning, module: "HTTPServer", "a queued sample waits for what the system lacks",
                        fields: [("ID", "\(ticket.id)"), ("ERROR", "\(error)")])
                    isSaid = true
                }
                if core.isDraining { return nil }
                try? await Task.sleep(for: .milliseconds(200))
            }
        }
    }
}
