import PatternMatching
import Pipeline

// Named pipes and mutexes. Uploads hold no live objects, but event logs name them: Sysmon 17 and 18 (PipeName),
// object access 4656 and 4663 (ObjectName), shares 5145 (RelativeTargetName), and any command line `\\.\pipe\NAME`.

struct ObjectNameMatcher: Sendable {
    private var plain: [String: IOC] = [:]
    private var expressions: [IOC] = []
    private let patterns: PatternSet
    private let isCaseless: Bool
    private let prefixes: [String]

    /// A matcher for pipes or handles.
    init(_ iocs: [IOC], group: IOC.Group, pool: ScratchPool) {
        isCaseless = group == .pipe
        prefixes = group == .pipe ? Self.pipePrefixes : Self.handlePrefixes
        for ioc in iocs {
            if ioc.expression.isRegex {
                expressions.append(ioc)
            } else {
                plain[isCaseless ? ioc.value.lowercased() : ioc.value] = ioc
            }
        }
        patterns = PatternSet(expressions.map(\.expression.pattern), pool: pool)
    }

    var isEmpty: Bool { plain.isEmpty && expressions.isEmpty }

    private static let pipePrefixes = ["\\\\.\\pipe\\", "\\device\\namedpipe\\", "\\??\\pipe\\", "\\pipe\\", "\\"]
    private static let handlePrefixes = ["\\basenamedobjects\\", "global\\", "local\\"]

    /// Whether a field holds the name of such an object, by its name.
    static func holdsPipe(_ key: String) -> Bool {
        ["pipename", "pipe_name", "relativetargetname"].contains(key.lowercased())
    }

    /// Whether a field holds the name of a mutex or event, by its name.
    static func holdsHandle(_ key: String) -> Bool {
        ["objectname", "mutex", "mutant", "event", "handle"].contains(key.lowercased())
    }

    /// The IOCs that match a name as it stands in a field, or what is left of it without the prefixes of its device or
    /// session: plain ones the whole of it, expressions any part.
    func iocs(for name: RawSpan) -> [IOC] {
        var found: [IOC] = []
        var seen: Set<String> = []
        for form in forms(of: name.utf8Text) {
            if let ioc = plain[isCaseless ? form.lowercased() : form], seen.insert(ioc.value).inserted {
                found.append(ioc)
            }
            if patterns.isEmpty { continue }
            var exploded: [Int] = []
            let bytes = Array(form.utf8)
            let matches = (try? patterns.matches(in: bytes.rawSpan, exploded: &exploded)) ?? []
            for match in matches where seen.insert(expressions[match.index].value).inserted {
                found.append(expressions[match.index])
            }
        }
        return found
    }

    private func forms(of name: String) -> [String] {
        var forms = [name]
        var text = name
        if let rest = text.index(afterPrefix: "\\sessions\\") {
            text = String(text[rest...].drop { $0 != "\\" })
            forms.append(text)
        }
        for prefix in prefixes {
            guard let rest = text.index(afterPrefix: prefix) else { continue }
            text = String(text[rest...])
            forms.append(text)
        }
        return forms
    }
}

extension String {
    // Where the text goes on after a prefix in any case; nil if it does not begin with it.
    fileprivate func index(afterPrefix prefix: String) -> Index? {
        guard lowercased().hasPrefix(prefix) else { return nil }
        return index(startIndex, offsetBy: prefix.count, limitedBy: endIndex)
    }
}

/// The pipe's name that begins at `start` of a text: up to a blank, quote or other end.
func pipeName(in text: RawSpan, from start: Int) -> Range<Int> {
    var end = start
    while let byte = text.uint8(at: end), byte > 0x20, ![0x22, 0x27, 0x3C, 0x3E, 0x7C, 0x2C, 0x3B].contains(byte) {
        end += 1
    }
    return start..<end
}
