import Hummingbird
import Pipeline

// `status`, `info`, and what supervisors ask: none of them needs a scan slot or waits for anything.

/// Tells how the service is doing.
struct StatusRoutes: Sendable {
    let core: ServiceCore
    let signatures: @Sendable () -> SignatureState
    let arguments: [String]
    let yaraVersion: String

    // A list of ten thousand lines in the wrong format does not belong into an answer that is asked for every minute.
    private static let problemLimit = 200

    /// Keys of both API generations; released clients need one or the other.
    func status(_ request: Request) -> Response {
        let now = core.counters.snapshot
        let uptime = core.counters.uptime
        return .json(pretty: RequestQuery(request).isOn("pretty")) { writer in
            writer.object { writer in
                writer.field("scanned_samples", now.scanned)
                writer.field("queued_async_requests", core.queue.count)
                writer.field("avg_scan_time_milliseconds", now.meanScan / 1_000_000)
                writer.field("avg_wait_time_milliseconds", now.meanWait / 1_000_000)
                writer.field("avg_scan_time_ms", now.meanScan / 1_000_000)
                writer.field("avg_total_time_ms", now.meanTotal / 1_000_000)
                writer.field("uptime_seconds", uptime)
                writer.field("uptime_s", uptime)
                writer.field("denied_requests", now.denied)
                writer.key("denied_request_proportion")
                writer.value(Double(now.denied) / Double(max(now.requests, 1)))
                writer.field("verdict_cache_hits", now.cacheHits)
                writer.field("quota_waits", now.quotaWaits)
                writer.field("quota_wait_time_ms", 0)
            }
        }
    }

    /// Versions in the keys of the THOR 10 generation, and what is loaded.
    func legacyInfo(_ request: Request, _ context: ServiceRequestContext) -> Response {
        let state = signatures()
        return .json(pretty: RequestQuery(request).isOn("pretty")) { writer in
            writer.object { writer in
                writer.field("allowed_samples_per_hour", min(context.caller?.uploadsPerMinute ?? 0, .max / 60) * 60)
                writer.field("license_owner", owner(context))
                writer.field("license_expiration_date", expiration(context, style: .legacy))
                writer.field("sigma_version", state.date)
                writer.field("signature_version", state.date)
                writer.field("thor_timestamp", LocalTime(core.started).signatureVersion)
                writer.field("thor_version", thunderstormVersion)
                writer.field("threads", core.engine.threads)
                writer.field("yara_version", yaraVersion)
                write(state, to: &writer)
            }
        }
    }

    /// Versions in the keys of the v1 API, and what is loaded.
    func info(_ request: Request, _ context: ServiceRequestContext) -> Response {
        let state = signatures()
        return .json(pretty: RequestQuery(request).isOn("pretty")) { writer in
            writer.object { writer in
                writer.key("version_info")
                writer.object { writer in
                    writer.field("thor", thunderstormVersion)
                    writer.field("build", "thunderstorm \(thunderstormVersion)")
                    writer.field("signatures", state.date)
                    writer.field("sigma", state.date)
                }
                writer.field("arguments", arguments)
                writer.field("license_expiration", expiration(context, style: .v1))
                writer.field("license_owner", owner(context))
                writer.field("scan_speed_limitation", 0)
                writer.field("threads", core.engine.threads)
                write(state, to: &writer)
            }
        }
    }

    private func owner(_ context: ServiceRequestContext) -> String { context.caller?.owner ?? "none: free software" }

    private enum DateStyle {
        case legacy, v1
    }

    // What the original calls a licence is here how long the caller's token may be used.
    private func expiration(_ context: ServiceRequestContext, style: DateStyle) -> String {
        let text = context.caller?.expires.map { Timestamp(seconds: $0).rfc3339() } ?? "2099-12-31T00:00:00Z"
        return style == .v1 ? text : text.prefix(10).split(separator: "-").joined(separator: "/")
    }

    /// Loads the signatures anew and answers once they are in use, or with the reason why they are not.
    func reload(
        _ request: Request, _ reload: (@Sendable () async throws(ConfigurationError) -> SignatureState)?
    ) async throws(APIError) -> Response {
        guard let reload else {
            throw APIError(
                status: .notImplemented, reason: "no_reload", message: "this service cannot load signatures anew")
        }
        let state: SignatureState
        do {
            state = try await reload()
        } catch {
            throw APIError(
                status: .unprocessableContent, reason: "signatures_not_loaded",
                message: "\(error); the signatures that were loaded before stay in use")
        }
        return .json(pretty: RequestQuery(request).isOn("pretty")) { writer in
            writer.object { writer in write(state, to: &writer) }
        }
    }

    /// The process answers.
    func healthy() -> Response {
        .json { writer in
            writer.object { writer in writer.field("healthy", true) }
        }
    }

    /// Samples are welcome: signatures are loaded, the queue and the disk have room.
    func ready() throws(APIError) -> Response {
        if core.isDraining { throw notReady("shutting_down", "the service is about to end") }
        if signatures().counts.isEmpty { throw notReady("no_signatures", "no signature is loaded") }
        if core.queue.isFull { throw notReady("queue_full", "the queue of async samples is full") }
        if !core.index.isInPlace {
            throw notReady("upload_directory_gone", "the upload directory was removed; restart")
        }
        if core.journal.lastFailure != nil { throw notReady("index_failed", "the index of samples cannot be written") }
        if !core.hasDiskRoom(for: 0) { throw notReady("disk_full", "the disk of the upload directory is full") }
        return .json { writer in
            writer.object { writer in writer.field("ready", true) }
        }
    }

    private func notReady(_ reason: String, _ message: String) -> APIError {
        .busy(reason, message, retryAfter: core.counters.seconds(for: max(core.queue.count / 10, 1)))
    }

    private func write(_ state: SignatureState, to writer: inout JSONWriter) {
        writer.key("signatures")
        writer.object { writer in
            writer.field("version", state.version)
            writer.field("loaded", state.loaded.rfc3339())
            writer.field("age_seconds", max(0, currentTime().seconds - state.loaded.seconds))
            if let failure = state.reloadFailure {
                writer.key("reload_failure")
                writer.object { writer in
                    writer.field("time", failure.time.rfc3339())
                    writer.field("message", failure.message)
                }
            }
            writer.key("counts")
            writer.object { writer in
                for (kind, count) in state.counts.sorted(by: { $0.key < $1.key }) { writer.field(kind, count) }
            }
            writer.field("rejected", state.problems.count { $0.isRejected })
            writer.field("warnings", state.problems.count { !$0.isRejected })
            writer.field("excluded", state.exclusions.names)
            writer.key("problems")
            writer.array { writer in
                for problem in state.problems.prefix(Self.problemLimit) {
                    writer.object { writer in
                        writer.field("file", problem.file)
                        if let line = problem.line { writer.field("line", line) }
                        writer.field("message", problem.message)
                        writer.field("rejected", problem.isRejected)
                    }
                }
            }
        }
    }
}
