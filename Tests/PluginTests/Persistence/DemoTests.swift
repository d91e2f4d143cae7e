import PipelineTesting
import Testing

// The tasks of the demo tree.
struct TaskDemoTests {
    @Test func tasksOfTheDemoTree() {
        let tasks = "win/C/Windows/System32/Tasks/"
        #expect(demoDifference(tasks + "Demo/Catalogue Update", TaskSample.wide) == nil)
        let benign = TaskSample.text
            .replacing("powershell.exe", with: "%windir%\\system32\\defrag.exe")
            .replacing(TaskSample.encoded, with: "-c -h -o")
            .replacing("C:\\Users\\Public\\Ümläut.exe", with: "C:\\Program Files\\Catalogue\\update.exe")
            .replacing("Catalogue Update", with: "Defrag")
        #expect(demoDifference(tasks + "Demo/Defrag", [0xFF, 0xFE] + TaskSample.utf16(benign)) == nil)
        #expect(demoDifference("win/C/Windows/Tasks/At1.job", JobBuilder().bytes) == nil)
    }
}
