import BannerStage
import Pipeline
import PipelineTesting
import Testing

struct BannerStageTests {
    private let file = "#### CASE 17\nhost: srv-3\nnote without an entry\nurl: https://www.example.org/a\n"

    @Test func entriesBecomeRecords() {
        let output = scan(BannerStage(), Bytes(utf8: file), path: "case.txt")
        #expect(
            output.records.map { $0.fields.map(\.value) } == [
                ["host", "srv-3"], ["url", "https://www.example.org/a"],
            ])
        #expect(output.records.map(\.offset) == [13, 47])
        #expect(output.reasons.map(\.signature.ruleName) == ["CaseBanner"])
        // The whole output as text, in a file: RECORD_GOLDEN=1 writes it, the diff is the review.
        #expect(goldenDifference("case.txt", output.text) == nil)
    }

    @Test(arguments: [(nil, 1), ([17], 1), ([18], 0), ([], 0)]) func onlyCasesThatAreLookedForAreReported(
        cases: [Int]?, reasons: Int
    ) {
        let stage = BannerStage(options: BannerStage.Options(cases: cases))
        #expect(scan(stage, Bytes(utf8: file)).reasons.count == reasons)
    }

    @Test func otherFilesAreLeftAlone() {
        let output = scan(BannerStage(), Bytes(utf8: "no banner\nhost: srv-3\n"))
        #expect(output.records.isEmpty && output.findings.isEmpty)
    }

    @Test func aBannerWithoutANumberIsSaid() {
        let output = scan(BannerStage(), Bytes(utf8: "#### CASE seventeen\nhost: srv-3\n"))
        #expect(output.records.isEmpty && output.issues.map(\.code) == [.damaged])
    }

    // Empty input, every truncation, bit flips, no budget, a cancelled scan, the same input twice.
    @Test func itConforms() {
        let broken = StageConformance(path: "case.txt").violations(of: BannerStage(), sample: Array(file.utf8))
        #expect(broken.isEmpty, "\(broken)")
    }
}
