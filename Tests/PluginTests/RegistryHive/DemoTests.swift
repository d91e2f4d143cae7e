import PipelineTesting
import Testing

// The hives of the demo tree.
struct HiveDemoTests {
    @Test func hivesOfTheDemoTree() {
        let config = "win/C/Windows/System32/config/"
        #expect(demoDifference(config + "SOFTWARE", HiveBuilder.hive(HiveSamples.software())) == nil)
        #expect(demoDifference(config + "SYSTEM", HiveBuilder.hive(HiveSamples.system())) == nil)
        #expect(demoDifference("win/C/Users/alice/NTUSER.DAT", HiveBuilder.hive(HiveSamples.user())) == nil)
        let programs = "win/C/Windows/AppCompat/Programs/Amcache.hve"
        #expect(demoDifference(programs, HiveBuilder.hive(HiveSamples.amcache())) == nil)
    }
}
