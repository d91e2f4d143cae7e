import ArgumentParser
import Pipeline
import ThunderstormService

/// Makes, lists and revokes tokens; a running service sees changes within seconds.
struct TokenCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token",
        abstract: "Makes, lists and revokes the tokens that clients of the service need.",
        discussion: """
            thunderstorm token create --server-tokens tokens.json --name collectors --scope submit
            thunderstorm serve --server-tokens tokens.json
            curl -H "Authorization: Bearer ts_..." -F file=@x http://127.0.0.1:8080/api/check
            A running service reads the file again when it changes.
            """,
        subcommands: [Create.self, List.self, Revoke.self])

    struct FileOption: ParsableArguments {
        @Option(name: .long, help: ArgumentHelp("File of tokens.", valueName: "file"))
        var serverTokens: String
    }

    struct Create: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Makes a token and prints it: only its hash is stored, so it is never shown again.")

        @OptionGroup var file: FileOption

        @Option(name: .long, help: "Name for people, as in collectors or siem.")
        var name: String

        @Option(name: .long, help: "Who it is for; shown in /api/info (default: the name).")
        var owner: String?

        @Option(
            name: .long,
            help: ArgumentHelp(
                "What it allows: submit, read, admin; may be repeated (default: submit).", valueName: "scope"))
        var scope: [String] = []

        @Option(name: .long, help: ArgumentHelp("Days after which it expires (default: never).", valueName: "days"))
        var expires: Int?

        @Option(name: .long, help: ArgumentHelp("Uploads a minute (default: no limit).", valueName: "n"))
        var rate: Int?

        @Option(name: .long, help: ArgumentHelp("Bytes a day, as in 10GB (default: no limit).", valueName: "size"))
        var quota: String?

        func run() throws {
            do {
                try create()
            } catch {
                throw failure(error)
            }
        }

        private func create() throws {
            let scopes = try (scope.isEmpty ? ["submit"] : scope).map { name in
                guard let scope = AccessScope(rawValue: name) else {
                    throw ConfigurationError("--scope is '\(name)'; scopes are: submit, read, admin")
                }
                return scope
            }
            if let expires, !(1...36_500).contains(expires) {
                throw ConfigurationError("--expires is \(expires); write a number of days from 1 to 36500")
            }
            if let rate, !AccessToken.uploadsPerMinuteRange.contains(rate) {
                throw ConfigurationError(
                    "--rate is \(rate); write a number from 1 to \(AccessToken.uploadsPerMinuteRange.upperBound)")
            }
            let now = currentTime()
            let made = AccessToken.make(
                name: name, owner: owner ?? name, scopes: scopes,
                expires: expires.map { now.seconds + Int64($0) * 86_400 }, now: now)
            var token = made.token
            token.uploadsPerMinute = rate
            if let quota {
                guard let bytes = byteCount(quota), bytes > 0 else {
                    throw ConfigurationError("--quota is '\(quota)'; write a number of bytes or as in 10GB")
                }
                token.bytesPerDay = bytes
            }
            try TokenFile(path: file.serverTokens).update { [token] tokens in tokens.append(token) }
            standardOutput(made.text + "\n")
        }
    }

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists tokens: id, name, owner, scopes, expiry.")

        @OptionGroup var file: FileOption

        func run() throws {
            do {
                for token in try TokenFile(path: file.serverTokens).read() {
                    let expiry = token.expires.map { Timestamp(seconds: $0).rfc3339() } ?? "never"
                    let words = [
                        token.id, token.name, token.owner, token.scopes.map(\.rawValue).joined(separator: ","), expiry,
                    ]
                    standardOutput(words.joined(separator: "\t") + "\n")
                }
            } catch {
                throw failure(error)
            }
        }
    }

    struct Revoke: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Revokes a token by its id.")

        @OptionGroup var file: FileOption

        @Argument(help: "The id, as `token list` shows it.")
        var id: String

        func run() throws {
            do {
                let tokens = TokenFile(path: file.serverTokens)
                guard try tokens.read().contains(where: { $0.id == id }) else {
                    throw ConfigurationError("there is no token \(id); `thunderstorm token list` shows them")
                }
                try tokens.update { $0.removeAll { $0.id == id } }
            } catch {
                throw failure(error)
            }
        }
    }
}

private func failure(_ error: any Error) -> ExitCode {
    standardError("thunderstorm: \(error)\n")
    return ExitCode(2)
}
