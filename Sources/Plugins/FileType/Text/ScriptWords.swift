import Pipeline

// Tells scripts from prose and from each other by their words: each word of a language has a weight, the sum decides.
// A word counts twice at most, comments do not count, and a long text with few such words stays a text.

struct ScriptWords: Sendable {
    /// Sum from which a text is taken for a script.
    private static let threshold = 8
    /// One word in so many has to be a language's.
    private static let density = 40

    private struct Feature {
        let language: Int
        let weight: Int
        let place: Place
    }

    /// Where in its line a word counts.
    enum Place: Sendable {
        case anywhere
        /// As the first word.
        case start
        /// As the first word of a line that ends with this character.
        case startEnding(UInt8)
    }

    private let languages: [FileKind]
    private let features: [Feature]
    // Open addressing by the hash of the word; equal words stand behind one another. 0 is an empty slot.
    private var slots: [(hash: UInt64, feature: Int)]

    init() {
        var features: [Feature] = []
        var entries: [(hash: UInt64, feature: Int)] = []
        for (language, list) in scriptVocabulary.enumerated() {
            for (weight, place, words) in list.words {
                for word in words.split(separator: " ") {
                    entries.append((Self.hash(word.utf8), features.count))
                    features.append(Feature(language: language, weight: weight, place: place))
                }
            }
        }
        var slots = [(hash: UInt64, feature: Int)](repeating: (0, 0), count: 4096)
        for entry in entries {
            var slot = Int(entry.hash % 4096)
            while slots[slot].hash != 0 { slot = (slot + 1) % 4096 }
            slots[slot] = entry
        }
        languages = scriptVocabulary.map { FileKind($0.language) }
        self.features = features
        self.slots = slots
    }

    /// The language of a script; nil when it is none.
    func kind(of window: TextWindow) -> FileKind? {
        var tally = Tally(features: features.count, languages: languages.count)
        var isInComment = false
        var isInText = false
        for line in window.lines {
            if isComment(window.lower, line, &isInComment) { continue }
            // Texts in three quotes are prose; one that begins and ends on its line is left out too.
            let quotes = tripleQuotes(window.lower[line])
            if quotes % 2 == 1 { isInText.toggle() }
            if isInText || quotes > 0 { continue }
            count(window.lower, line, &tally)
        }
        guard let best = tally.scores.indices.max(by: { tally.scores[$0] < tally.scores[$1] }) else { return nil }
        let score = tally.scores[best]
        let second = tally.scores.indices.filter { $0 != best }.map { tally.scores[$0] }.max() ?? 0
        guard score >= Self.threshold, score >= second + 2, tally.hits[best] * Self.density >= tally.words,
            !languages[best].name.isEmpty
        else { return nil }
        return languages[best]
    }

    private struct Tally {
        var seen: [UInt8]
        var scores: [Int]
        var hits: [Int]
        var words = 0

        init(features: Int, languages: Int) {
            seen = [UInt8](repeating: 0, count: features)
            scores = [Int](repeating: 0, count: languages)
            hits = scores
        }
    }

    private func count(_ text: [UInt8], _ line: Range<Int>, _ tally: inout Tally) {
        let last = text[line.upperBound - 1]
        var isFirst = true
        var index = line.lowerBound
        while index < line.upperBound {
            // `[Type]::Method` and `$x.Method` count as the method.
            guard Self.isWordByte(text[index]), text[index] != 0x3A, text[index] != 0x2E else {
                index += 1
                continue
            }
            // The word, and its part up to the first `.` or `:` (`self.`, `$env:`), are looked up.
            var hash = Self.basis
            var isPart = false
            let start = index
            while index < line.upperBound, Self.isWordByte(text[index]) {
                hash = Self.step(hash, text[index])
                if !isPart, text[index] == 0x2E || text[index] == 0x3A, index > start {
                    isPart = true
                    look(up: hash, isFirst: isFirst, last: last, &tally)
                }
                index += 1
            }
            if !(isPart && (text[index - 1] == 0x2E || text[index - 1] == 0x3A)) {
                look(up: hash, isFirst: isFirst, last: last, &tally)
            }
            tally.words += 1
            isFirst = false
        }
    }

    private func look(up hash: UInt64, isFirst: Bool, last: UInt8, _ tally: inout Tally) {
        var slot = Int(hash % 4096)
        while slots[slot].hash != 0 {
            defer { slot = (slot + 1) % 4096 }
            guard slots[slot].hash == hash else { continue }
            let number = slots[slot].feature
            let feature = features[number]
            switch feature.place {
            case .anywhere: break
            case .start: guard isFirst else { continue }
            case .startEnding(let end): guard isFirst, last == end else { continue }
            }
            tally.hits[feature.language] += 1
            guard tally.seen[number] < 2 else { continue }
            tally.seen[number] += 1
            tally.scores[feature.language] += feature.weight
        }
    }

    // Lines in comments: help texts of scripts are prose.
    private func isComment(_ text: [UInt8], _ line: Range<Int>, _ isInside: inout Bool) -> Bool {
        let body = text[line]
        if isInside {
            if contains(body, 0x2A, 0x2F) || contains(body, 0x23, 0x3E) { isInside = false }
            return true
        }
        if body.starts(with: [0x3C, 0x23]) || body.starts(with: [0x2F, 0x2A]) {
            isInside = !(contains(body, 0x2A, 0x2F) || contains(body, 0x23, 0x3E))
            return true
        }
        // `#include` is none.
        if body.first == 0x23 { return body.count < 2 || !isLetter(body[line.lowerBound + 1]) }
        return body.first == 0x27 || body.starts(with: [0x2F, 0x2F]) || body.starts(with: [0x2D, 0x2D])
    }

    private func tripleQuotes(_ body: ArraySlice<UInt8>) -> Int {
        var count = 0
        var run = 0
        for byte in body {
            run = byte == 0x22 ? run + 1 : 0
            if run == 3 {
                count += 1
                run = 0
            }
        }
        return count
    }

    private func contains(_ body: ArraySlice<UInt8>, _ first: UInt8, _ second: UInt8) -> Bool {
        zip(body, body.dropFirst()).contains { $0 == first && $1 == second }
    }

    private static let basis: UInt64 = 0xCBF2_9CE4_8422_2325

    // FNV-1a.
    @inline(__always)
    private static func step(_ hash: UInt64, _ byte: UInt8) -> UInt64 { (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }

    private static func hash(_ word: some Sequence<UInt8>) -> UInt64 { word.reduce(basis, step) }

    private static func isWordByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x61...0x7A, 0x5F, 0x2D, 0x2E, 0x24, 0x40, 0x25, 0x3A, 0x7E, 0x23: true
        default: false
        }
    }
}
