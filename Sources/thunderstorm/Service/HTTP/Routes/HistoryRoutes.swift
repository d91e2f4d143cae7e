import Hummingbird

/// The histories: how many samples were queued, scanned or refused, by minute.
struct HistoryRoutes: Sendable {
    func history(_ request: Request, of history: MinuteHistory) throws(APIError) -> Response {
        let query = RequestQuery(request)
        let aggregate = try query.integer("aggregate", in: 1...525_600) ?? 1
        let limit = try query.integer("limit", in: 0...Int(Int32.max)) ?? 0
        return .json(pretty: query.isOn("pretty")) { writer in
            writer.object { writer in
                for bucket in history.buckets(aggregate: aggregate, limit: limit) {
                    writer.field(bucket.key, bucket.count)
                }
            }
        }
    }
}
