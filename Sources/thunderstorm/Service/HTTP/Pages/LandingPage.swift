import Pipeline

/// The page at `/`: live counters, what is loaded, and where the API is described.
struct LandingPage {
    var version: String
    var queued: Int
    var scanned: Int
    var denied: Int
    var meanScanMilliseconds: Int
    var uptimeSeconds: Int
    var threads: Int
    var signatures: SignatureState

    /// The whole document; the script keeps the counters live by their `data-key`.
    var html: String {
        """
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <title>Thunderstorm</title>
        <link rel="icon" href="data:,">
        <link rel="stylesheet" href="/page.css">
        <script src="/page.js" defer></script>
        </head>
        <body>
        <main>
        <h1>Thunderstorm <small>\(htmlEscaped(version))</small></h1>
        <p id="state" role="status">The service is running.</p>
        <section aria-labelledby="now">
        <h2 id="now">Now</h2>
        <dl class="counters">
        \(counter("Queued samples", "queued_async_requests", queued))
        \(counter("Scanned samples", "scanned_samples", scanned))
        \(counter("Refused uploads", "denied_requests", denied))
        \(counter("Mean scan time, ms", "avg_scan_time_ms", meanScanMilliseconds))
        \(counter("Uptime, s", "uptime_seconds", uptimeSeconds))
        <div><dt>Scan threads</dt><dd>\(threads)</dd></div>
        </dl>
        </section>
        <section aria-labelledby="signatures">
        <h2 id="signatures">Signatures</h2>
        <table>
        <caption>Loaded \(htmlEscaped(signatures.date)), version \(htmlEscaped(String(signatures.version.prefix(16))))</caption>
        <thead><tr><th scope="col">Kind</th><th scope="col">In use</th></tr></thead>
        <tbody>
        \(signatureRows)
        </tbody>
        </table>
        \(problems)
        </section>
        <section aria-labelledby="use">
        <h2 id="use">Use</h2>
        <pre><code>curl -F file=@sample.bin 'http://HOST:PORT/api/check?source=my-host'</code></pre>
        <ul>
        <li><a href="/api/v1/openapi.yaml">API description (OpenAPI)</a></li>
        <li><a href="/api/v1/status?pretty">Status</a>, <a href="/api/v1/info?pretty">information</a></li>
        <li>By minute: <a href="/api/v1/sampleHistory?limit=60&amp;pretty">scanned</a>,
        <a href="/api/v1/queueHistory?limit=60&amp;pretty">queued</a>,
        <a href="/api/deniedHistory?limit=60&amp;pretty">refused</a></li>
        <li><a href="/healthz">Health</a>, <a href="/readyz">readiness</a></li>
        </ul>
        </section>
        </main>
        </body>
        </html>

        """
    }

    private func counter(_ name: String, _ key: String, _ value: Int) -> String {
        "<div><dt>\(name)</dt><dd data-key=\"\(key)\">\(value)</dd></div>"
    }

    private var signatureRows: String {
        signatures.counts.sorted { $0.key < $1.key }.map { kind, count in
            "<tr><th scope=\"row\">\(htmlEscaped(kind))</th><td>\(count)</td></tr>"
        }.joined(separator: "\n")
    }

    private var problems: String {
        let rejected = signatures.problems.count { $0.isRejected }
        guard rejected > 0 else { return "" }
        return "<p class=\"warning\">\(rejected) could not be used; <a href=\"/api/v1/info?pretty\">information</a> "
            + "names each with its file and line.</p>"
    }
}

/// A text that stands for itself in HTML, in content and in quoted attributes.
func htmlEscaped(_ text: String) -> String {
    var escaped = ""
    for character in text.unicodeScalars {
        switch character {
        case "&": escaped += "&amp;"
        case "<": escaped += "&lt;"
        case ">": escaped += "&gt;"
        case "\"": escaped += "&quot;"
        case "'": escaped += "&#39;"
        default: escaped.unicodeScalars.append(character)
        }
    }
    return escaped
}
