import PipelineTesting
import Testing

// The prefetch files of the demo tree.
struct PrefetchDemoTests {
    @Test func attackTool() {
        var builder = PrefetchBuilder()
        builder.executable = "MIMIKATZ.EXE"
        builder.files = [
            "\\VOLUME{01d0}\\WINDOWS\\SYSTEM32\\NTDLL.DLL", "\\VOLUME{01d0}\\USERS\\PUBLIC\\MIMIKATZ.EXE",
            "\\VOLUME{01d0}\\WINDOWS\\SYSTEM32\\SAMLIB.DLL",
        ]
        let bytes = PrefetchBuilder.compressed(builder.bytes)
        #expect(demoDifference("win/C/Windows/Prefetch/MIMIKATZ.EXE-0BADF00D.pf", bytes) == nil)
    }

    @Test func ordinaryProgram() {
        #expect(demoDifference("win/C/Windows/Prefetch/LISTER.EXE-0BADF00D.pf", PrefetchBuilder().bytes) == nil)
    }
}
