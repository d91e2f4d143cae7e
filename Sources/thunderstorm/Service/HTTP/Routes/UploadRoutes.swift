import HTTPTypes
import Hummingbird
import NIOPosix
import Pipeline

// `check` and `checkAsync`. Whether there is room is decided before a body is read: a client that waits for leave to
// send it (`Expect: 100-continue`) then gets the 503 or 413 instead of that leave.

/// Takes samples in.
struct UploadRoutes: Sendable {
    let core: ServiceCore

    /// Scans a sample and answers with its findings.
    func check(
        _ request: Request, _ context: ServiceRequestContext, format: ReportFormat
    ) async throws(APIError) -> Response {
        let query = RequestQuery(request)
        let boundary = try admit(request)
        guard core.admission.enter() else {
            throw denied(
                "no_scan_slot", "all scan slots and waiting places are taken", pending: core.admission.count / 4)
        }
        defer { core.admission.leave() }
        let source = query["source"] ?? context.peer
        context.acceptBody()
        var receiver = UploadReceiver(MemorySample(core.byteStore), sizeLimit: core.configuration.maximumFileSize)
        do {
            try await receiver.read(request, boundary: boundary)
        } catch {
            throw logged(error, source: source, path: receiver.path, count: receiver.count)
        }
        let path = receiver.path
        let bytes = try receiver.store.finish()
        let submission = Submission(
            number: core.numbers.nextSample(), path: path, source: source, bytes: bytes, received: currentTime())
        let result = await core.scan(submission, lane: .sync, arrival: monotonicNanoseconds())
        let body = core.encoder.encode(
            result.report, as: format, context: result.context, pretty: query.isOn("pretty"))
        return .text(type: "application/json", body + [0x0A])
    }

    /// Queues a sample and answers with its id.
    func checkAsync(_ request: Request, _ context: ServiceRequestContext) async throws(APIError) -> Response {
        let query = RequestQuery(request)
        let boundary = try admit(request)
        let declared = declaredLength(request) ?? 0
        guard core.queue.reserve(bytes: declared) else {
            throw denied("queue_full", "the queue of async samples is full", pending: core.queue.count / 10)
        }
        defer { core.queue.release(bytes: declared) }
        guard core.hasDiskRoom(for: declared) else {
            throw denied("disk_full", "the disk of the upload directory is full", pending: core.queue.count / 10)
        }
        let source = query["source"] ?? context.peer
        let id = core.numbers.nextAsyncID()
        let file: UploadFile
        do {
            file = try core.directory.newFile(id)
        } catch {
            throw .noRoom(error)
        }
        context.acceptBody()
        var receiver = UploadReceiver(FileSample(file), sizeLimit: core.configuration.maximumFileSize)
        do {
            try await receiver.read(request, boundary: boundary)
            try await receiver.store.finish()
        } catch {
            throw logged(error, source: source, path: receiver.path, count: receiver.count)
        }
        let sample = QueuedSample(
            id: id, path: receiver.path, source: source, received: currentTime(), count: receiver.count)
        do {
            let directory = core.directory
            try await NIOThreadPool.singleton.runIfActive { try directory.keep(file, as: sample) }
        } catch {
            throw .noRoom(error)
        }
        core.results.setWaiting(id)
        core.queue.append(sample)
        core.queueHistory.record()
        return .json(pretty: query.isOn("pretty")) { writer in
            writer.object { writer in writer.field("id", id) }
        }
    }

    // What can be said from the head alone; the boundary if the request may come in.
    private func admit(_ request: Request) throws(APIError) -> [UInt8] {
        core.counters.countRequest()
        if core.isDraining {
            throw denied("shutting_down", "the service is about to end; try again when it is back", pending: 1)
        }
        let boundary = try multipartBoundary(contentType: request.headers[.contentType])
        let limit = core.configuration.maximumFileSize
        if let declared = declaredLength(request), declared - MultipartParser.headerLimit > limit {
            throw .tooLarge(limit: limit)
        }
        return boundary
    }

    private func declaredLength(_ request: Request) -> Int? {
        request.headers[.contentLength].flatMap { Int($0) }.map { max($0, 0) }
    }

    private func denied(_ reason: String, _ message: String, pending: Int) -> APIError {
        core.counters.countDenied()
        core.deniedHistory.record()
        return .busy(reason, message, retryAfter: core.counters.seconds(for: max(pending, 1)))
    }

    // A sample that a host believes to have sent is worth a line in the log.
    private func logged(_ error: APIError, source: String, path: String, count: Int) -> APIError {
        if error == .truncated {
            core.eventLog.message(
                .notice, module: "HTTPServer", "an upload was cut off and not scanned",
                fields: [("SOURCE", source), ("FILE", path), ("RECEIVED", "\(count)")])
        }
        return error
    }
}
