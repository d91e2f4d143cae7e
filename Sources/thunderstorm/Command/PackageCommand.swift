import ArgumentParser
import Pipeline
import ThunderstormService

struct PackageCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "package",
        abstract: "Signs and checks packages of signatures, as thunderstorm-update installs them.",
        discussion: """
            thunderstorm package keygen --name team            makes team.key and team.pub
            thunderstorm package sign mine/ --key team.key     writes mine/SHA256SUMS and its signature
            thunderstorm package verify mine/ --key team.pub   exit code 2 when anything is not as it was signed
            """,
        subcommands: [KeygenCommand.self, SignCommand.self, VerifyCommand.self])
}

struct KeygenCommand: StageCommand {
    static let configuration = CommandConfiguration(commandName: "keygen", abstract: "Makes a pair of keys.")

    @Option(name: .long, help: ArgumentHelp("Files NAME.key and NAME.pub are made.", valueName: "name"))
    var name: String

    func run(_ registry: StageRegistry) async throws {
        try SignaturePackage.makeKeys(name: name)
        standardOutput("\(name).key: keep it secret\n\(name).pub: pin it where packages are installed\n")
    }
}

struct SignCommand: StageCommand {
    static let configuration = CommandConfiguration(commandName: "sign", abstract: "Signs a folder.")

    @Argument(help: ArgumentHelp("Folder of signatures.", valueName: "dir"))
    var directory: String

    @Option(name: .long, help: ArgumentHelp("Private key.", valueName: "file"))
    var key: String

    func run(_ registry: StageRegistry) async throws {
        let count = try SignaturePackage(directory: directory).sign(with: SignaturePackage.privateKey(file: key))
        standardOutput("signed \(count) files\n")
    }
}

struct VerifyCommand: StageCommand {
    static let configuration = CommandConfiguration(commandName: "verify", abstract: "Checks a signed folder.")

    @Argument(help: ArgumentHelp("Folder of signatures.", valueName: "dir"))
    var directory: String

    @Option(name: .long, help: ArgumentHelp("Public key that may have signed it; may be repeated.", valueName: "file"))
    var key: [String]

    func run(_ registry: StageRegistry) async throws {
        let keys = try key.map { try SignaturePackage.publicKey(file: $0) }
        let count = try SignaturePackage(directory: directory).verify(with: keys)
        standardOutput("\(count) files are as they were signed\n")
    }
}
