import PipelineTesting
import Testing

// The event log of the demo tree.
struct EventLogDemoTests {
    @Test func logOfTheDemoTree() {
        let path = "win/C/Windows/System32/winevt/Logs/Security.evtx"
        #expect(demoDifference(path, SyntheticEventLog.intrusion().file()) == nil)
    }
}
