import Foundation
import Pipeline

@testable import ThunderstormService

/// Certificates made on the spot with the openssl program.
struct TestAuthority {
    let folder: TemporaryFolder

    /// Whether the machine has the program; without it nothing of TLS can be tested.
    static let isAvailable = (try? run(["version"])) != nil

    init() throws {
        folder = try TemporaryFolder()
        try Self.run([
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30",
            "-subj", "/CN=test authority", "-keyout", path("ca.key"), "-out", path("ca.pem"),
        ])
    }

    /// Path of a file.
    func path(_ name: String) -> String { folder.path + "/" + name }

    /// Makes `NAME.pem` and `NAME.key` for localhost, signed by this authority.
    func issue(_ name: String, common: String = "localhost") throws {
        try Self.run([
            "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=\(common)",
            "-keyout", path(name + ".key"), "-out", path(name + ".csr"),
        ])
        try folder.write(name + ".ext", "subjectAltName=DNS:localhost,IP:127.0.0.1\n")
        try Self.run([
            "x509", "-req", "-in", path(name + ".csr"), "-CA", path("ca.pem"), "-CAkey", path("ca.key"),
            "-CAcreateserial", "-days", "30", "-extfile", path(name + ".ext"), "-out", path(name + ".pem"),
        ])
    }

    private static func run(_ arguments: [String]) throws {
        guard try ChildProgram(["openssl"] + arguments).wait() == 0 else {
            throw SystemError("openssl \(arguments[0])", number: EINVAL)
        }
    }
}
