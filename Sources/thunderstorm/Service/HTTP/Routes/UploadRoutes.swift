import HTTPTypes
import Hummingbird
import NIOPosix
import Pipeline

// `check` and `checkAsync`. Whether there is room is decided before a body is read: a client that waits for leave to
// send it (`Expect: 100-continue`) then gets the 503 or 413 instead of that leave.

/// Takes samples in.
struct UploadRoutes: Sendable {
    // What is known of an upload from its head.
    private struct Admitted {
        var source: String
        var boundary: [UInt8]
        // Bytes of the body; nil when its head does not say.
        var declared: Int?
        // Who was charged with it.
        var accounts: [(name: String, allowance: Allowance)]
    }

    let core: ServiceCore

    /// Scans a sample and answers with its findings.
    func check(
        _ request: Request, _ context: ServiceRequestContext, format: ReportFormat
    ) async throws(APIError) -> Response {
        let result = try await scan(request, context)
        let body = core.encoder.encode(
            result.report, as: format, context: result.context, pretty: RequestQuery(request).isOn("pretty"))
        return .text(type: "application/json", body + [0x0A])
    }

    /// Scans a sample.
    ///
    /// - Parameter readsSource: Whether a field of the form names the source: the page's form has one.
    func scan(
        _ request: Request, _ context: ServiceRequestContext, readsSource: Bool = false
    ) async throws(APIError) -> StoredResult {
        let upload = try admit(request, context)
        do {
            return try await scan(request, context, upload, readsSource: readsSource)
        } catch {
            giveBack(upload, after: error)
            throw error
        }
    }

    /// Queues a sample and answers with its id.
    func checkAsync(_ request: Request, _ context: ServiceRequestContext) async throws(APIError) -> Response {
        let upload = try admit(request, context)
        do {
            return try await enqueue(request, context, upload)
        } catch {
            giveBack(upload, after: error)
            throw error
        }
    }

    private func scan(
        _ request: Request, _ context: ServiceRequestContext, _ upload: Admitted, readsSource: Bool
    ) async throws(APIError) -> StoredResult {
        let declared = upload.declared
        // Refused now rather than after its body; a place is taken when the body is here.
        if core.admission.isFull { throw noScanSlot() }
        guard hasRoomInMemory(for: declared) || core.hasDiskRoom(for: declared ?? 0) else {
            throw denied("disk_full", "the disk of the upload directory is full", pending: core.admission.count / 4)
        }
        guard core.arrivals.enter() else { throw tooManyUploads() }
        context.acceptBody()
        var receiver = UploadReceiver(
            MemorySample(core.byteStore, isDigestedOnItsWay: !core.digests.takes(declared: declared)),
            sizeLimit: core.configuration.maximumFileSize)
        do {
            defer { core.arrivals.leave() }
            try await receiver.read(request, boundary: upload.boundary)
        } catch {
            throw logged(error, source: upload.source, path: receiver.path, count: receiver.count)
        }
        let (path, field) = (receiver.path, readsSource ? receiver.source : nil)
        guard core.admission.enter() else { throw noScanSlot() }
        defer { core.admission.leave() }
        let (bytes, sha256) = try receiver.store.finish(core.digests)
        if declared == nil { account(upload, undeclared: bytes.count) }
        let collection = core.collections.countReceived(RequestQuery(request)["scan_id"], bytes: bytes.count)
        let submission = Submission(
            number: core.numbers.nextSample(), path: path, source: field.map(boundedClientText) ?? upload.source,
            bytes: bytes, received: core.now())
        return await core.scan(
            submission, sha256: sha256, collection: collection, lane: .sync, arrival: monotonicNanoseconds())
    }

    private func enqueue(
        _ request: Request, _ context: ServiceRequestContext, _ upload: Admitted
    ) async throws(APIError) -> Response {
        let query = RequestQuery(request)
        let expected = upload.declared ?? 0
        guard core.queue.reserve(bytes: expected) else {
            throw denied("queue_full", "the queue of async samples is full", pending: core.queue.count / 10)
        }
        defer { core.queue.release(bytes: expected) }
        guard core.hasDiskRoom(for: expected) else {
            throw denied("disk_full", "the disk of the upload directory is full", pending: core.queue.count / 10)
        }
        guard core.arrivals.enter() else { throw tooManyUploads() }
        defer { core.arrivals.leave() }
        let id = core.numbers.nextAsyncID()
        context.acceptBody()
        var receiver = UploadReceiver(FileSample(id, core.directory), sizeLimit: core.configuration.maximumFileSize)
        do {
            try await receiver.read(request, boundary: upload.boundary)
        } catch {
            throw logged(error, source: upload.source, path: receiver.path, count: receiver.count)
        }
        var sample = QueuedSample(
            id: id, path: receiver.path, source: upload.source, received: core.now(), count: receiver.count,
            sha256: receiver.store.sha256)
        sample.collection = core.collections.countReceived(query["scan_id"], bytes: sample.count)
        let received = try await receiver.store.finish(with: sample.trailer)
        // The run's count is in the same commit.
        if !sample.collection.isEmpty { core.saveStatistics() }
        let place: SamplePlace
        do {
            place = try await core.journal.accept(received, as: sample)
        } catch {
            throw .noRoom(error)
        }
        if upload.declared == nil { account(upload, undeclared: sample.count) }
        core.queue.append(id: id, at: place, source: upload.source, count: sample.count)
        core.histories[.queued].record(at: core.now())
        return .json(pretty: query.isOn("pretty")) { writer in
            writer.object { writer in writer.field("id", id) }
        }
    }

