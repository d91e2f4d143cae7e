import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOSSL
import Pipeline
import Testing

@testable import ThunderstormService

@Suite(.enabled(if: TestAuthority.isAvailable, "needs the openssl program"))
struct TLSTests {
    private func server(_ authority: TestAuthority, clients: Bool = false) throws -> TestServer {
        try TestServer {
            $0.certificates = Certificates.Files(
                certificate: authority.path("server.pem"), key: authority.path("server.key"),
                clientAuthorities: clients ? authority.path("ca.pem") : nil)
        }
    }

    private func client(_ authority: TestAuthority, certificate: String? = nil) throws -> TestClient.Configuration {
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.trustRoots = .file(authority.path("ca.pem"))
        if let certificate {
            tls.certificateChain = try NIOSSLCertificate.fromPEMFile(authority.path(certificate + ".pem"))
                .map { .certificate($0) }
            tls.privateKey = .privateKey(
                try NIOSSLPrivateKey(file: authority.path(certificate + ".key"), format: .pem))
        }
        return TestClient.Configuration(tlsConfiguration: tls, timeout: .seconds(15), serverName: "localhost")
    }

    private func upload(_ port: Int, _ configuration: TestClient.Configuration, _ content: String) async throws
        -> String
    {
        try await TestClient.withClient(host: "127.0.0.1", port: port, configuration: configuration) { client in
            let form = MultipartForm(content)
            let answer = try await client.execute(
                TestClient.Request(
                    "/api/check", method: .post, authority: "localhost", headers: [.contentType: form.contentType],
                    body: ByteBuffer(bytes: form.bytes)))
            return answer.body.map { String(buffer: $0) } ?? ""
        }
    }

    @Test func samplesComeOverTLS() async throws {
        let authority = try TestAuthority()
        try authority.issue("server")
        try await server(authority).listen { port, _ async throws in
            let configuration = try client(authority)
            #expect(try await upload(port, configuration, "evil").contains("Evil"))
            let large = String(repeating: "x", count: 3_000_000) + "evil"
            #expect(try await upload(port, configuration, large).contains("Evil"))
            // Plain HTTP is not answered.
            await #expect(throws: (any Error).self) {
                try await RawConnection.exchange(port, MultipartForm("x").request())
            }
        }
    }

    @Test func aSwappedCertificateIsUsedAndABrokenOneIsNot() async throws {
        let authority = try TestAuthority()
        try authority.issue("server")
        let other = try TestAuthority()
        try other.issue("server")
        let test = try server(authority)
        try await test.listen { port, _ async throws in
            let certificates = try #require(test.core.certificates)
            #expect(try await upload(port, try client(authority), "x") == "[]\n")
            await #expect(throws: (any Error).self) { try await upload(port, try client(other), "x") }
            for name in ["server.pem", "server.key"] {
                try authority.folder.write(name, try other.folder.read(name))
            }
            certificates.reload(test.log)
            #expect(try await upload(port, try client(other), "x") == "[]\n")
            try authority.folder.write("server.pem", "no certificate")
            certificates.reload(test.log)
            certificates.reload(test.log)
            #expect(try await upload(port, try client(other), "x") == "[]\n")
        }
        #expect(test.log.messages.filter { $0.contains("certificate could not be read") }.count == 1)
        #expect(test.log.messages.filter { $0.hasPrefix("the certificate was read again") }.count == 1)
    }

    @Test func clientsNeedACertificateOfTheAuthority() async throws {
        let authority = try TestAuthority()
        try authority.issue("server")
        try authority.issue("collector", common: "collector")
        let stranger = try TestAuthority()
        try stranger.issue("collector")
        for suffix in [".pem", ".key"] {
            try authority.folder.write("stranger" + suffix, try stranger.folder.read("collector" + suffix))
        }
        let test = try server(authority, clients: true)
        try await test.listen { port, _ async throws in
            #expect(try await upload(port, try client(authority, certificate: "collector"), "x") == "[]\n")
            for certificate in [nil, "stranger"] {
                await #expect(throws: (any Error).self) {
                    try await upload(port, try client(authority, certificate: certificate), "x")
                }
            }
            while test.log.messages.filter({ $0.hasPrefix("a connection was refused") }).count < 2 {
                try await Task.sleep(for: .milliseconds(5))
            }
        }
        #expect(test.engine.submissions.count == 1)
    }

    @Test func filesThatDoNotWorkAreNamed() throws {
        let authority = try TestAuthority()
        try authority.issue("server")
        try authority.issue("other")
        func error(_ certificate: String, _ key: String, _ clients: String? = nil) -> String {
            let error = #expect(throws: ConfigurationError.self) {
                try Certificates(
                    Certificates.Files(
                        certificate: authority.path(certificate), key: authority.path(key),
                        clientAuthorities: clients.map { authority.path($0) }))
            }
            return error?.description ?? ""
        }
        #expect(error("missing", "server.key").hasPrefix("--server-cert: "))
        #expect(error("server.pem", "server.csr").hasPrefix("--server-key: "))
        #expect(error("server.pem", "other.key").contains("--server-key"))
        #expect(error("server.pem", "server.key", "server.csr").hasPrefix("--server-client-ca: "))
    }
}
