import Foundation
import Pipeline
import PipelineTesting
import Plugins
import Testing

@testable import ThunderstormService

/// The archive and the message of the demo tree yield findings about what is inside them.
struct ContainerTests {
    private func findings(_ name: String) throws -> [String] {
        let root = Shared.packageRoot
        let encoded = try String(contentsOfFile: root + "/samples/source/\(name).b64", encoding: .utf8)
        let bytes = try #require(Data(base64Encoded: encoded, options: .ignoreUnknownCharacters))
        let setup = try ScanSetup(
            ScanSetup.Request(rules: [root + "/rules"]), registry: StageRegistry(BuiltinStages.all))
        let report = setup.chain.scan(Sample(path: "samples/" + name, bytes: Bytes(Array(bytes))))
        #expect(report.issues.map(\.message) == [])
        return report.findings.compactMap { finding in
            guard case .file(let file) = finding.subject, !finding.reasons.isEmpty else { return nil }
            let rules = finding.reasons.map(\.signature.ruleName).filter { !$0.isEmpty }.joined(separator: ",")
            return "\(file.path) \(file.unpackSource.joined(separator: ">")) \(rules)"
        }
    }

    @Test func theMessageHoldsAScript() throws {
        let found = try findings("mail/invoice.eml")
        #expect(
            found.contains {
                $0.hasPrefix("samples/mail/invoice.eml/invoice 2026.zip/invoice.pdf.js EMAIL>ZIP ")
                    && $0.contains("SUSP_JS_Download_And_Run")
            }, "\(found)")
    }

    @Test func theArchiveHoldsShells() throws {
        let found = try findings("packed/tools.zip")
        #expect(
            found.contains {
                $0.hasPrefix("samples/packed/tools.zip/tools/rs.py ZIP ") && $0.contains("SUSP_Revshell_Python")
            }, "\(found)")
        #expect(
            found.contains {
                $0.hasPrefix("samples/packed/tools.zip/tools/up.zip/up.php ZIP>ZIP ")
                    && $0.contains("WEBSHELL_PHP_Bare_Uploader")
            }, "\(found)")
    }
}
