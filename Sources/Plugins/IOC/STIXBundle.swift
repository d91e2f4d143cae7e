import FoundationEssentials
import Pipeline

// STIX 2.0 and 2.1 bundles: JSON with objects of many types, of which the indicators are taken. FoundationEssentials
// reads the JSON; one object that is not as expected costs no other.

/// An indicator as its bundle has it.
struct STIXIndicator: Sendable {
    var id: String
    var name: String
    var description: String
    var pattern: String
    var date: String
    var tags: [String]
    var references: [String]
    var origin: Signature.Origin

    /// Line on which the indicator's id stands.
    func line(in file: SignatureFile) -> Int? {
        let span = file.bytes.span
        guard !id.isEmpty, let place = span.firstOffset(of: Array(id.utf8)) else { return nil }
        var line = 1
        var from = 0
        while let newline = span.firstOffset(of: 0x0A, from: from), newline < place {
            line += 1
            from = newline + 1
        }
        return line
    }
}

/// Indicators of a bundle, and what could not be used of it.
struct ParsedSTIX {
    var indicators: [STIXIndicator] = []
    var problems: [SignatureProblem] = []
}

private let bundleByteLimit = 128 << 20

/// Takes the indicators out of a bundle, a list of objects, or a single object.
func parseSTIXBundle(_ file: SignatureFile) -> ParsedSTIX {
    var parsed = ParsedSTIX()
    func reject(_ message: String, line: Int? = nil, isRejected: Bool = true) {
        parsed.problems.append(
            SignatureProblem(file: file.path, line: line, message: message, isRejected: isRejected))
    }
    guard file.bytes.count <= bundleByteLimit else {
        reject("the file is larger than \(bundleByteLimit >> 20) MiB; split it")
        return parsed
    }
    let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
    let content = file.bytes.suffix(from: file.bytes.span.starts(with: mark.rawSpan) ? 3 : 0)
    let root: Root
    do {
        root = try JSONDecoder().decode(Root.self, from: Data(content.array))
    } catch {
        reject("the file is no STIX 2 bundle: \(reason(error))")
        return parsed
    }
    for (index, object) in root.objects.enumerated() {
        guard let object = object.value else {
            reject("object \(index + 1) has properties of the wrong type")
            continue
        }
        guard object.type == "indicator" else { continue }
        let indicator = object.indicator(origin: file.origin)
        let line = indicator.line(in: file)
        if object.revoked == true {
            reject("\(indicator.id) is revoked; left out", line: line, isRejected: false)
        } else if let type = object.pattern_type, type != "stix" {
            reject("\(indicator.id): patterns of type '\(type)' are not read here", line: line)
        } else if indicator.pattern.isEmpty {
            reject("\(indicator.id) has no pattern", line: line)
        } else {
            parsed.indicators.append(indicator)
        }
    }
    return parsed
}

private func reason(_ error: any Error) -> String {
    switch error as? DecodingError {
    case .dataCorrupted(let context), .keyNotFound(_, let context), .typeMismatch(_, let context),
        .valueNotFound(_, let context):
        context.debugDescription
    default: "it cannot be decoded"
    }
}

// MARK: JSON

private struct Root: Decodable {
    var objects: [Lenient]

    enum CodingKeys: CodingKey {
        case objects
    }

    init(from decoder: any Decoder) throws {
        if let list = try? [Lenient](from: decoder) {
            objects = list
            return
        }
        let container = try decoder.container(keyedBy: CodingKeys.self)
        objects = try container.decodeIfPresent([Lenient].self, forKey: .objects) ?? [Lenient(from: decoder)]
    }
}

private struct Lenient: Decodable {
    var value: Object?

    init(from decoder: any Decoder) throws { value = try? Object(from: decoder) }
}

private struct Object: Decodable {
    struct Reference: Decodable {
        var url: String?
        var source_name: String?
    }

    var type: String
    var id: String?
    var name: String?
    var description: String?
    var pattern: String?
    var pattern_type: String?
    var revoked: Bool?
    var valid_from: String?
    var labels: [String]?
    var indicator_types: [String]?
    var external_references: [Reference]?

    func indicator(origin: Signature.Origin) -> STIXIndicator {
        STIXIndicator(
            id: id ?? "", name: name ?? id ?? "indicator", description: description ?? "", pattern: pattern ?? "",
            date: String((valid_from ?? "").prefix(10)),
            tags: ((indicator_types ?? []) + (labels ?? [])).map { $0.uppercased() },
            references: (external_references ?? []).compactMap { $0.url ?? $0.source_name }, origin: origin)
    }
}
