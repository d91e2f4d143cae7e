import Pipeline
import PipelineTesting
import Testing

@testable import Persistence

@Suite struct GroupPolicyPasswordTests {
    // Made with another implementation of AES and the published key.
    static let secrets = [
        ("TTkn5yjEdwf0/66s1sqW0ru6Zoe/qyxKlihWEjTkMCg", "Demo!Pass9"),
        ("BXgzzrmElc3KDZNxxtsYMU+iLtuM4GhTF1wajRsZApGVPen6goCgc71OcPss/bit", "Grüße 2026 und mehr"),
    ]
    static let text = """
        <?xml version="1.0" encoding="utf-8"?>
        <Groups clsid="{3125E937-EB16-4b4c-9934-544FC6D24D26}">
          <User clsid="{DF5F1855-51E5-4d24-8B1A-D9BDE98BA1D1}" name="Administrator" changed="2026-01-02 03:04:05">
            <Properties action="U" newName="" fullName="" cpassword="\(secrets[0].0)" userName="Administrator"/>
          </User>
          <User name="old"><Properties action="U" newName="helpdesk" cpassword="\(secrets[1].0)" userName="old"/></User>
          <User name="none"><Properties cpassword="" userName="none"/></User>
          <User name="odd"><Properties cpassword="not Base64!" userName="odd"/></User>
        </Groups>
        """

    private func groups(_ text: String) -> ScannedOutput {
        scan(GroupsXMLStage(), Bytes(utf8: text), path: "Groups.xml", kind: "XML")
    }

    @Test(arguments: secrets)
    func passwordsAreDecrypted(secret: String, password: String) {
        #expect(GroupPolicyPassword.decrypt(secret) == password)
        #expect(GroupPolicyPassword.decrypt(secret + "=") == password)
        #expect(GroupPolicyPassword.decrypt(String(secret.dropLast(2))) == nil)
    }

    @Test func fieldsAndReasons() { #expect(goldenDifference("groups.txt", groups(Self.text).text) == nil) }

    @Test func thePasswordIsNotShown() {
        #expect(!groups(Self.text).text.contains("Demo!Pass9"))
        #expect(groups("<Groups><User name='a'/></Groups>").records.isEmpty)
        // Scheduled tasks, services and drives have their own documents and attributes.
        let task =
            "<ScheduledTasks><Task><Properties runAs='DEMO\\t' cpassword='\(Self.secrets[0].0)'/></Task></ScheduledTasks>"
        #expect(groups(task).records.first?.fields.map(\.value) == ["DEMO\\t", "Dem*******"])
    }

    @Test func stageConforms() {
        let kit = StageConformance(path: "Groups.xml", kind: "XML")
        #expect(kit.violations(of: GroupsXMLStage(), sample: Array(Self.text.utf8)) == [])
    }
}

@Suite struct TomcatUsersTests {
    static let text = """
        <?xml version='1.0' encoding='utf-8'?>
        <tomcat-users xmlns="http://tomcat.apache.org/xml" version="1.0">
          <!-- <user username="robot" password="robot" roles="manager-script"/> -->
          <role rolename="manager-gui"/>
          <user username="anna" password="Anna" roles="manager-gui,admin-gui"/>
          <user name="deploy" password="s3cret" roles="manager-script"/>
          <user username="monitor" password="9f1c-long-and-random" roles="manager-status"/>
          <user username="guest" roles="none"/>
        </tomcat-users>
        """

    private func users(_ text: String) -> ScannedOutput {
        scan(TomcatUsersStage(), Bytes(utf8: text), path: "tomcat-users.xml", kind: "XML")
    }

    @Test func fieldsAndReasons() { #expect(goldenDifference("tomcat-users.txt", users(Self.text).text) == nil) }

    @Test func otherDocumentsAreNotRead() {
        #expect(users("<server><tomcat-users><user name='a' password='a'/></tomcat-users></server>").records.isEmpty)
        #expect(users("<users/>").issues.isEmpty)
    }

    @Test func stageConforms() {
        let kit = StageConformance(path: "tomcat-users.xml", kind: "XML")
        #expect(kit.violations(of: TomcatUsersStage(), sample: Array(Self.text.utf8)) == [])
    }
}
