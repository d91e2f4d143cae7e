import HTTPTypes
import Hummingbird
import Pipeline

/// What all pages have around them.
struct PageLayout {
    /// Pages that every page leads to.
    enum Place: String, CaseIterable {
        case overview = "/"
        case findings = "/findings"
        case upload = "/upload"
        case collections = "/collections"
        case signatures = "/signatures"
        case interface = "/api-docs"

        /// Its name.
        var title: String {
            switch self {
            case .overview: "Overview"
            case .findings: "Findings"
            case .upload: "Upload"
            case .collections: "Collections"
            case .signatures: "Signatures"
            case .interface: "API"
            }
        }
    }

    /// Title of the document.
    var title: String
    /// Which of the pages it is; nil for those that none leads to.
    var place: Place?
    /// Whose token the browser signed in with; nil when none is asked for.
    var caller: AccessToken?
    /// The page itself, beginning with its only `h1`.
    var main: HTML

    // Only our own style, script and addresses; no frame may hold the page. A form of another site sends no cookie
    // (SameSite), and no page of ours sends anything elsewhere.
    private static let policy =
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; "
        + "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

    /// The whole document.
    var html: HTML {
        """
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <title>\(title) - Thunderstorm</title>
        <link rel="icon" href="data:,">
        <link rel="stylesheet" href="/page.css">
        <script src="/page.js" defer></script>
        </head>
        <body>
        <a class="skip" href="#main">Skip to the content</a>
        <header>
        <p class="brand">Thunderstorm</p>
        <nav aria-label="Pages"><ul>\(links)</ul></nav>
        \(session)</header>
        <main id="main" tabindex="-1">
        \(main)</main>
        <footer><p>thunderstorm \(thunderstormVersion). All times are UTC.</p></footer>
        </body>
        </html>

        """
    }

    /// The document as an answer.
    func response(_ status: HTTPResponse.Status = .ok) -> Response {
        Self.response(status, type: "text/html; charset=utf-8", html.text)
    }

    /// An answer with the headers of all pages.
    static func response(_ status: HTTPResponse.Status = .ok, type: String, _ text: String) -> Response {
        var response = Response.text(status, type: type, Array(text.utf8))
        response.headers[.contentSecurityPolicy] = policy
        // Not no-referrer: browsers then send `Origin: null` with our own forms.
        if let referrer = HTTPField.Name("Referrer-Policy") { response.headers[referrer] = "same-origin" }
        if let opener = HTTPField.Name("Cross-Origin-Opener-Policy") { response.headers[opener] = "same-origin" }
        if let policy = HTTPField.Name("Cross-Origin-Resource-Policy") { response.headers[policy] = "same-origin" }
        return response
    }

    private var links: [HTML] {
        Place.allCases.map { place -> HTML in
            let current: HTML = place == self.place ? " aria-current=\"page\"" : ""
            return "<li><a href=\"\(place.rawValue)\"\(current)>\(place.title)</a></li>"
        }
    }

    private var session: HTML {
        guard let caller else { return "" }
        return """
            <form class="session" method="post" action="/logout"><span>\(caller.name)</span>
            <button>Sign out</button></form>

            """
    }
}

extension APIError {
    /// The error as a page.
    func page(caller: AccessToken?) -> Response {
        let title =
            switch status {
            case .notFound: "Not here"
            case .forbidden: "Not allowed"
            case .badRequest: "Not understood"
            default: "Not possible now"
            }
        var response = PageLayout(
            title: title, caller: caller,
            main: """
                <h1>\(title)</h1>
                <p role="alert">\(message)</p>
                <p><a href="/">Overview</a></p>

                """
        ).response(status)
        if let seconds = retryAfter { response.headers[.retryAfter] = "\(seconds)" }
        if closesConnection { response.headers[.connection] = "close" }
        return response
    }
}