    // What can be said from the head alone; whoever sends the upload is charged with it.
    private func admit(_ request: Request, _ context: ServiceRequestContext) throws(APIError) -> Admitted {
        core.counters.countRequest()
        if core.isDraining {
            throw denied("shutting_down", "the service is about to end; try again when it is back", pending: 1)
        }
        let boundary = try multipartBoundary(contentType: request.headers[.contentType])
        let declared = declaredLength(request)
        let limit = core.configuration.maximumFileSize
        if let declared, declared - MultipartParser.headerLimit > limit {
            throw .tooLarge(limit: limit)
        }
        let source = boundedClientText(RequestQuery(request)["source"] ?? context.peer)
        var upload = Admitted(source: source, boundary: boundary, declared: declared, accounts: [])
        try account(&upload, request, context)
        return upload
    }

    // Sources and tokens that send too much wait, with 503: clients of the original give up on any other status.
    private func account(
        _ upload: inout Admitted, _ request: Request, _ context: ServiceRequestContext
    ) throws(APIError) {
        var accounts = [("source " + upload.source, core.configuration.sourceAllowance)]
        if let caller = context.caller {
            accounts.append(
                (
                    "token " + caller.id,
                    Allowance(uploadsPerMinute: caller.uploadsPerMinute, bytesPerDay: caller.bytesPerDay)
                ))
        }
        for (name, allowance) in accounts {
            guard let refusal = core.rates.take(name, allowance, bytes: upload.declared ?? 0) else {
                upload.accounts.append((name, allowance))
                continue
            }
            core.counters.countQuotaWait()
            core.counters.countDenied()
            core.histories[.denied].record(at: core.now())
            let error: APIError
            switch refusal {
            case .rate(let seconds):
                error = .busy("rate_limit", "too many uploads a minute from this \(name)", retryAfter: seconds)
            case .quota(let seconds):
                error = .busy("quota", "too many bytes a day from this \(name)", retryAfter: seconds)
            }
            core.audit.refused(error.reason, request: request, peer: context.peer, token: context.caller?.id ?? "")
            giveBack(upload, after: error)
            throw error
        }
    }

    // A body without a declared length counts when its sample is taken.
    private func account(_ upload: Admitted, undeclared bytes: Int) {
        for (name, _) in upload.accounts { core.rates.add(name, bytes: bytes) }
    }

    // The bytes of a sample that was not taken do not count. The upload does, so that a flood of wrong ones is held up,
    // unless the client could do nothing about it.
    private func giveBack(_ upload: Admitted, after error: APIError) {
        for (name, allowance) in upload.accounts {
            core.rates.giveBack(
                name, allowance, bytes: upload.declared ?? 0, upload: error.status == .serviceUnavailable)
        }
    }

    private func noScanSlot() -> APIError {
        denied("no_scan_slot", "all scan slots and waiting places are taken", pending: core.admission.count / 4)
    }

    private func tooManyUploads() -> APIError {
        denied("too_many_uploads", "too many uploads are coming in at one time", pending: core.arrivals.count / 4)
    }

    private func hasRoomInMemory(for declared: Int?) -> Bool {
        guard let declared else { return core.byteStore.memoryInUse < core.byteStore.memoryLimit / 2 }
        return declared <= core.byteStore.largestInMemory
            && core.byteStore.memoryInUse <= core.byteStore.memoryLimit - declared
    }

    private func declaredLength(_ request: Request) -> Int? {
        request.headers[.contentLength].flatMap { Int($0) }.map { max($0, 0) }
    }

    private func denied(_ reason: String, _ message: String, pending: Int) -> APIError {
        core.counters.countDenied()
        core.histories[.denied].record(at: core.now())
        return .busy(reason, message, retryAfter: core.counters.seconds(for: max(pending, 1)))
    }

    // A sample that a host believes to have sent is worth a line in the log.
    private func logged(_ error: APIError, source: String, path: String, count: Int) -> APIError {
        if error == .truncated || error == .tooSlow {
            core.eventLog.message(
                .notice, module: "HTTPServer",
                error == .truncated
                    ? "an upload was cut off and not scanned" : "an upload came too slowly and was not scanned",
                fields: [("SOURCE", source), ("FILE", path), ("RECEIVED", "\(count)")])
        }
        return error
    }
}
