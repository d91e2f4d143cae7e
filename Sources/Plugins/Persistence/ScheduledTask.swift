// Scheduled tasks of Windows Vista and later: XML of the namespace http://schemas.microsoft.com/windows/2004/02/mit/task
// (MS-TSCH 2.5), in `System32\Tasks` or as `schtasks /query /xml` and `Export-ScheduledTask` write them.

/// A scheduled task.
struct ScheduledTask: Equatable {
    /// Path in the scheduler's folders (`URI`).
    var path: String?
    /// Command lines of its programs.
    var commands: [String] = []
    /// Folders that its programs start in.
    var workingDirectories: [String] = []
    /// Class ids of its COM handlers, each with the data that it is handed.
    var handlers: [String] = []
    /// Whether it is switched on; nil when it does not say, which means that it is.
    var isEnabled: Bool?
    /// Whether it is hidden in the management console.
    var isHidden: Bool?
    /// What starts it: kind of trigger and its settings.
    var triggers: [String] = []
    /// Account or group it runs as.
    var user: String?
    var logonType: String?
    var runLevel: String?
    var privileges: [String] = []
    var author: String?
    var description: String?
    /// When it was registered, as it is written.
    var date: String?

    /// All tasks of a document: its root, or those below a root `Tasks`.
    static func all(in root: XMLElement) -> [ScheduledTask] {
        switch root.name {
        case "Task": [ScheduledTask(root)]
        case "Tasks": root.children.filter { $0.name == "Task" }.map { ScheduledTask($0) }
        default: []
        }
    }

    init(_ task: XMLElement) {
        if let info = task.child("RegistrationInfo") {
            path = info.text(of: "URI")
            author = info.text(of: "Author")
            description = info.text(of: "Description")
            date = info.text(of: "Date")
        }
        for trigger in task.child("Triggers")?.children ?? [] { triggers.append(Self.text(of: trigger)) }
        // The actions name the principal that they run as; there is one in all but handmade files.
        if let principals = task.child("Principals") {
            let context = task.child("Actions")?.attribute("Context")
            let principal =
                principals.children.first { $0.name == "Principal" && $0.attribute("id") == context }
                ?? principals.child("Principal")
            user = principal?.text(of: "UserId") ?? principal?.text(of: "GroupId")
            logonType = principal?.text(of: "LogonType")
            runLevel = principal?.text(of: "RunLevel")
            privileges = principal?.child("RequiredPrivileges")?.children.map(\.text) ?? []
        }
        if let settings = task.child("Settings") {
            isEnabled = Self.boolean(settings.text(of: "Enabled"))
            isHidden = Self.boolean(settings.text(of: "Hidden"))
        }
        for action in task.child("Actions")?.children ?? [] { add(action) }
    }

    private mutating func add(_ action: XMLElement) {
        switch action.name {
        case "Exec":
            let command = action.text(of: "Command") ?? ""
            let arguments = action.text(of: "Arguments").map { " " + $0 } ?? ""
            commands.append(command + arguments)
            if let directory = action.text(of: "WorkingDirectory") { workingDirectories.append(directory) }
        case "ComHandler":
            let data = action.text(of: "Data").map { " " + $0 } ?? ""
            handlers.append((action.text(of: "ClassId") ?? "") + data)
        default: break
        }
    }

    private static func boolean(_ text: String?) -> Bool? {
        switch text?.lowercased() {
        case "true", "1": true
        case "false", "0": false
        default: nil
        }
    }

    // `LogonTrigger Enabled=true UserId=DEMO\anna`: the leaves in the order of the document.
    private static func text(of trigger: XMLElement) -> String {
        var text = trigger.name
        for child in trigger.children {
            child.each { element in
                guard element.children.isEmpty else { return }
                text += element.text.isEmpty ? " " + element.name : " \(element.name)=\(element.text)"
            }
        }
        return text
    }
}
