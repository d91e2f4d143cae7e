import ArgumentParser
import ThunderstormService

// Flags of `serve` that belong together.

/// Who may use the service.
struct SecurityOptions: ParsableArguments {
    @Option(name: .long, help: ArgumentHelp("Certificate chain (PEM): serve with TLS.", valueName: "file"))
    var serverCert: String?

    @Option(name: .long, help: ArgumentHelp("Private key of the certificate (PEM).", valueName: "file"))
    var serverKey: String?

    @Option(
        name: .long,
        help: ArgumentHelp("Authorities (PEM): clients need a certificate of theirs.", valueName: "file"))
    var serverClientCa: String?

    @Option(
        name: .long,
        help: ArgumentHelp("Tokens, made by `thunderstorm token create`: clients need one.", valueName: "file"))
    var serverTokens: String?

    @Flag(name: .long, help: "Listen on an address that others reach, without TLS or tokens.")
    var allowInsecure = false

    @Option(name: .long, help: ArgumentHelp("Uploads a minute from one source (default: no limit).", valueName: "n"))
    var sourceRateLimit: Int?

    @Option(name: .long, help: ArgumentHelp("Bytes a day from one source (default: no limit).", valueName: "size"))
    var sourceQuota: String?

    func apply(to settings: inout Settings) {
        settings.serverCertificate = serverCert
        settings.serverKey = serverKey
        settings.serverClientAuthorities = serverClientCa
        settings.serverTokens = serverTokens
        settings.allowInsecure = allowInsecure ? true : nil
        settings.sourceRateLimit = sourceRateLimit
        settings.sourceQuota = sourceQuota
    }
}

/// Which samples are kept.
struct StorageOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp("Keep samples: all, malicious (Warning or Alert) or none (default).", valueName: "which"))
    var serverStoreSamples: String?

    @Option(name: .long, help: ArgumentHelp("Keep samples with this score or more.", valueName: "score"))
    var storeSamplesScore: Int?

    @Option(
        name: .long,
        help: ArgumentHelp("Where samples are kept (default: samples in the upload dir).", valueName: "dir"))
    var storeSamplesDir: String?

    @Option(
        name: .long, help: ArgumentHelp("Most bytes kept; the oldest samples go (default: 100GB).", valueName: "size"))
    var storeSamplesQuota: String?

    @Option(name: .long, help: ArgumentHelp("Days after which a kept sample goes (default: never).", valueName: "days"))
    var storeSamplesAge: Int?

    @Option(name: .long, help: ArgumentHelp("Show kept samples as a tree of hosts and paths.", valueName: "dir"))
    var vfsDir: String?

    func apply(to settings: inout Settings) {
        settings.storeSamples = serverStoreSamples
        settings.storeSamplesScore = storeSamplesScore
        settings.storeSamplesDirectory = storeSamplesDir
        settings.storeSamplesQuota = storeSamplesQuota
        settings.storeSamplesAge = storeSamplesAge
        settings.viewDirectory = vfsDir
    }
}
