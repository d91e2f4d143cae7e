import Crypto
import Foundation
import Glibc
import Pipeline
import Synchronization

// A report in one file: a page with the events in it as JSON lines, and a script that counts, draws and filters them.
// The events are data to the browser, never markup or code: `<` is written as an escape, the script puts text into the
// page as text, and the page's policy allows nothing but that one script and style.

/// Writes a report as one HTML file that needs nothing else.
public final class HTMLReport: Sendable {
    /// What is written beside the events.
    public struct Heading: Sendable {
        /// Title of the page.
        public var title: String
        /// When it was made.
        public var time: Timestamp
        /// Lines about what was looked at, a name and a value each.
        public var facts: [(name: String, value: String)] = []

        /// A heading without facts.
        public init(title: String, time: Timestamp) {
            self.title = title
            self.time = time
        }
    }

    /// Most events in one report: a browser has to hold them all.
    public static let eventLimit = 200_000

    private struct State {
        var descriptor: Int32
        var pending: [UInt8] = []
        var events = 0
        var leftOut = 0
        var problem: SystemError?
    }

    /// Where the report goes.
    public let path: String
    private let state: Mutex<State>

    /// Creates the file; it appears under its name when the report is finished.
    ///
    /// - Throws: `SystemError` naming the file.
    public init(path: String) throws(SystemError) {
        self.path = path
        let descriptor = unsafe open(path + ".part", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o640)
        guard descriptor >= 0 else {
            throw SystemError("cannot create the report \(path): choose a path that this user may write to")
        }
        state = Mutex(State(descriptor: descriptor))
        let head = """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta http-equiv="Content-Security-Policy" content="\(Self.policy)">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>Thunderstorm report</title>
            <style>\(HTMLReportAssets.style)</style>
            </head>
            <body>
            <noscript><p>This report needs JavaScript to be shown. Its events are JSON lines in this file.</p></noscript>
            <main id="report"></main>
            <script type="application/x-ndjson" id="events">

            """
        state.withLock { $0.pending = Array(head.utf8) }
    }

    /// Adds an event: a JSON object of jsonlog v3 on one line.
    public func append(_ line: some Sequence<UInt8>) {
        state.withLock { state in
            guard state.events < Self.eventLimit else {
                state.leftOut += 1
                return
            }
            state.events += 1
            for byte in line where byte != 0x0A {
                if byte == 0x3C { state.pending += Array(#"\u003c"#.utf8) } else { state.pending.append(byte) }
            }
            state.pending.append(0x0A)
            if state.pending.count > 1 << 20 { Self.flush(&state, path) }
        }
    }

    /// Ends the report.
    ///
    /// - Returns: Events that the limit left out.
    /// - Throws: `SystemError` when it could not be written whole; nothing stays under its name then.
    public func finish(_ heading: Heading) throws(SystemError) -> Int {
        let (problem, leftOut) = state.withLock { state in
            var writer = JSONWriter()
            writer.object { writer in
                writer.field("title", heading.title)
                writer.field("time", heading.time.rfc3339())
                writer.field("version", thunderstormVersion)
                writer.field("left_out", state.leftOut)
                writer.key("facts")
                writer.array { writer in
                    for fact in heading.facts { writer.value([fact.name, fact.value]) }
                }
            }
            let facts = writer.text.replacing("<", with: #"\u003c"#)
            let tail = """
                </script>
                <script type="application/json" id="heading">\(facts)</script>
                <script>\(HTMLReportAssets.script)</script>
                </body>
                </html>

                """
            state.pending += tail.utf8
            Self.flush(&state, path)
            if close(state.descriptor) != 0, state.problem == nil {
                state.problem = SystemError("cannot write the report \(path)")
            }
            state.descriptor = -1
            return (state.problem, state.leftOut)
        }
        let part = path + ".part"
        if let problem {
            unsafe unlink(part)
            throw problem
        }
        guard unsafe rename(part, path) == 0 else { throw SystemError("cannot put the report at \(path)") }
        return leftOut
    }

    deinit {
        state.withLock { state in
            guard state.descriptor >= 0 else { return }
            close(state.descriptor)
            unsafe unlink(path + ".part")
        }
    }

    private static func flush(_ state: inout State, _ path: String) {
        if state.problem == nil, writeAll(state.pending, to: state.descriptor) < state.pending.count {
            state.problem = SystemError("cannot write the report \(path)")
        }
        state.pending.removeAll(keepingCapacity: true)
    }

    // Exactly this style and this script, and nothing from anywhere.
    private static var policy: String {
        func hash(_ text: String) -> String {
            "'sha256-\(Data(SHA256.hash(data: Data(text.utf8))).base64EncodedString())'"
        }
        return "default-src 'none'; style-src \(hash(HTMLReportAssets.style)); "
            + "script-src \(hash(HTMLReportAssets.script)); base-uri 'none'; form-action 'none'"
    }
}
