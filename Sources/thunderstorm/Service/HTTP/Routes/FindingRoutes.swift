import Hummingbird
import NIOPosix
import Pipeline

// `findings`: what was found, to be searched.

/// Tells about findings that are kept.
struct FindingRoutes: Sendable {
    let core: ServiceCore

    /// A page of a search.
    func list(_ request: Request) async throws(APIError) -> Response {
        let parameters = RequestQuery(request)
        let query = try FindingQuery(parameters)
        let page = try await read { try $0.page(query) }
        return .json(pretty: parameters.isOn("pretty")) { writer in
            writer.object { writer in
                writer.key("findings")
                writer.array { writer in
                    for finding in page.findings { Self.write(finding, to: &writer) }
                }
                writer.key("next")
                if let next = page.next { writer.value(next.text) } else { writer.null() }
                writer.key("looked_back_to")
                if let time = page.lookedBackTo { writer.value(time.rfc3339()) } else { writer.null() }
            }
        }
    }

    /// One finding, as logs have it.
    func one(_ request: Request, _ context: ServiceRequestContext) async throws(APIError) -> Response {
        guard let id = context.parameters.get("id").flatMap({ Int64($0) }), id > 0 else {
            throw .badRequest("invalid_id", "the last part of the path must be the number of a finding")
        }
        let found = try await finding(id)
        return .json(pretty: RequestQuery(request).isOn("pretty")) { writer in
            FindingEncoderV3().write(found.finding, found.summary.context, to: &writer)
        }
    }

    /// One finding with its line in lists.
    ///
    /// - Throws: `APIError` when there is none.
    func finding(_ id: Int64) async throws(APIError) -> (summary: FindingSummary, finding: Finding) {
        guard let found = try await read({ try $0.finding(id) }) else {
            throw APIError(
                status: .notFound, reason: "unknown_finding",
                message: "there is no finding \(id), or not any more: they go after "
                    + "\((core.configuration.findings?.age ?? 0) / 86_400) days (--findings-age) or when there are more "
                    + "than \(core.configuration.findings?.count ?? 0) (--findings-limit); the logs have them")
        }
        return found
    }

    /// Reads the store, off the threads of the server.
    ///
    /// - Throws: `APIError` when there is none, or it cannot be read.
    func read<T: Sendable>(_ body: @escaping @Sendable (FindingStore) throws -> T) async throws(APIError) -> T {
        guard let store = core.findings else {
            throw APIError(
                status: .notFound, reason: "no_findings_kept",
                message: "this service keeps no findings (--findings-limit 0); the logs have them")
        }
        do {
            return try await NIOThreadPool.singleton.runIfActive { try body(store) }
        } catch {
            var failed = APIError.failed("the store of findings cannot be read; the service's log says why")
            failed.detail = "\(error)"
            throw failed
        }
    }

    private static func write(_ finding: FindingSummary, to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("id", finding.id)
            writer.field("time", finding.time.rfc3339(fractionDigits: 3))
            writer.field("level", finding.level.name)
            writer.field("score", finding.score)
            writer.field("source", finding.source)
            writer.field("scan_id", finding.scanID)
            writer.field("kind", finding.kind)
            writer.field("name", finding.name)
            writer.field("summary", finding.summary)
            writer.field("sha256", finding.sha256)
            writer.field("rules", finding.rules)
        }
    }
}

extension FindingSummary {
    /// Context of its event.
    var context: EventContext { EventContext(time: time, hostname: source, scanID: scanID) }
}

extension FindingQuery {
    /// What a client asks for.
    ///
    /// - Throws: `APIError` naming the parameter that is not what it should be.
    init(_ query: RequestQuery) throws(APIError) {
        source = query["source"]
        rule = query["rule"]
        scan = query["scan"]
        if let text = query["hash"].map(Self.trimmed) {
            guard FindingTerm.hash(text) != nil else {
                throw .badRequest(
                    "invalid_hash", "hash must be an MD5, SHA-1 or SHA-256: 32, 40 or 64 hexadecimal digits")
            }
            hash = text
        }
        if let name = query["level"] {
            guard let level = Level(name: name) else {
                throw .badRequest("invalid_level", "level must be one of alert, warning, error, notice, info, debug")
            }
            minimumLevel = level
        }
        since = try Self.time("since", query)
        until = try Self.time("until", query)
        if let text = query["before"] {
            let parts = text.split(separator: "-", maxSplits: 1)
            guard parts.count == 2, let seconds = Int64(parts[0]), let id = Int64(parts[1]), id > 0 else {
                throw .badRequest("invalid_before", "before must be the value of next in the page before")
            }
            before = Cursor(seconds: seconds, id: id)
        }
        limit = try query.integer("limit", in: Self.limits) ?? limit
    }

    private static func time(_ key: String, _ query: RequestQuery) throws(APIError) -> Int64? {
        guard let text = query[key].map(trimmed) else { return nil }
        guard let seconds = seconds(of: text) else {
            throw .badRequest(
                "invalid_\(key)", "\(key) must be a date or a time as in 2026-01-02 or 2026-01-02T15:04:05Z")
        }
        return seconds
    }

    // RFC 3339 with the shortenings that browsers' forms make: a date alone, no seconds, no zone.
    private static func seconds(of text: String) -> Int64? {
        let pattern =
            /(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.\d+)?)?(?:([Zz])|([+-])(\d\d):?(\d\d))?)?/
        guard let match = text.wholeMatch(of: pattern) else { return nil }
        func number(_ part: Substring?) -> Int { part.flatMap { Int($0) } ?? 0 }
        let (_, year, month, day, hour, minute, second, _, sign, zoneHour, zoneMinute) = match.output
        let time = Timestamp(
            year: number(year), month: number(month), day: number(day), hour: number(hour), minute: number(minute),
            second: number(second))
        let zone = Int64(number(zoneHour) * 3_600 + number(zoneMinute) * 60)
        return time.map { $0.seconds - (sign == "-" ? -zone : zone) }
    }

    private static func trimmed(_ text: String) -> String {
        String(text.drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed())
    }
}
