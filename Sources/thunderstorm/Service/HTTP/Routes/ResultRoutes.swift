import Hummingbird

/// `getAsyncResults`: what has become of a queued sample.
struct ResultRoutes: Sendable {
    let core: ServiceCore

    func results(_ request: Request, format: ReportFormat) async throws(APIError) -> Response {
        let query = RequestQuery(request)
        guard let text = query["id"] else {
            throw .badRequest("missing_id", "the parameter id is missing; it is the number that checkAsync answered")
        }
        guard let id = Int64(text), id > 0 else {
            return .json(.badRequest) { writer in
                writer.object { writer in
                    writer.field("status", "invalid")
                    writer.field("message", "id must be the number that checkAsync answered")
                    writer.field("reason", "invalid_id")
                }
            }
        }
        let found: ResultStore.State?
        do {
            found = try await core.results.state(of: id)
        } catch {
            var failed = APIError.failed("the index of results cannot be read; the service's log says why")
            failed.detail = "\(error)"
            throw failed
        }
        guard let state = found else {
            throw .badRequest(
                "unknown_id",
                "there is no sample \(id) in the result cache; it holds the last "
                    + "\(core.configuration.resultCacheSize) results (--server-result-cache-size)")
        }
        return .json(pretty: query.isOn("pretty")) { writer in
            writer.object { writer in
                writer.field("status", state.words)
                if case .complete(let result) = state {
                    writer.key("result")
                    core.encoder.write(result.report, as: format, context: result.context, to: &writer)
                }
            }
        }
    }
}
