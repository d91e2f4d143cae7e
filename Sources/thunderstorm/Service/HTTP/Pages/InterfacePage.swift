import Pipeline
import Yams

// The page at `/api-docs`, made from the description of the API itself: whatever is described there is on the page.

/// The description of the API for people.
struct InterfacePage {
    private let root: Node

    /// The page of a description in OpenAPI 3.0; nil when it is none.
    init?(_ text: String) {
        guard let root = try? Yams.compose(yaml: text), root["paths"]?.mapping != nil else { return nil }
        self.root = root
    }

    /// The one that this service is described by.
    static let main: HTML = InterfacePage(OpenAPIDocument.text)?.main ?? "<h1>API</h1>\n"

    /// What stands between header and footer.
    var main: HTML {
        let tags = (root["tags"]?.array() ?? []).map { tag -> HTML in
            let name = tag["name"]?.string ?? ""
            let operations = operations(of: name)
            return """
                <h2 id="\(name)">\(name)</h2>
                <p>\(Self.prose(tag["description"]?.string ?? ""))</p>
                \(operations)
                """
        }
        let schemas = (root["components"]?["schemas"]?.mapping.map(Array.init) ?? []).map { entry in
            schema(entry.key.string ?? "", entry.value)
        }
        return """
            <h1>API</h1>
            <p class="lines">\(Self.prose(root["info"]?["description"]?.string ?? ""))</p>
            <p>The same as a file: <a href="/api/v1/openapi.yaml">openapi.yaml</a> (OpenAPI \(root["openapi"]?.string ?? "")).</p>
            \(tags)<h2 id="schemas">Schemas</h2>
            \(schemas)
            """
    }

    private func operations(of tag: String) -> [HTML] {
        (root["paths"]?.mapping.map(Array.init) ?? []).flatMap { path -> [HTML] in
            (path.value.mapping.map(Array.init) ?? []).compactMap { method -> HTML? in
                let operation = method.value
                guard (operation["tags"]?.array() ?? []).contains(where: { $0.string == tag }) else { return nil }
                return show(operation, method: method.key.string ?? "", path: path.key.string ?? "")
            }
        }
    }

    private func show(_ operation: Node, method: String, path: String) -> HTML {
        let id = operation["operationId"]?.string ?? ""
        let parameters = (operation["parameters"]?.array() ?? []).map { resolved($0) }
        let rows = parameters.map { parameter -> [HTML] in
            let needed = parameter["required"]?.bool == true ? ", required" : ""
            return [
                .code(parameter["name"]?.string ?? ""), "\(parameter["in"]?.string ?? "")\(needed)",
                type(parameter["schema"]),
                "<span class=\"lines\">\(Self.prose(parameter["description"]?.string ?? ""))</span>",
            ]
        }
        let columns = [("Parameter", ""), ("In", ""), ("Type", ""), ("Meaning", "")]
        let table: HTML = rows.isEmpty ? "" : .table(caption: "Parameters of \(id)", columns: columns, rows: rows)
        let answers = (operation["responses"]?.mapping.map(Array.init) ?? []).map { answer -> [HTML] in
            let response = resolved(answer.value)
            let content = response["content"]?.mapping?.first
            return [
                .code(answer.key.string ?? ""), type(content?.value["schema"]),
                "<span class=\"lines\">\(Self.prose(response["description"]?.string ?? ""))</span>",
            ]
        }
        return """
            <details class="operation" id="\(id)"><summary><h3><span class="method">\(method.uppercased())</span> \
            <code>\(path)</code></h3> <span>\(Self.prose(operation["summary"]?.string ?? ""))</span></summary>
            <p class="lines">\(Self.prose(operation["description"]?.string ?? ""))</p>
            \(table)\(body(operation["requestBody"]))\
            \(HTML.table(caption: "Answers of \(id)", columns: [("Status", ""), ("Content", ""), ("Meaning", "")], rows: answers))\
            </details>

            """
    }

    private func body(_ node: Node?) -> HTML {
        guard let node else { return "" }
        let body = resolved(node)
        let kinds = (body["content"]?.mapping.map(Array.init) ?? []).map { content -> HTML in
            let properties = (content.value["schema"]?["properties"]?.mapping.map(Array.init) ?? []).compactMap {
                $0.key.string
            }
            let parts: HTML =
                properties.isEmpty
                ? type(content.value["schema"]) : "with \(HTML.code(properties.joined(separator: ", ")))"
            return "<li>\(HTML.code(content.key.string ?? "")) \(parts)</li>"
        }
        return "<p>Body: \(Self.prose(body["description"]?.string ?? ""))</p>\n<ul>\(kinds)</ul>\n"
    }

    private func schema(_ name: String, _ node: Node) -> HTML {
        let required = Set((node["required"]?.array() ?? []).compactMap(\.string))
        let rows = (node["properties"]?.mapping.map(Array.init) ?? []).map { property -> [HTML] in
            let key = property.key.string ?? ""
            return [
                .code(key), type(property.value), required.contains(key) ? "yes" : "",
                "<span class=\"lines\">\(Self.prose(property.value["description"]?.string ?? ""))</span>",
            ]
        }
        let columns = [("Key", ""), ("Type", ""), ("Always there", ""), ("Meaning", "")]
        let content: HTML =
            rows.isEmpty ? "<p>\(type(node))</p>\n" : .table(caption: "\(name)", columns: columns, rows: rows)
        return """
            <details class="operation" id="schema-\(name)"><summary><h3>\(name)</h3></summary>
            <p class="lines">\(Self.prose(node["description"]?.string ?? ""))</p>
            \(content)</details>

            """
    }

    // What a schema says of a value in a few words, with a link to what it refers to.
    private func type(_ schema: Node?) -> HTML {
        guard let schema else { return "" }
        if let name = schema["$ref"]?.string?.split(separator: "/").last.map(String.init) {
            return "<a href=\"#schema-\(name)\">\(name)</a>"
        }
        if let choices = schema["oneOf"]?.array() {
            let types = choices.map { type($0) }
            return "\(types.dropLast().map { type -> HTML in "\(type) or " })\(types.last ?? "")"
        }
        if let values = schema["enum"]?.array() {
            return "\(values.compactMap(\.string).joined(separator: ", "))"
        }
        if schema["type"]?.string == "array" { return "list of \(type(schema["items"]))" }
        var words = schema["type"]?.string ?? ""
        if let format = schema["format"]?.string { words += " (\(format))" }
        let (low, high) = (schema["minimum"]?.string, schema["maximum"]?.string)
        if let low, let high { words += ", \(low) to \(high)" } else if let low { words += ", from \(low)" }
        if let value = schema["default"]?.string { words += ", default \(value)" }
        if schema["nullable"]?.bool == true { words += " or null" }
        return "\(words)"
    }

    // Text with code between backticks.
    private static func prose(_ text: String) -> HTML {
        let parts = text.split(separator: "`", omittingEmptySubsequences: false).enumerated().map {
            index, part -> HTML in
            index % 2 == 0 ? "\(String(part))" : "<code>\(String(part))</code>"
        }
        return "\(parts)"
    }

    // Follows a reference within the description, once: none of ours leads to another.
    private func resolved(_ node: Node) -> Node {
        guard let reference = node["$ref"]?.string, reference.hasPrefix("#/") else { return node }
        return reference.split(separator: "/").dropFirst().reduce(Optional(root)) { $0?[String($1)] } ?? node
    }
}
