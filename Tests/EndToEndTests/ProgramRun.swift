import Foundation
import PipelineTesting
import Testing
import ThunderstormService

/// The program that was built beside the tests, run as users run it.
struct ProgramRun {
    let output: String
    let errors: String
    let status: Int32

    /// Lines of the output.
    var lines: [String] { output.split(separator: "\n").map(String.init) }

    static let program = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
        .appending(path: "thunderstorm")

    /// Runs it to its end.
    init(_ arguments: [String]) throws {
        try #require(FileManager.default.isExecutableFile(atPath: Self.program.path), "no program beside the tests")
        // Files, not pipes: neither fills up while the other is read.
        let folder = FileManager.default.temporaryDirectory.appending(path: "thunderstorm-run-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let files = try ["output", "errors"].map { name in
            let file = folder.appending(path: name)
            try Data().write(to: file)
            return file
        }
        let handles = try files.map { try FileHandle(forWritingTo: $0) }
        status = try ChildProgram(
            [Self.program.path] + arguments, output: handles[0].fileDescriptor, errors: handles[1].fileDescriptor
        ).wait()
        for handle in handles { try handle.close() }
        output = String(decoding: try Data(contentsOf: files[0]), as: UTF8.self)
        errors = String(decoding: try Data(contentsOf: files[1]), as: UTF8.self)
    }

    /// A folder for the files of one test.
    static func folder() throws -> URL {
        let folder = FileManager.default.temporaryDirectory.appending(path: "thunderstorm-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        return folder
    }
}
