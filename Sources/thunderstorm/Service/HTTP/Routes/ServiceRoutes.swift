import HTTPTypes
import Hummingbird
import Pipeline

// Every path of the service in one place. The legacy API and v1 exist side by side; they differ in the shape of
// findings and in one history.

/// All routes.
struct ServiceRoutes: Sendable {
    private typealias Handler = @Sendable (Request, ServiceRequestContext) async throws -> Response

    let core: ServiceCore
    let status: StatusRoutes
    let targets: @Sendable () -> [TargetStatus]
    /// Loads the signatures anew; nil where that is not possible.
    let reload: (@Sendable () async throws(ConfigurationError) -> SignatureState)?

    /// A router that answers everything, with JSON where a client made a mistake.
    func makeRouter() -> Router<ServiceRequestContext> {
        let router = Router(context: ServiceRequestContext.self)
        router.add(middleware: ErrorMiddleware(eventLog: core.eventLog))
        addAPI(to: router, prefix: "/api", format: .legacy)
        addAPI(to: router, prefix: "/api/v1", format: .v3)
        let (status, histories, core) = (status, HistoryRoutes(), core)
        on(router, "/api/info", .get, .known) { status.legacyInfo($0, $1) }
        on(router, "/api/v1/info", .get, .known) { status.info($0, $1) }
        on(router, "/api/deniedHistory", .get, .scope(.read)) { request, _ in
            try histories.history(request, of: core.histories[.denied])
        }
        let findings = FindingRoutes(core: core)
        on(router, "/api/v1/findings", .get, .scope(.read)) { request, _ in try await findings.list(request) }
        on(router, "/api/v1/findings/{id}", .get, .scope(.read)) { try await findings.one($0, $1) }
        let reload = reload
        on(router, "/api/v1/signatures/reload", .post, .scope(.admin)) { request, _ in
            try await status.reload(request, reload)
        }
        on(router, "/api/v1/openapi.yaml", .get, .open) { _, _ in
            .text(type: "application/yaml", Array(OpenAPIDocument.text.utf8))
        }
        on(router, "/healthz", .get, .open) { _, _ in status.healthy() }
        on(router, "/readyz", .get, .open) { _, _ in try status.ready() }
        let metrics = MetricsRoute(core: core, signatures: status.signatures, targets: targets)
        on(router, "/metrics", .get, .scope(.read)) { _, _ in metrics.metrics() }
        addPages(to: router)
        return router
    }

    private func addPages(to router: Router<ServiceRequestContext>) {
        let pages = PageRoutes(core: core, signatures: status.signatures, reload: reload)
        on(router, "/page.css", .get, .open) { _, _ in pages.style() }
        on(router, "/page.js", .get, .open) { _, _ in pages.script() }
        page(router, "/", [(.get, .page(.read), { try await pages.overview($0, $1) })])
        page(router, "/findings", [(.get, .page(.read), { try await pages.search($0, $1) })])
        page(router, "/findings/{id}", [(.get, .page(.read), { try await pages.finding($0, $1) })])
        page(
            router, "/upload",
            [
                (.get, .page(.submit), { pages.uploadForm($0, $1) }),
                (.post, .page(.submit), { try await pages.upload($0, $1) }),
            ])
        page(router, "/collections", [(.get, .page(.read), { pages.collections($0, $1) })])
        page(router, "/signatures", [(.get, .page(.read), { pages.signatureList($0, $1) })])
        page(
            router, "/signatures/reload", [(.post, .page(.admin), { try await pages.reloadSignatures($0, $1) })])
        page(router, "/api-docs", [(.get, .open, { pages.interface($0, $1) })])
        page(
            router, "/login",
            [
                (.get, .open, { request, _ in pages.signInForm(request) }),
                (.post, .open, { try await pages.signIn($0, $1) }),
            ])
        page(router, "/logout", [(.post, .open, { request, _ in pages.signOut(request) })])
    }

