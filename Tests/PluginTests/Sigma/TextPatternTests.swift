import Pipeline
import Testing

@testable import Sigma

@Suite("Texts with wildcards")
struct TextPatternTests {
    static let patterns: [(String, String, Bool)] = [
        // pattern as a rule holds it, value, whether it matches
        ("abc", "abc", true), ("abc", "ABC", true), ("abc", "abcd", false), ("", "", true), ("", "a", false),
        ("a*c", "abbc", true), ("a*c", "ac", true), ("a*c", "acb", false), ("*b*", "abc", true), ("*", "", true),
        ("a?c", "abc", true), ("a?c", "ac", false), ("a?c", "aéc", true), ("a??c", "abbc", true), ("??", "a", false),
        ("*a*b*", "xxaxxbxx", true), ("*a*b", "ababx", false), ("*a*b", "abab", true), ("a*b*a", "aba", true),
        ("a*b*a", "aa", false), ("*aab", "aaab", true), ("*?", "", false), ("?*", "x", true), ("*a?b*", "xaxayb", true),
        // escapes
        ("a\\*c", "a*c", true), ("a\\*c", "abc", false), ("a\\?c", "a?c", true), ("a\\?c", "abc", false),
        ("a\\b", "a\\b", true), ("a\\\\b", "a\\b", true), ("a\\\\b", "a\\\\b", false),
        ("\\\\\\\\host\\share", "\\\\host\\share", true), ("a\\\\*", "a\\bcd", true), ("a\\\\*", "a*", false),
        ("a\\\\\\*", "a\\*", true), ("a\\\\\\*", "a\\b", false), ("a\\", "a\\", true), ("\\n", "\\n", true),
        // letters beyond ASCII
        ("straße", "STRASSE", false), ("straße", "STRAßE", true), ("ÄÖÜ", "äöü", true), ("привет", "ПРИВЕТ", true),
        ("kelvin", "\u{212A}elvin", false), ("*ﬁ*", "xﬁy", true), ("i", "İ", false), ("σ", "Σ", true),
    ]

    @Test(arguments: patterns)
    func matchesAsTheSpecificationSays(_ pattern: String, _ value: String, _ expected: Bool) {
        let comparable = TextPattern(pattern).comparable(isCased: false)
        let matches = comparable.match(CaseFolding.folded(Array(value.utf8)).rawSpan) != nil
        #expect(matches == expected)
    }

    @Test func caseMayMatter() {
        let pattern = TextPattern("*AbC").comparable(isCased: true)
        #expect(pattern.match(Array("xAbC".utf8).rawSpan) == 1..<4)
        #expect(pattern.match(Array("xabc".utf8).rawSpan) == nil)
    }

    @Test func dashesOfOptionsAreAlike() {
        let pattern = TextPattern(" -enc a-b /x ").withDashes().comparable(isCased: false)
        for dash in ["-", "/", "\u{2013}", "\u{2014}", "\u{2015}"] {
            #expect(pattern.match(Array(" \(dash)enc a-b \(dash)x ".utf8).rawSpan) != nil)
        }
        #expect(pattern.match(Array(" -enc a/b -x ".utf8).rawSpan) == nil)
        #expect(pattern.match(Array(" +enc a-b -x ".utf8).rawSpan) == nil)
    }

    @Test func aHostilePatternEndsSoon() {
        let pattern = TextPattern(String(repeating: "a*", count: 200) + "b").comparable(isCased: false)
        let text = [UInt8](repeating: 0x61, count: 20_000)
        #expect(pattern.match(text.rawSpan) == nil)
    }

    static let networks: [(String, String, Bool)] = [
        ("10.0.0.0/8", "10.1.2.3", true), ("10.0.0.0/8", "11.1.2.3", false), ("10.1.2.3", "10.1.2.3", true),
        ("192.168.1.128/25", "192.168.1.127", false), ("192.168.1.128/25", "192.168.1.255", true),
        ("0.0.0.0/0", "8.8.8.8", true), ("0.0.0.0/0", "::1", false), ("10.0.0.0/8", "::ffff:10.2.3.4", true),
        ("::1/128", "::1", true), ("::1/128", "0:0:0:0:0:0:0:1", true), ("fe80::/10", "fe80::1%eth0", true),
        ("fe80::/10", "[fe80::abcd]", true), ("fc00::/7", "fd12:3456::1", true), ("fc00::/7", "fe12::1", false),
        ("2001:db8::/32", "2001:db8:1:2:3:4:5:6", true), ("10.0.0.0/8", "10.1.2", false), ("10.0.0.0/8", "-", false),
        ("10.0.0.0/8", "10.1.2.300", false), ("10.0.0.0/8", "10.1.2.3.4", false), ("::/0", "1::2::3", false),
        ("::/0", "1:2:3:4:5:6:7:8:9", false), ("::/0", "::", true), ("::/0", "12345::", false),
    ]

    @Test(arguments: networks)
    func networksContainAddresses(_ network: String, _ address: String, _ expected: Bool) throws {
        let network = try #require(IPNetwork(network))
        #expect((IPAddress(Array(address.utf8).rawSpan).map { network.contains($0) } ?? false) == expected)
    }

    @Test(arguments: ["10.0.0.0/33", "::/129", "host", "10.0.0.0/8/9", "", "10.0.0.0/-1"])
    func badNetworksAreRefused(_ text: String) {
        #expect(IPNetwork(text) == nil)
    }
}
