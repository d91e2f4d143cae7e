import Pipeline
import PipelineTesting
import Testing

@testable import Persistence

// Builds `.job` files without the parser's definitions.
struct JobBuilder {
    var application = "C:\\WINDOWS\\system32\\cmd.exe"
    var parameters = "/c C:\\WINDOWS\\Temp\\a.bat"

    var bytes: [UInt8] {
        func le16(_ value: Int) -> [UInt8] { [UInt8(value & 0xFF), UInt8(value >> 8 & 0xFF)] }
        func le32(_ value: Int) -> [UInt8] { le16(value & 0xFFFF) + le16(value >> 16) }
        func text(_ text: String) -> [UInt8] {
            text.isEmpty ? le16(0) : le16(text.utf16.count + 1) + text.utf16.flatMap { le16(Int($0)) } + [0, 0]
        }
        let texts = text(application) + text(parameters) + text("C:\\Work") + text("SYSTEM") + text("Created by demo.")
        let trigger =
            le16(48) + le16(0) + le16(2026) + le16(1) + le16(2) + le16(0) + le16(0) + le16(0) + le16(3) + le16(4)
            + le32(60) + le32(15) + le32(0) + le32(1) + [UInt8](repeating: 0, count: 12)
        let data = le16(0) + le16(8) + [UInt8](repeating: 0, count: 8)
        let triggers = 70 + texts.count + data.count
        var head = le16(0x0501) + le16(1) + (1...16).map { UInt8($0) } + le16(0x46) + le16(triggers)
        head += le16(0) + le16(0) + le16(60) + le16(10) + le32(0x20) + le32(259_200_000) + le32(2) + le32(0x41300)
        head += le32(0) + le16(2026) + le16(1) + le16(5) + le16(2) + le16(3) + le16(4) + le16(0) + le16(0)
        return head + le16(0) + texts + data + le16(1) + trigger
    }
}

@Suite struct AtJobTests {
    private func job(_ bytes: [UInt8]) -> ScannedOutput {
        scan(AtJobStage(), Bytes(bytes), path: "C/WINDOWS/Tasks/At1.job", kind: "Windows At Job")
    }

    @Test func fieldsAndReasons() {
        #expect(goldenDifference("at-job.txt", job(JobBuilder().bytes).text) == nil)
    }

    @Test func stageConforms() {
        #expect(StageConformance(kind: "Windows At Job").violations(of: AtJobStage(), sample: JobBuilder().bytes) == [])
    }

    @Test func lengthsAndCountsBeyondTheEndAreSaid() {
        var bytes = JobBuilder().bytes
        bytes.replaceSubrange(70..<72, with: [0xFF, 0xFF])
        #expect(job(bytes).records.count == 1)
        #expect(job(bytes).issues.map(\.code) == [.damaged])
        bytes = JobBuilder().bytes
        bytes.replaceSubrange(22..<24, with: [0xFF, 0xFF])
        #expect(
            job(bytes).records.first?.fields.first?.value
                == "C:\\WINDOWS\\system32\\cmd.exe /c C:\\WINDOWS\\Temp\\a.bat")
        #expect(job(bytes).issues.map(\.code) == [.damaged])
        #expect(job(Array(bytes.prefix(69))).issues.map(\.code) == [.damaged])
    }

    @Test(.enabled(if: Shared.directory("corpus/tasks") != nil, "no ../shared here"))
    func corpusJobsAreRead() throws {
        let folder = try #require(Shared.directory("corpus/tasks"))
        for path in Shared.files(below: folder) where path.hasSuffix(".job") {
            let output = scan(AtJobStage(), try ByteStore().read(file: path), kind: "Windows At Job")
            #expect(output.issues.isEmpty, "\(path)")
            #expect(output.records.first?.fields.first?.value.isEmpty == false, "\(path)")
        }
    }
}
