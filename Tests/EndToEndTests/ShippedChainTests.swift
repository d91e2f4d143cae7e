import Foundation
import Pipeline
import PipelineTesting
import Plugins
import Testing

/// The chains that are shipped.
struct ShippedChainTests {
    // A dump may be larger than the disk has room for a copy: no stage before its parser may want the whole file.
    @Test func dumpsReachTheirParserWithoutACopy() throws {
        let text = try String(contentsOfFile: Shared.packageRoot + "/rules/chains.yml", encoding: .utf8)
        let full = text.split(separator: "\n").drop { !$0.hasPrefix("  full:") }.dropFirst()
            .prefix { !$0.hasSuffix(":") }
            .filter { $0.hasPrefix("    - ") }.map { $0.dropFirst(6).trimmingCharacters(in: .whitespaces) }
        #expect(full.count == 26 && full.contains("memory-dump"))
        // Without a file the list of stages is the chain; `command` is in it only where somebody wrote one.
        #expect(BuiltinStages.all.map { $0.descriptor.name }.filter { $0 != "command" } == full)
        let descriptors = Dictionary(
            BuiltinStages.all.map { ($0.descriptor.name, $0.descriptor) }, uniquingKeysWith: { first, _ in first })
        for name in full.prefix(while: { $0 != "memory-dump" }) {
            let descriptor = try #require(descriptors[name], "\(name)")
            for kind in FileKind.memoryDumps {
                #expect(descriptor.readsPieces || !descriptor.interest.wants(kind), "\(name) wants all of a \(kind)")
            }
        }
    }
}
