import Pipeline

// What pages are put together from: tables, facts, links, and numbers as people read them.

extension HTML {
    /// A table; the cells of its first column are the headers of their rows.
    ///
    /// - Parameters:
    ///   - columns: Names, and the class of their cells: `number`, `wide` (left out on narrow screens), or nothing.
    static func table(caption: HTML, columns: [(name: String, style: String)], rows: [[HTML]]) -> HTML {
        let heads = columns.map { column -> HTML in "<th scope=\"col\" class=\"\(column.style)\">\(column.name)</th>" }
        let lines = rows.map { row -> HTML in
            let cells = zip(row, columns).enumerated().map { index, cell -> HTML in
                let (content, style) = (cell.0, cell.1.style)
                return index == 0
                    ? "<th scope=\"row\" class=\"\(style)\">\(content)</th>" : "<td class=\"\(style)\">\(content)</td>"
            }
            return "<tr>\(cells)</tr>\n"
        }
        return """
            <div class="scroll" tabindex="0" role="region" aria-label="\(plain(caption))">
            <table><caption>\(caption)</caption>
            <thead><tr>\(heads)</tr></thead>
            <tbody>
            \(lines)</tbody>
            </table></div>

            """
    }

    /// Names with values.
    static func facts(_ facts: [(name: String, value: HTML)]) -> HTML {
        let lines = facts.map { fact -> HTML in "<div><dt>\(fact.name)</dt><dd>\(fact.value)</dd></div>\n" }
        return "<dl class=\"facts\">\n\(lines)</dl>\n"
    }

    /// Text as it was found, in a fixed-width font.
    static func code(_ text: String) -> HTML { "<code>\(text)</code>" }

    /// A link to findings.
    static func findings(_ key: String, _ value: String, _ text: String? = nil) -> HTML {
        "<a href=\"/findings?\(key)=\(queryEscaped(value))\">\(text ?? value)</a>"
    }

    /// A level in its colour.
    static func level(_ level: Level) -> HTML { "<span class=\"level \(level.name)\">\(level.name)</span>" }

    /// A point in time, in UTC.
    static func time(_ time: Timestamp) -> HTML {
        let text = time.rfc3339()
        return
            "<time datetime=\"\(text)\">\(text.prefix(10).description) \(String(text.dropFirst(11).dropLast()))</time>"
    }

    // Captions are ours; a label takes their text without what little markup they have.
    private static func plain(_ html: HTML) -> HTML {
        HTML(stringLiteral: html.text.replacing(/<[^>]*>/, with: "").replacing("\"", with: "&quot;"))
    }
}

/// A number with its thousands set apart.
func grouped(_ number: Int) -> String {
    let digits = Array(String(number.magnitude))
    var text = number < 0 ? "-" : ""
    for (index, digit) in digits.enumerated() {
        if index > 0, (digits.count - index) % 3 == 0 { text.append(",") }
        text.append(digit)
    }
    return text
}

/// A number of bytes in the unit that suits it.
func shownBytes(_ count: Int) -> String {
    var (value, unit) = (Double(count), "B")
    for next in ["KiB", "MiB", "GiB", "TiB"] where value >= 1024 {
        value /= 1024
        unit = next
    }
    if unit == "B" { return "\(count) B" }
    let tenths = Int((value * 10).rounded())
    return "\(tenths / 10).\(tenths % 10) \(unit)"
}

/// A number of seconds in the two units that suit it.
func shownDuration(_ seconds: Int) -> String {
    let seconds = max(seconds, 0)
    switch seconds {
    case ..<60: return "\(seconds) s"
    case ..<3_600: return "\(seconds / 60) min \(seconds % 60) s"
    case ..<86_400: return "\(seconds / 3_600) h \(seconds / 60 % 60) min"
    default: return "\(seconds / 86_400) d \(seconds / 3_600 % 24) h"
    }
}