    // A page changes something only when a page of ours asks for it; a browser that is refused gets a page, or the form
    // where tokens are asked for, and other clients the error as JSON.
    private func page(
        _ router: Router<ServiceRequestContext>, _ path: String,
        _ handlers: [(HTTPRequest.Method, RouteAccess, Handler)]
    ) {
        let core = core
        let shown = handlers.map { method, access, handler -> (HTTPRequest.Method, RouteAccess, Handler) in
            let checked = authorized(access, handler)
            return (
                method, .open,
                { request, context in
                    do {
                        guard method == .get || request.isFromOwnPage || request.headers[.authorization] != nil else {
                            let error = APIError(
                                status: .forbidden, reason: "cross_site",
                                message: "only a page of this service may ask for this; programs use /api")
                            core.audit.refused(error.reason, request: request, peer: context.peer, token: "")
                            throw error
                        }
                        return try await checked(request, context)
                    } catch let error as APIError where request.wantsPage {
                        if error.status == .unauthorized {
                            return .see("/login?next=\(queryEscaped(method == .get ? request.uri.string : path))")
                        }
                        if let detail = error.detail {
                            core.eventLog.message(
                                .error, module: "HTTPServer", error.message, fields: [("ERROR", detail)])
                        }
                        return error.page(caller: nil)
                    }
                }
            )
        }
        on(router, path, shown)
    }

    private func addAPI(to router: Router<ServiceRequestContext>, prefix: String, format: ReportFormat) {
        let uploads = UploadRoutes(core: core)
        let results = ResultRoutes(core: core)
        let (status, histories, core) = (status, HistoryRoutes(), core)
        on(router, prefix + "/check", .post, .scope(.submit)) { try await uploads.check($0, $1, format: format) }
        on(router, prefix + "/checkAsync", .post, .scope(.submit)) { try await uploads.checkAsync($0, $1) }
        on(router, prefix + "/getAsyncResults", .get, .scope(.read)) { request, _ in
            try await results.results(request, format: format)
        }
        let collections = CollectionRoutes(core: core)
        on(
            router, prefix + "/collection",
            [
                (.post, .scope(.submit), { try await collections.mark($0, $1) }),
                (.get, .scope(.read), { request, _ in try collections.list(request) }),
            ])
        on(router, prefix + "/status", .get, .known) { request, _ in status.status(request) }
        on(router, prefix + "/queueHistory", .get, .scope(.read)) { request, _ in
            try histories.history(request, of: core.histories[.queued])
        }
        on(router, prefix + "/sampleHistory", .get, .scope(.read)) { request, _ in
            try histories.history(request, of: core.histories[.scanned])
        }
    }

    // Some methods are answered (HEAD as GET), the others are told which.
    private func on(
        _ router: Router<ServiceRequestContext>, _ path: String, _ method: HTTPRequest.Method,
        _ access: RouteAccess, _ handler: @escaping Handler
    ) {
        on(router, path, [(method, access, handler)])
    }

    private func on(
        _ router: Router<ServiceRequestContext>, _ path: String,
        _ handlers: [(HTTPRequest.Method, RouteAccess, Handler)]
    ) {
        var allowed: [HTTPRequest.Method] = []
        for (method, access, handler) in handlers {
            let checked = authorized(access, handler)
            router.on(RouterPath(path), method: method, use: checked)
            allowed.append(method)
            guard method == .get else { continue }
            router.on(RouterPath(path), method: .head) { try await checked($0, $1).createHeadResponse() }
            allowed.append(.head)
        }
        let (list, words) = (
            allowed.map(\.rawValue).joined(separator: ", "),
            handlers.map { $0.0.rawValue }.joined(separator: " and ")
        )
        let others: [HTTPRequest.Method] = [.get, .head, .post, .put, .delete, .patch, .options, .trace]
        for other in others where !allowed.contains(other) {
            router.on(RouterPath(path), method: other) { _, _ in
                var response = Response.error(
                    APIError(
                        status: .methodNotAllowed, reason: "method_not_allowed",
                        message: "\(path) takes \(words) requests only"))
                response.headers[.allow] = list
                return response
            }
        }
    }

    // Before anything of the body is read.
    private func authorized(_ access: RouteAccess, _ handler: @escaping Handler) -> Handler {
        { [core] request, context in
            var context = context
            context.caller = try core.access.check(request, peer: context.peer, needs: access)
            return try await handler(request, context)
        }
    }
}
