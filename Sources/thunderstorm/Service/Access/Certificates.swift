import NIOSSL
import Pipeline
import Synchronization

/// Certificate, key and trusted client authorities of the service, read again when their files change.
final class Certificates: Sendable {
    /// Where they are.
    struct Files: Sendable, Equatable {
        /// PEM file with the certificate and those between it and its root.
        var certificate: String
        /// PEM file with the private key.
        var key: String
        /// PEM file with the authorities whose certificates clients must have; nil when they need none.
        var clientAuthorities: String?
    }

    private struct Contents {
        var context: NIOSSLContext
        var stamps: [FileStamp?]
    }

    private let files: Files
    private let contents: Mutex<Contents>

    /// Reads them.
    ///
    /// - Throws: `ConfigurationError` naming the flag whose file does not work.
    init(_ files: Files) throws(ConfigurationError) {
        self.files = files
        contents = Mutex(Contents(context: try Self.makeContext(files), stamps: Self.stamps(files)))
    }

    /// What new connections use.
    var context: NIOSSLContext { contents.withLock { $0.context } }

    /// Reads them again when a file has changed; files that do not work leave the old ones in force.
    func reload(_ log: any EventLog) {
        let stamps = Self.stamps(files)
        guard contents.withLock({ $0.stamps != stamps }) else { return }
        do {
            let context = try Self.makeContext(files)
            contents.withLock { $0 = Contents(context: context, stamps: stamps) }
            log.message(
                .info, module: "HTTPServer", "the certificate was read again", fields: [("FILE", files.certificate)])
        } catch {
            contents.withLock { $0.stamps = stamps }
            log.message(
                .error, module: "HTTPServer", "the certificate could not be read again; the old one stays in use",
                fields: [("ERROR", "\(error)")])
        }
    }

    private static func stamps(_ files: Files) -> [FileStamp?] {
        [files.certificate, files.key, files.clientAuthorities ?? ""].map { FileStamp($0) }
    }

    private static func makeContext(_ files: Files) throws(ConfigurationError) -> NIOSSLContext {
        func of<T>(_ flag: String, _ path: String, _ body: () throws -> T) throws(ConfigurationError) -> T {
            do {
                return try body()
            } catch {
                throw ConfigurationError("\(flag): \(path) does not work: \(error)")
            }
        }
        let chain = try of("--server-cert", files.certificate) { try NIOSSLCertificate.fromPEMFile(files.certificate) }
        let key = try of("--server-key", files.key) { try NIOSSLPrivateKey(file: files.key, format: .pem) }
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = ["http/1.1"]
        if let path = files.clientAuthorities {
            let authorities = try of("--server-client-ca", path) { try NIOSSLCertificate.fromPEMFile(path) }
            configuration.trustRoots = .certificates(authorities)
            // A client has no host name to verify; without a certificate the handshake fails.
            configuration.certificateVerification = .noHostnameVerification
        }
        return try of("--server-cert and --server-key", files.certificate) {
            try NIOSSLContext(configuration: configuration)
        }
    }
}
