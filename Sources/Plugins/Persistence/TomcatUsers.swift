public import Pipeline

// Accounts of Apache Tomcat: `tomcat-users.xml`, elements `user` with username (`name` in old versions), password and
// roles. Emits each as one record `Tomcat user`: user, roles.

/// An account in tomcat-users.xml.
struct TomcatUser: Equatable {
    var name: String
    var password: String
    var roles: String?

    // What the documentation and the shipped file had, and what everybody tries first.
    private static let defaults: Set<String> = [
        "tomcat", "admin", "manager", "role1", "both", "s3cret", "secret", "password", "changethis", "changeme", "root",
        "changeit", "tomcatadmin", "<must-be-changed>", "must-be-changed", "j2deployer", "qcc", "ovwebusr", "123456",
        "tomcat123", "admin123", "password1", "12345678",
    ]

    /// Why the password is weak; nil when it is not known to be.
    var weakness: String? {
        if password.isEmpty { return "Password is empty" }
        if password.lowercased() == name.lowercased() { return "Password equals the user name" }
        return Self.defaults.contains(password.lowercased()) ? "Password is a known default" : nil
    }

    /// All of a document; nil when it is another one.
    static func all(in root: XMLElement) -> [TomcatUser]? {
        guard root.name == "tomcat-users" else { return nil }
        return root.children.filter { $0.name == "user" }.map { user in
            TomcatUser(
                name: user.attribute("username", "name") ?? "", password: user.attribute("password") ?? "",
                roles: user.attribute("roles"))
        }
    }
}

/// Reads the accounts of Apache Tomcat.
public struct TomcatUsersStage: Stage {
    static let weak = Heuristic(
        "TomcatWeakPassword", score: 75, "Tomcat credential weakness", tags: ["T1078.001"],
        falsePositives: ["Files of a manual or a test system"])

    /// What it is, as data.
    public static let descriptor = StageDescriptor(
        name: "tomcat-users", summary: "Reads tomcat-users.xml and checks its passwords.", interest: .kinds("XML"),
        module: "VulnerabilityCheck", heuristics: [weak],
        references: ["https://tomcat.apache.org/tomcat-10.1-doc/realm-howto.html (UserDatabaseRealm)"],
        limitations: ["Digested passwords are not tried.", "Passwords are not shown."])

    /// Type of the records.
    public static let recordType = RecordType("Tomcat user", module: "VulnerabilityCheck")

    private static let mark = Array("<tomcat-users".utf8)

    /// Builds the stage.
    public init(options: NoOptions = NoOptions(), environment: StageEnvironment = StageEnvironment()) {}

    /// Reads one document, if it has accounts.
    public func inspect(_ sample: Sample, _ state: inout NoState, _ out: inout Output) throws(StageError) {
        try out.checkpoint()
        guard let start = sample.bytes.span.prefix(64 << 10).firstOffset(of: Self.mark) else { return }
        let tree = try XMLTree(sample, &out)
        for user in TomcatUser.all(in: tree.root) ?? [] {
            try out.emit(Self.recordType, offset: start) { builder in
                builder.field("user", user.name)
                builder.field("roles", user.roles)
                guard let weakness = user.weakness else { return }
                var reason = Self.weak.reason(user.name, at: Self.recordType.pointer(to: "user"))
                reason.summary += ": " + weakness
                builder.report(reason)
            }
        }
    }
}
