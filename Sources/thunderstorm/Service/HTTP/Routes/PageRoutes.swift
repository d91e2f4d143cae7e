import HTTPTypes
import Hummingbird
import NIOCore
import Pipeline

/// The pages that people look at, with their style and script.
struct PageRoutes: Sendable {
    let core: ServiceCore
    let signatures: @Sendable () -> SignatureState
    /// Loads the signatures anew; nil where that is not possible.
    let reload: (@Sendable () async throws(ConfigurationError) -> SignatureState)?

    // Rules and sources that forms offer.
    private static let choices = 50
    private static let tops = 8
    // A token and the address of a page.
    private static let formLimit = 8 << 10

    private var findings: FindingRoutes { FindingRoutes(core: core) }

    /// The overview.
    func overview(_ request: Request, _ context: ServiceRequestContext) async throws(APIError) -> Response {
        let span = RequestQuery(request)["span"].flatMap { OverviewPage.Span(rawValue: $0) } ?? .hour
        let now = core.now()
        var stored: OverviewPage.Stored?
        if core.findings != nil {
            stored = try await findings.read { store in
                let step = span.storedStep
                let each = Int(span.step / step)
                let counts = try store.counts(step: step, from: span.start(now: now), buckets: span.buckets * each)
                return OverviewPage.Stored(
                    state: try store.state(),
                    columns: stride(from: 0, to: counts.count, by: each).map { start in
                        counts[start..<start + each].reduce(into: [:]) { sums, part in
                            sums.merge(part, uniquingKeysWith: +)
                        }
                    }, rules: try store.top("rule", Self.tops), sources: try store.top("source", Self.tops))
            }
        }
        core.lookAround()
        let page = OverviewPage(core: core, signatures: signatures(), span: span, stored: stored, now: now)
        return layout("Overview", .overview, context, page.main).response()
    }

    /// A search with its results.
    func search(_ request: Request, _ context: ServiceRequestContext) async throws(APIError) -> Response {
        let asked = RequestQuery(request)
        let (rules, sources) = try await findings.read { store in
            (try store.top("rule", Self.choices).map(\.value), try store.top("source", Self.choices).map(\.value))
        }
        var page = FindingsPage(asked: asked, page: nil, rules: rules, sources: sources)
        var status = HTTPResponse.Status.ok
        do {
            let query = try FindingQuery(asked)
            let found = try await findings.read { try $0.page(query) }
            page = FindingsPage(asked: asked, page: found, rules: rules, sources: sources)
            if found.findings.isEmpty, let rule = query.rule, query.before == nil {
                page.alike = try await findings.read { try $0.rules(like: rule, Self.choices) }
                    .filter { $0.lowercased() != rule.lowercased() }
            }
        } catch  where error.status == .badRequest {
            page.problem = error.message
            status = .badRequest
        }
        return layout("Findings", .findings, context, page.main).response(status)
    }

    /// One finding.
    func finding(_ request: Request, _ context: ServiceRequestContext) async throws(APIError) -> Response {
        guard let id = context.parameters.get("id").flatMap({ Int64($0) }), id > 0 else {
            throw APIError(status: .notFound, reason: "unknown_finding", message: "there is no such finding")
        }
        let found = try await findings.finding(id)
        let main = FindingDetail.page(found.finding, found.summary)
        return layout("Finding \(id)", .findings, context, main).response()
    }

    /// The form for a file.
    func uploadForm(_ request: Request, _ context: ServiceRequestContext) -> Response {
        layout("Upload", .upload, context, uploadPage().main).response()
    }

    /// Scans the file of the form and shows what came of it.
    func upload(_ request: Request, _ context: ServiceRequestContext) async throws(APIError) -> Response {
        var page = uploadPage()
        do {
            page.result = try await UploadRoutes(core: core).scan(request, context, readsSource: true)
            return layout("Result", .upload, context, page.main).response()
        } catch  where request.wantsPage {
            page.problem = error.message
            var response = layout("Upload", .upload, context, page.main).response(error.status)
            if let seconds = error.retryAfter { response.headers[.retryAfter] = "\(seconds)" }
            if error.closesConnection { response.headers[.connection] = "close" }
            return response
        }
    }

