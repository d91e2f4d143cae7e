import HTTPTypes
import Hummingbird

// Every path of the service in one place. The legacy API and v1 exist side by side; they differ in the shape of
// findings and in one history.

/// All routes.
struct ServiceRoutes: Sendable {
    private typealias Handler = @Sendable (Request, ServiceRequestContext) async throws -> Response

    let core: ServiceCore
    let status: StatusRoutes
    let targets: @Sendable () -> [TargetStatus]

    /// A router that answers everything, with JSON where a client made a mistake.
    func makeRouter() -> Router<ServiceRequestContext> {
        let router = Router(context: ServiceRequestContext.self)
        router.add(middleware: ErrorMiddleware(eventLog: core.eventLog))
        addAPI(to: router, prefix: "/api", format: .legacy)
        addAPI(to: router, prefix: "/api/v1", format: .v3)
        let (status, histories, core) = (status, HistoryRoutes(), core)
        on(router, "/api/info", .get) { request, _ in status.legacyInfo(request) }
        on(router, "/api/v1/info", .get) { request, _ in status.info(request) }
        on(router, "/api/deniedHistory", .get) { request, _ in
            try histories.history(request, of: core.deniedHistory)
        }
        on(router, "/api/v1/openapi.yaml", .get) { _, _ in
            .text(type: "application/yaml", Array(OpenAPIDocument.text.utf8))
        }
        on(router, "/healthz", .get) { _, _ in status.healthy() }
        on(router, "/readyz", .get) { _, _ in try status.ready() }
        let metrics = MetricsRoute(core: core, signatures: status.signatures, targets: targets)
        on(router, "/metrics", .get) { _, _ in metrics.metrics() }
        let pages = PageRoutes(core: core, signatures: status.signatures)
        on(router, "/", .get) { _, _ in pages.landing() }
        on(router, "/page.css", .get) { _, _ in pages.style() }
        on(router, "/page.js", .get) { _, _ in pages.script() }
        return router
    }

    private func addAPI(to router: Router<ServiceRequestContext>, prefix: String, format: ReportFormat) {
        let uploads = UploadRoutes(core: core)
        let results = ResultRoutes(core: core)
        let (status, histories, core) = (status, HistoryRoutes(), core)
        on(router, prefix + "/check", .post) { try await uploads.check($0, $1, format: format) }
        on(router, prefix + "/checkAsync", .post) { try await uploads.checkAsync($0, $1) }
        on(router, prefix + "/getAsyncResults", .get) { request, _ in
            try results.results(request, format: format)
        }
        on(router, prefix + "/status", .get) { request, _ in status.status(request) }
        on(router, prefix + "/queueHistory", .get) { request, _ in
            try histories.history(request, of: core.queueHistory)
        }
        on(router, prefix + "/sampleHistory", .get) { request, _ in
            try histories.history(request, of: core.sampleHistory)
        }
    }

    // One method is answered (HEAD as GET), the others are told which it is.
    private func on(
        _ router: Router<ServiceRequestContext>, _ path: String, _ method: HTTPRequest.Method,
        _ handler: @escaping Handler
    ) {
        router.on(RouterPath(path), method: method, use: handler)
        if method == .get {
            router.on(RouterPath(path), method: .head) { try await handler($0, $1).createHeadResponse() }
        }
        let others: [HTTPRequest.Method] = [.get, .head, .post, .put, .delete, .patch, .options]
        for other in others where other != method && !(method == .get && other == .head) {
            router.on(RouterPath(path), method: other) { _, _ in
                var response = Response.error(
                    APIError(
                        status: .methodNotAllowed, reason: "method_not_allowed",
                        message: "\(path) takes \(method.rawValue) requests only"))
                response.headers[.allow] = method == .get ? "GET, HEAD" : method.rawValue
                return response
            }
        }
    }
}
