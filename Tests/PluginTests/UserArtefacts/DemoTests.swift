import PipelineTesting
import Testing

// The artefacts of users in the demo tree.
struct UserArtefactDemoTests {
    @Test func artefactsOfTheDemoTree() {
        let bin = "win/C/$Recycle.Bin/S-1-5-21-1004336348-1177238915-682003330-1105/"
        let path = "C:\\Users\\alice\\Downloads\\mimikatz_trunk.zip"
        let info =
            le64(2) + le64(42) + le64(132_539_328_001_234_560) + le32(UInt32(path.utf16.count + 1)) + wide(path) + [
                0, 0,
            ]
        #expect(demoDifference(bin + "$IABCDEF.zip", info) == nil)
        #expect(
            demoDifference(bin + "$RABCDEF.zip", Array("The content of the deleted file is not kept.\n".utf8)) == nil)
        let report = "win/C/ProgramData/Microsoft/Windows/WER/ReportArchive/AppCrash_mimikatz.exe_0001/Report.wer"
        #expect(demoDifference(report, ErrorReportSample.bytes) == nil)
        let cache = "win/C/Users/alice/AppData/Local/Microsoft/Windows/PowerShell/ModuleAnalysisCache"
        #expect(demoDifference(cache, ModuleCacheSample.demo) == nil)
    }
}
