import Pipeline
import PipelineTesting
import Testing

@testable import Persistence

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