    /// Runs of collectors.
    func collections(_ request: Request, _ context: ServiceRequestContext) -> Response {
        let asked = RequestQuery(request)["state"] ?? "all"
        let page = CollectionsPage(
            runs: core.collections.all, isSilent: { core.collections.isSilent($0) },
            state: CollectionsPage.states.contains(asked) ? asked : "all")
        return layout("Collections", .collections, context, page.main).response()
    }

    /// What is loaded.
    func signatureList(_ request: Request, _ context: ServiceRequestContext) -> Response {
        let page = SignaturesPage(
            state: signatures(), now: core.now(), mayReload: reload != nil && context.mayChange,
            search: RequestQuery(request)["q"] ?? "")
        return layout("Signatures", .signatures, context, page.main).response()
    }

    /// Loads the signatures anew and shows what is loaded then; why it failed is on that page.
    func reloadSignatures(_ request: Request, _ context: ServiceRequestContext) async throws(APIError) -> Response {
        guard let reload else {
            throw APIError(
                status: .notImplemented, reason: "no_reload", message: "this service cannot load signatures anew")
        }
        do {
            _ = try await reload()
        } catch {
            // What failed is kept with the signatures that stay in use, where there is an engine to keep it.
            guard signatures().reloadFailure == nil else { return .see("/signatures") }
            throw APIError(
                status: .unprocessableContent, reason: "signatures_not_loaded",
                message: "\(error); the signatures that were loaded before stay in use")
        }
        return .see("/signatures")
    }

    /// The description of the API.
    func interface(_ request: Request, _ context: ServiceRequestContext) -> Response {
        layout("API", .interface, context, InterfacePage.main).response()
    }

    /// The form for a token.
    func signInForm(_ request: Request) -> Response {
        guard core.access.asksForTokens else { return .see("/") }
        let next = LoginPage.place(RequestQuery(request)["next"])
        return PageLayout(title: "Sign in", main: LoginPage(next: next).main).response()
    }

    /// Takes a token, and leads to where its holder wanted to go.
    func signIn(_ request: Request, _ context: ServiceRequestContext) async throws(APIError) -> Response {
        guard core.access.asksForTokens else { return .see("/") }
        let form = RequestQuery(try await body(request, context))
        let next = LoginPage.place(form["next"])
        do {
            let id = try core.access.signIn(form["token"] ?? "", request: request, peer: context.peer)
            return session(.see(next), id)
        } catch {
            let page = LoginPage(next: next, problem: error.message)
            return PageLayout(title: "Sign in", main: page.main).response(error.status)
        }
    }

    /// Ends the session.
    func signOut(_ request: Request) -> Response {
        if let id = Sessions.id(in: request) { core.access.sessions.end(id) }
        return session(.see("/"), nil)
    }

    /// The style of all pages.
    func style() -> Response { PageLayout.response(type: "text/css; charset=utf-8", PageAssets.style) }

    /// The script of all pages.
    func script() -> Response { PageLayout.response(type: "text/javascript; charset=utf-8", PageAssets.script) }

    private func layout(
        _ title: String, _ place: PageLayout.Place, _ context: ServiceRequestContext, _ main: HTML
    ) -> PageLayout {
        PageLayout(title: title, place: place, caller: context.caller, main: main)
    }

    private func uploadPage() -> UploadPage {
        UploadPage(
            minimumLevel: core.configuration.minimumLevel, maximumFileSize: core.configuration.maximumFileSize)
    }

    private func session(_ response: Response, _ id: String?) -> Response {
        var response = response
        response.headers[.setCookie] = Sessions.cookie(id, isSecure: core.certificates != nil)
        return response
    }

    private func body(_ request: Request, _ context: ServiceRequestContext) async throws(APIError) -> String {
        context.acceptBody()
        var bytes: [UInt8] = []
        do {
            for try await chunk in request.body {
                bytes += chunk.readableBytesView
                guard bytes.count <= Self.formLimit else { throw APIError.formTooLarge(limit: Self.formLimit) }
            }
        } catch let error as APIError {
            throw error
        } catch {
            throw .truncated
        }
        return clientText(bytes)
    }
}

extension Response {
    /// Sends a browser to another page of this service.
    static func see(_ place: String) -> Response {
        var response = Response.text(.seeOther, type: "text/plain; charset=utf-8", [])
        response.headers[.location] = place
        return response
    }
}

extension ServiceRequestContext {
    /// Whether the caller may change the service.
    var mayChange: Bool { caller.map { $0.scopes.contains(.admin) } ?? true }
}
