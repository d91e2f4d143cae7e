import Pipeline
import PipelineTesting
import Testing

@testable import Persistence

@Suite struct GroupPolicyPasswordTests {
    private func groups(_ text: String) -> ScannedOutput {
        scan(GroupsXMLStage(), Bytes(utf8: text), path: "Groups.xml", kind: "XML")
    }

    @Test(arguments: GroupsSample.secrets)
    func passwordsAreDecrypted(secret: String, password: String) {
        #expect(GroupPolicyPassword.decrypt(secret) == password)
        #expect(GroupPolicyPassword.decrypt(secret + "=") == password)
        #expect(GroupPolicyPassword.decrypt(String(secret.dropLast(2))) == nil)
    }

    @Test func fieldsAndReasons() { #expect(goldenDifference("groups.txt", groups(GroupsSample.text).text) == nil) }

    @Test func thePasswordIsNotShown() {
        #expect(!groups(GroupsSample.text).text.contains("Demo!Pass9"))
        #expect(groups("<Groups><User name='a'/></Groups>").records.isEmpty)
        // Scheduled tasks, services and drives have their own documents and attributes.
        let task =
            "<ScheduledTasks><Task><Properties runAs='DEMO\\t' cpassword='\(GroupsSample.secrets[0].0)'/></Task></ScheduledTasks>"
        #expect(groups(task).records.first?.fields.map(\.value) == ["DEMO\\t", "Dem*******"])
    }

    @Test func stageConforms() {
        let kit = StageConformance(path: "Groups.xml", kind: "XML")
        #expect(kit.violations(of: GroupsXMLStage(), sample: Array(GroupsSample.text.utf8)) == [])
    }
}

@Suite struct TomcatUsersTests {
    private func users(_ text: String) -> ScannedOutput {
        scan(TomcatUsersStage(), Bytes(utf8: text), path: "tomcat-users.xml", kind: "XML")
    }

    @Test func fieldsAndReasons() {
        #expect(goldenDifference("tomcat-users.txt", users(TomcatSample.text).text) == nil)
    }

    @Test func otherDocumentsAreNotRead() {
        #expect(users("<server><tomcat-users><user name='a' password='a'/></tomcat-users></server>").records.isEmpty)
        #expect(users("<users/>").issues.isEmpty)
    }

    @Test func stageConforms() {
        let kit = StageConformance(path: "tomcat-users.xml", kind: "XML")
        #expect(kit.violations(of: TomcatUsersStage(), sample: Array(TomcatSample.text.utf8)) == [])
    }
}
