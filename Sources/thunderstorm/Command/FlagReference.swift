import ArgumentParser
import Foundation
import ThunderstormService

// The reference of all commands and flags, as Markdown and as a man page, from what the argument parser itself knows
// (`--experimental-dump-help`): docs/flags.md and deploy/thunderstorm.1 are made of it, and a test compares them.

extension Thunderstorm {
    /// All commands and flags in Markdown.
    ///
    /// - Throws: What the decoding of the argument parser's own description throws.
    public static func flagReference() throws -> String {
        var text = """
            # Commands and flags

            Made by `thunderstorm reference`; do not edit. A flag of `serve` is a key of the configuration file, too, without
            its dashes (deploy/thunderstorm.yml shows all of them); `scan --config` reads the keys it has flags for.

            """
        for command in try commands() {
            text += "\n## thunderstorm \(command.path)\n\n\(command.abstract ?? "")\n"
            if let discussion = command.discussion, !discussion.isEmpty { text += "\n```\n\(discussion)\n```\n" }
            for (title, arguments) in command.sections {
                text += "\n\(title.map { "### \($0)\n\n" } ?? "")| flag | what it does |\n| --- | --- |\n"
                for argument in arguments {
                    let cell = argument.help.replacing("|", with: "\\|").replacing("\n", with: " ")
                    text += "| `\(argument.usage.replacing("|", with: "\\|"))` | \(cell) |\n"
                }
            }
        }
        return text
    }

    /// All commands and flags as a man page (groff_man(7)).
    ///
    /// - Throws: What the decoding of the argument parser's own description throws.
    public static func manualPage() throws -> String {
        func escaped(_ text: String) -> String {
            let plain = text.replacing("\\", with: "\\e").replacing("-", with: "\\-")
            // A dot or quote at the start of a line would be a request.
            return plain.split(separator: "\n", omittingEmptySubsequences: false)
                .map { $0.hasPrefix(".") || $0.hasPrefix("'") ? "\\&\($0)" : String($0) }.joined(separator: "\n")
        }
        let commands = try commands()
        var text = """
            .\\" Made by `thunderstorm reference --man`; do not edit.
            .TH THUNDERSTORM 1 "" "Thunderstorm \(thunderstormVersion)" "User Commands"
            .SH NAME
            thunderstorm \\- \(escaped(configuration.abstract.prefix(1).lowercased() + configuration.abstract.dropFirst().dropLast()))
            .SH SYNOPSIS

            """
        for command in commands { text += ".B thunderstorm \(escaped(command.path))\n\\fR[flags]\n.br\n" }
        text += ".SH DESCRIPTION\n.nf\n\(escaped(configuration.discussion))\n.fi\n"
        for command in commands {
            text += ".SH \(escaped(command.path.uppercased()))\n\(escaped(command.abstract ?? ""))\n"
            if let discussion = command.discussion, !discussion.isEmpty {
                text += ".PP\n.nf\n\(escaped(discussion))\n.fi\n"
            }
            for (title, arguments) in command.sections {
                if let title { text += ".SS \(escaped(title))\n" }
                for argument in arguments {
                    text += ".TP\n.B \(escaped(argument.usage))\n\(escaped(argument.help))\n"
                }
            }
        }
        text += """
            .SH FILES
            .TP
            .I /etc/thunderstorm/thunderstorm.yml
            The configuration of the service: every flag of serve is a key of it.
            .TP
            .I /var/lib/thunderstorm/signatures/current
            The signatures in use.
            .SH EXIT STATUS
            scan and remote: 0 nothing found, 1 findings at Warning or above, 2 errors.

            """
        return text
    }

    private static func commands() throws -> [CommandDescription] {
        let root = try JSONDecoder().decode(Description.self, from: Data(_dumpHelp().utf8)).command
        return (root.subcommands ?? []).flatMap { $0.flattened(below: "") }
    }
}

private struct Description: Decodable {
    let command: CommandDescription
}

private struct CommandDescription: Decodable {
    let commandName: String
    let abstract: String?
    let discussion: String?
    let shouldDisplay: Bool?
    let subcommands: [CommandDescription]?
    let arguments: [ArgumentDescription]?
    // Not in the parser's description: the names from the program's on.
    var path = ""

    enum CodingKeys: String, CodingKey {
        case commandName, abstract, discussion, shouldDisplay, subcommands, arguments
    }

    // This command and those below it, without those that only group others, and without help.
    func flattened(below prefix: String) -> [CommandDescription] {
        guard commandName != "help", shouldDisplay ?? true else { return [] }
        var own = self
        own.path = prefix + commandName
        let inner = (subcommands ?? []).flatMap { $0.flattened(below: own.path + " ") }
        return inner.isEmpty ? [own] : inner
    }

    // Arguments by the title of their group, in the order of the help text; help and version belong to all commands.
    var sections: [(title: String?, arguments: [ArgumentDescription])] {
        let shown = (arguments ?? []).filter { $0.shouldDisplay ?? true && !["help", "version"].contains($0.longName) }
        var titles: [String?] = []
        for argument in shown where !titles.contains(argument.sectionTitle) { titles.append(argument.sectionTitle) }
        return titles.map { title in (title, shown.filter { $0.sectionTitle == title }) }
    }
}

private struct ArgumentDescription: Decodable {
    struct Name: Decodable {
        let kind: String
        let name: String
    }

    let kind: String
    let shouldDisplay: Bool?
    let sectionTitle: String?
    let names: [Name]?
    let valueName: String?
    let isRepeating: Bool?
    let isOptional: Bool?
    let defaultValue: String?
    let allValues: [String]?
    let abstract: String?

    var longName: String { names?.first { $0.kind == "long" }?.name ?? "" }

    // As it is typed: `-o, --output <dir>`, `<path> ...`.
    var usage: String {
        let value = "<\(valueName ?? "value")>"
        let words = (names ?? []).map { ($0.kind == "long" ? "--" : "-") + $0.name }.joined(separator: ", ")
        switch kind {
        case "positional": return isRepeating == true ? value + " ..." : value
        case "option": return "\(words) \(value)"
        default: return words
        }
    }

    var help: String {
        var text = abstract ?? ""
        var notes: [String] = []
        if let allValues, !allValues.isEmpty { notes.append("values: \(allValues.joined(separator: ", "))") }
        if let defaultValue, !text.contains("default") { notes.append("default: \(defaultValue)") }
        if isOptional == false, kind == "option", defaultValue == nil { notes.append("required") }
        if !notes.isEmpty { text += " (\(notes.joined(separator: "; ")))" }
        return text
    }
}
