import Foundation
import Pipeline
import Synchronization
import Testing

@testable import ThunderstormService

/// Remote runs over a stand-in for ssh that runs the command on this machine.
@Suite(.serialized) struct RemoteTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    // A distribution whose scan says what it was given; on a path that says so it finds, fails or hangs.
    private func archive() throws -> String {
        try folder.write(
            "tree/dist/run.sh",
            """
            #!/bin/sh
            echo "{\\"paths\\":\\"$*\\",\\"nice\\":\\"$NICE\\"}" > "$OUT/host.jsonl"
            case "$*" in *found*) exit 1 ;; *broken*) echo "it broke" >&2; exit 2 ;; *hang*) sleep 600 ;; esac
            """)
        let path = folder.path + "/dist.tar.gz"
        try run("chmod", ["+x", folder.path + "/tree/dist/run.sh"])
        try run("tar", ["-czf", path, "-C", folder.path + "/tree", "dist"])
        return path
    }

    private func run(_ program: String, _ arguments: [String]) throws {
        try #require(try ChildProgram([program] + arguments, errors: 2).wait() == 0)
    }

    // Takes the words of ssh; the last one is the command.
    private func ssh() throws -> [String] {
        try folder.write(
            "ssh",
            """
            #!/bin/bash
            for word; do host=$login; login=$word; done
            [ "$host" = dead ] && { echo "ssh: connect to host dead: No route to host" >&2; exit 255; }
            exec sh -c "$login"
            """)
        try run("chmod", ["+x", folder.path + "/ssh"])
        return [folder.path + "/ssh"]
    }

    private func host(_ name: String, _ paths: [String]) -> RemoteHosts.Host {
        RemoteHosts.Host(name: name, port: 22, user: "", sudo: false, paths: paths, flags: [])
    }

    private func leftovers() throws -> [String] {
        try ["/run", "/tmp"].flatMap { try FileManager.default.contentsOfDirectory(atPath: $0) }
            .filter { $0.hasPrefix("thunderstorm-scan-") }
    }

    @Test func everyMachineIsScannedAndNothingStaysThere() async throws {
        var options = RemoteRun.Options(archive: try archive())
        options.output = folder.path + "/logs"
        options.ssh = try ssh()
        options.parallel = 2
        let hosts = [
            host("one", ["/clean", "/it's here"]), host("two", ["/found"]), host("dead", ["/"]),
            host("three", ["/broken"]),
        ]
        let steps = Mutex<[String]>([])
        let run = try RemoteRun(hosts: hosts, options: options) { index, state in
            if index == 0, case .running(let step) = state { steps.withLock { $0.append(step) } }
        }
        await run.run()
        let states = run.snapshot
        #expect(states[0] == .done(found: false))
        #expect(states[1] == .done(found: true))
        #expect(states[2] == .failed("ssh: connect to host dead: No route to host"))
        #expect(states[3] == .failed("it broke"))
        #expect(steps.withLock { $0 } == ["connecting", "copying", "scanning", "fetching"])
        #expect(try folder.read("logs/one/host.jsonl") == "{\"paths\":\"/clean /it's here\",\"nice\":\"10\"}\n")
        #expect(try folder.names().contains("logs"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path + "/logs").sorted() == ["one", "two"])
        #expect(try leftovers().isEmpty)
    }

    @Test func aMachineThatTakesTooLongIsGivenUpAndCleansUp() async throws {
        var options = RemoteRun.Options(archive: try archive())
        options.output = folder.path + "/logs"
        options.ssh = try ssh()
        options.timeout = 2
        let run = try RemoteRun(hosts: [host("slow", ["/hang"])], options: options) { _, _ in }
        await run.run()
        #expect(run.snapshot == [.failed("it took longer than 2 s and was given up")])
        for _ in 0..<400 where try !leftovers().isEmpty { try await Task.sleep(for: .milliseconds(50)) }
        #expect(try leftovers().isEmpty)
    }

    @Test func theListOfMachinesIsChecked() throws {
        func hosts(_ text: String) throws -> [RemoteHosts.Host] {
            try folder.write("targets.yml", text)
            return try RemoteHosts(file: folder.path + "/targets.yml").hosts
        }
        func refusal(_ text: String) -> String {
            #expect(throws: ConfigurationError.self) { try hosts(text) }?.description ?? ""
        }
        let list = try hosts("user: root\npaths: [/a]\nhosts:\n  - web1\n  - {host: '::1', port: 2222, sudo: true}\n")
        #expect(list.map(\.name) == ["web1", "::1"])
        #expect(list.map(\.port) == [22, 2222])
        #expect(list.map(\.user) == ["root", "root"])
        #expect(list.map(\.paths) == [["/a"], ["/a"]])
        #expect(list.map(\.sudo) == [false, true])
        #expect(refusal("hosts: ['-oProxyCommand=x']").contains("is no host name"))
        #expect(refusal("hosts: ['a b']").contains("is no host name"))
        #expect(refusal("hosts: [{host: a, user: '$(x)'}]").contains("is no login"))
        #expect(refusal("hosts: [{host: a, prot: 1}]").contains("unknown key 'prot'"))
        #expect(refusal("hosts: [{host: a, port: 0}]").contains("port 0"))
        #expect(refusal("hosts: [a, a]").contains("names a port 22 twice"))
        #expect(refusal("hosts: []").contains("names no hosts"))
        #expect(refusal("x: 1").contains("no list 'hosts'"))
        #expect(refusal("hosts: [{host: a, paths: ['-x']}]").contains("paths must be"))
    }
}
