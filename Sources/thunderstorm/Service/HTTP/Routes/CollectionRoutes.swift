import FoundationEssentials
import HTTPTypes
import Hummingbird
import NIOCore
import Pipeline

// `collection`: markers of collectors, and what became of their runs.

/// Takes markers and tells about runs.
struct CollectionRoutes: Sendable {
    // Markers are small; what is longer is none.
    private static let bodyLimit = 64 << 10
    private static let listLimit = 1000

    private struct Marker: Decodable {
        var type: String
        var source: String?
        var hostname: String?
        var collector: String?
        var timestamp: String?
        var scanID: String?
        var stats: [String: Double?]?

        enum CodingKeys: String, CodingKey {
            case type, source, hostname, collector, timestamp, stats
            case scanID = "scan_id"
        }
    }

    let core: ServiceCore

    /// A run begins or ends.
    func mark(_ request: Request, _ context: ServiceRequestContext) async throws(APIError) -> Response {
        context.acceptBody()
        let marker = try await read(request)
        let source = text(marker.source) ?? text(RequestQuery(request)["source"]) ?? context.peer
        let hostname = text(marker.hostname) ?? source
        let collector = text(marker.collector) ?? ""
        let stats = CollectionStats((marker.stats ?? [:]).compactMapValues { $0 })
        var scanID = text(marker.scanID) ?? ""
        var isKnown = true
        switch marker.type {
        case "begin": scanID = core.collections.begin(source: source, hostname: hostname, collector: collector)
        case "end": isKnown = core.collections.end(scanID, as: .ended, reported: stats.kept)
        case "interrupted": isKnown = core.collections.end(scanID, as: .interrupted, reported: stats.kept)
        default:
            throw .badRequest("invalid_type", "the key type must be begin, end or interrupted")
        }
        core.saveStatistics()
        core.eventLog.message(
            .info, module: "HTTPServer", "collection \(marker.type)",
            fields: [
                ("SCANID", scanID), ("SOURCE", source), ("HOSTNAME", hostname), ("COLLECTOR", collector),
                ("TIMESTAMP", text(marker.timestamp) ?? ""), ("KNOWN", "\(isKnown)"),
            ] + stats.fields)
        return .json { writer in
            writer.object { writer in
                writer.field("scan_id", scanID)
                writer.key("known")
                writer.value(isKnown)
                if stats.leftOut > 0 { writer.field("stats_left_out", stats.leftOut) }
            }
        }
    }

    /// One run, or the newest ones; `state=silent` shows hosts that never said that they were done.
    func list(_ request: Request) throws(APIError) -> Response {
        let query = RequestQuery(request)
        if let id = query["scan_id"] {
            guard let run = core.collections.run(id) else {
                throw APIError(
                    status: .notFound, reason: "unknown_scan_id",
                    message: "there is no collection with this scan_id; the last \(CollectionRun.limit) are kept")
            }
            return .json(pretty: query.isOn("pretty")) { write(run, to: &$0) }
        }
        let limit = try query.integer("limit", in: 1...Self.listLimit) ?? Self.listLimit
        let state = query["state"]
        let known = ["running", "ended", "interrupted", "silent"]
        if let state, !known.contains(state) {
            throw .badRequest("invalid_state", "state must be one of \(known.joined(separator: ", "))")
        }
        let runs = core.collections.all.filter { run in
            switch state {
            case nil: true
            case "silent": core.collections.isSilent(run)
            default: run.state.rawValue == state
            }
        }
        return .json(pretty: query.isOn("pretty")) { writer in
            writer.array { writer in
                for run in runs.prefix(limit) { write(run, to: &writer) }
            }
        }
    }

    private func write(_ run: CollectionRun, to writer: inout JSONWriter) {
        func time(_ seconds: Int64) -> String { Timestamp(seconds: seconds).rfc3339() }
        writer.object { writer in
            writer.field("scan_id", run.scanID)
            writer.field("source", run.source)
            writer.field("hostname", run.hostname)
            writer.field("collector", run.collector)
            writer.field("state", run.state.rawValue)
            writer.key("silent")
            writer.value(core.collections.isSilent(run))
            writer.field("began", time(run.began))
            writer.field("last_heard", time(run.lastHeard))
            if let ended = run.ended { writer.field("ended", time(ended)) }
            writer.field("received", run.received)
            writer.field("received_bytes", run.receivedBytes)
            writer.field("scanned", run.scanned)
            writer.field("failed", run.failed)
            for level in ["alert", "warning", "notice"] { writer.field(level + "s", run.levels[level] ?? 0) }
            writer.key("reported")
            writer.object { writer in
                for (key, value) in run.reported.sorted(by: { $0.key < $1.key }) {
                    writer.key(key)
                    writer.value(value)
                }
            }
        }
    }

    private func read(_ request: Request) async throws(APIError) -> Marker {
        var body: [UInt8] = []
        do {
            for try await chunk in request.body {
                body += chunk.readableBytesView
                guard body.count <= Self.bodyLimit else {
                    throw APIError.formTooLarge(limit: Self.bodyLimit)
                }
            }
        } catch let error as APIError {
            throw error
        } catch {
            throw .truncated
        }
        guard let marker = try? JSONDecoder().decode(Marker.self, from: Data(body)) else {
            throw .badRequest("invalid_json", "the body must be a JSON object with the key type")
        }
        return marker
    }

    private func text(_ value: String?) -> String? {
        guard let value, !value.isEmpty else { return nil }
        return boundedClientText(value)
    }
}
