import PipelineTesting
import Testing

// The jump lists of the demo tree.
struct JumpListDemoTests {
    @Test func listsOfTheDemoTree() {
        var builder = JumpListBuilder()
        builder.items = [
            .init(number: 1, path: "C:\\Windows\\Temp\\lsass.dmp", arguments: ""),
            .init(number: 2, path: "C:\\Work\\plan.txt", arguments: "/edit", pinned: true),
        ]
        let recent = "win/C/Users/alice/AppData/Roaming/Microsoft/Windows/Recent"
        #expect(
            demoDifference(
                recent + "/AutomaticDestinations/9b9cdc69c1c24e2b.automaticDestinations-ms", builder.automatic) == nil)
        #expect(
            demoDifference(
                recent + "/CustomDestinations/9b9cdc69c1c24e2b.customDestinations-ms", JumpListBuilder().custom) == nil)
    }
}
