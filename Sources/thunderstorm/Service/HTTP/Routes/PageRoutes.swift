import HTTPTypes
import Hummingbird

/// The landing page with its style and script.
struct PageRoutes: Sendable {
    // Only our own style, script and API; no frame may hold the page.
    private static let policy =
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; "
        + "form-action 'none'; frame-ancestors 'none'"

    let core: ServiceCore
    let signatures: @Sendable () -> SignatureState

    func landing() -> Response {
        let now = core.counters.snapshot
        let page = LandingPage(
            version: thunderstormVersion, queued: core.queue.count, scanned: now.scanned, denied: now.denied,
            meanScanMilliseconds: Int(now.meanScan / 1_000_000), uptimeSeconds: core.counters.uptime,
            threads: core.engine.threads, signatures: signatures())
        return answer("text/html; charset=utf-8", page.html)
    }

    func style() -> Response { answer("text/css; charset=utf-8", PageAssets.style) }

    func script() -> Response { answer("text/javascript; charset=utf-8", PageAssets.script) }

    private func answer(_ type: String, _ text: String) -> Response {
        var response = Response.text(type: type, Array(text.utf8))
        response.headers[.contentSecurityPolicy] = Self.policy
        if let referrer = HTTPField.Name("Referrer-Policy") { response.headers[referrer] = "no-referrer" }
        return response
    }
}
