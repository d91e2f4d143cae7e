import Foundation
import PipelineTesting
import Testing

/// The `command` stage in the engine process, which may start no programs itself.
struct CommandStageTests {
    private func withFolder(_ test: (URL) throws -> Void) throws {
        let folder = try ProgramRun.folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        try test(folder)
    }

    private func write(_ text: String, to file: URL) throws {
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try text.write(to: file, atomically: true, encoding: .utf8)
    }

    // A chain with a program that does what the sample says; the sample stands behind `sh -c` as it is.
    private func configuration(in folder: URL) throws -> String {
        let file = folder.appending(path: "thunderstorm.yml")
        try write(
            """
            chains:
              obey:
                - file-type
                - command:
                    name: obey
                    run: [sh, /dev/fd/3]
                    extensions: [job]
                    timeout: 1
                    output: 1
                - log-lines
                - ioc
                - yara
            """, to: file)
        return file.path
    }

    private let said = #"echo '{"reason": {"summary": "said before", "score": 70}}'"#

    @Test func programsRunBesideTheLockedInEngine() throws {
        try withFolder { folder in
            let samples = folder.appending(path: "samples")
            let jobs = [
                "good": said, "hangs": said + "; sleep 50", "floods": said + "; yes", "dies": said + "; exit 7",
                "rubbish": said + "; echo rubbish", "noisy": said + "; yes >&2",
            ]
            for (name, job) in jobs { try write(job + "\n", to: samples.appending(path: name + ".job")) }
            for index in 0..<30 {
                try write("echo '{\"type\": \"Job \(index)\"}'\n", to: samples.appending(path: "\(index).job"))
            }
            try write(
                "echo '{\"reason\": {\"summary\": \"not for this one\", \"score\": 90}}'\n",
                to: samples.appending(path: "other.txt"))
            let run = try ProgramRun([
                "scan", samples.path, "--config", try configuration(in: folder), "--chain", "obey", "--format", "json",
                "--min-level", "debug", "--threads", "2",
            ])
            #expect(run.status == 1, "\(run.errors)")
            #expect(run.errors.contains("37 files, 37 samples"))
            #expect(!run.output.contains("not for this one"))
            for name in jobs.keys {
                let lines = run.lines.filter { $0.contains("/\(name).job") }
                #expect(lines.contains { $0.contains("said before") }, "\(name): \(lines)")
            }
            func issues(_ name: String) -> String {
                run.lines.filter { $0.contains("/\(name).job") && $0.contains("obey") }.joined()
            }
            #expect(issues("hangs").contains("did not end within 1.0 s and was killed"))
            #expect(issues("floods").contains("it printed more than 1 MiB"))
            #expect(issues("dies").contains("it ended with exit code 7"))
            #expect(issues("rubbish").contains("it is no JSON object: rubbish"))
            #expect(run.lines.contains { $0.contains("/good.job") && !$0.contains("exit code") })
        }
    }

    @Test func aSignatureFolderCannotStartPrograms() throws {
        try withFolder { folder in
            let configuration = try configuration(in: folder)
            let rules = folder.appending(path: "rules/chains.yml")
            try write("rule any { condition: true }\n", to: folder.appending(path: "rules/yara/any.yar"))
            try write(try String(contentsOfFile: configuration, encoding: .utf8), to: rules)
            let run = try ProgramRun(["explain", configuration, "--rules", folder.path + "/rules", "--chain", "obey"])
            #expect(run.status == 2 && run.output.isEmpty)
            #expect(run.errors.contains("rules/chains.yml:4: the stage 'command' starts a program"), "\(run.errors)")
            #expect(run.errors.contains("--config"))
        }
    }

    @Test func aProgramThatIsMissingIsSaidAtTheStart() throws {
        try withFolder { folder in
            let file = folder.appending(path: "bad.yml")
            try write("chains:\n  full:\n    - file-type\n    - command: {run: [/nowhere/program]}\n", to: file)
            let run = try ProgramRun(["scan", file.path, "--config", file.path])
            #expect(run.status == 2)
            #expect(
                run.errors.contains("bad.yml:4: stage 'command' cannot start: run: /nowhere/program"), "\(run.errors)")
        }
    }

    @Test func explainShowsItUnderItsName() throws {
        try withFolder { folder in
            let sample = folder.appending(path: "a.job")
            try write(said + "\n", to: sample)
            let run = try ProgramRun([
                "explain", sample.path, "--config", try configuration(in: folder), "--chain", "obey",
            ])
            #expect(run.status == 0, "\(run.errors)")
            #expect(run.lines.contains { $0.contains("    obey ") && $0.contains("1 reason") })
            #expect(run.output.contains("score 70: said before"))
        }
    }
}
