import Pipeline

// Charts drawn by the server as SVG. Bars only: they stay sharp at any width while the numbers beside them are text of
// the page, and keep their size. Each chart says in words what it shows, and has all of it as a table.

/// Stacked columns over time.
struct Chart {
    /// One colour of the columns.
    struct Series {
        /// What it counts.
        var name: String
        /// Class of its bars: a level, or `one`, `two`, `three`.
        var style: String
        /// One number for each column.
        var values: [Int]
    }

    /// Name of its element, unique on the page.
    var id: String
    /// What it shows.
    var title: String
    /// What a column stands for, as in `minute`.
    var column: String
    /// What each column is called.
    var labels: [String]
    /// What is counted.
    var series: [Series]
    /// Whether the columns are levels, whose highest counts, and not amounts that add up.
    var isLevel = false

    private static let width = 10
    private static let height = 100

    /// The figure.
    var html: HTML {
        """
        <figure class="chart" id="\(id)">
        <figcaption>\(title)</figcaption>
        <ul class="legend">\(legend)</ul>
        <div class="plot"><div class="scale" aria-hidden="true"><span>\(grouped(top))</span><span>0</span></div>
        \(graphic)
        <div class="span" aria-hidden="true"><span>\(labels.first ?? "")</span><span>\(labels.last ?? "")</span></div></div>
        <details><summary>Table of: \(title)</summary>
        \(table)</details>
        </figure>

        """
    }

    private var totals: [Int] {
        labels.indices.map { index in series.reduce(0) { $0 + value($1, index) } }
    }

    private var top: Int { max(totals.max() ?? 0, 1) }

    private func value(_ series: Series, _ index: Int) -> Int {
        series.values.indices.contains(index) ? max(series.values[index], 0) : 0
    }

    private var legend: [HTML] {
        series.map { series -> HTML in
            let number = isLevel ? "now \(grouped(series.values.last ?? 0))" : grouped(series.values.reduce(0, +))
            return "<li><span class=\"key \(series.style)\"></span>\(series.name): \(number)</li>"
        }
    }

    // What somebody who does not see the bars is told.
    private var words: String {
        let totals = totals
        guard let most = totals.max(), most > 0, let index = totals.firstIndex(of: most) else {
            return "\(title): nothing from \(labels.first ?? "") to \(labels.last ?? "")"
        }
        let sums = series.map { series in
            isLevel
                ? "\(series.name) now \(series.values.last ?? 0)"
                : "\(series.name) \(series.values.reduce(0, +)) in all"
        }
        return "\(title): \(sums.joined(separator: ", ")); most, \(most), at \(labels[index])"
    }

    private var graphic: HTML {
        let top = top
        var columns: [HTML] = []
        for index in labels.indices {
            var bars: [HTML] = []
            var base = Double(Self.height)
            for series in series {
                let value = value(series, index)
                guard value > 0 else { continue }
                let height = Double(Self.height * value) / Double(top)
                base -= height
                bars.append(
                    "<rect class=\"\(series.style)\" x=\"\(index * Self.width)\" y=\"\(Self.decimal(base))\" width=\"\(Self.width - 2)\" height=\"\(Self.decimal(height))\"/>"
                )
            }
            guard !bars.isEmpty else { continue }
            let parts = series.map { "\($0.name) \(value($0, index))" }.joined(separator: ", ")
            columns.append("<g><title>\(labels[index]): \(parts)</title>\(bars)</g>\n")
        }
        let width = max(labels.count, 1) * Self.width
        return """
            <svg role="img" aria-labelledby="\(id)-words" viewBox="0 0 \(width) \(Self.height)" preserveAspectRatio="none">
            <title id="\(id)-words">\(words)</title>
            <path class="grid" d="M0 0H\(width)M0 \(Self.height / 2)H\(width)M0 \(Self.height)H\(width)"/>
            \(columns)</svg>
            """
    }

    private var table: HTML {
        let rows = labels.indices.reversed().map { index -> [HTML] in
            ["\(labels[index])"] + series.map { series -> HTML in "\(grouped(value(series, index)))" }
        }
        return .table(
            caption: "\(title), by \(column), the newest first",
            columns: [(column, "")] + series.map { ($0.name, "number") }, rows: rows)
    }

    private static func decimal(_ value: Double) -> String {
        let hundredths = Int((value * 100).rounded())
        return "\(hundredths / 100).\(hundredths % 100 < 10 ? "0" : "")\(hundredths % 100)"
    }
}

/// Horizontal bars with names and numbers.
struct BarList {
    /// What is compared.
    var title: String
    /// What the names are, as in `Rule`.
    var column: String
    /// Names as links, with their numbers.
    var bars: [(name: HTML, count: Int)]

    /// The table, with a bar in each row.
    var html: HTML {
        let top = max(bars.map(\.count).max() ?? 0, 1)
        let rows = bars.map { bar -> [HTML] in
            let width = max(bar.count * 100 / top, 1)
            return [
                bar.name,
                """
                <svg class="bar" aria-hidden="true" viewBox="0 0 100 10" preserveAspectRatio="none"><rect class="one" \
                x="0" y="0" width="\(width)" height="10"/></svg>
                """, "\(grouped(bar.count))",
            ]
        }
        guard !rows.isEmpty else { return "<p class=\"dim\">\(title): nothing yet.</p>\n" }
        return .table(
            caption: "\(title)",
            columns: [(column, "name"), ("Share of the most", "wide bars"), ("Findings", "number")],
            rows: rows)
    }
}
