public import Pipeline

// Emits each shell link as one record `link info`. The first six fields are those of the file's `link_info` in
// jsonlog v3; the others are named after what MS-SHLLINK calls them:
//   target, arguments, command_line, created, modified, accessed   target's times, RFC 3339 with microseconds
//   description, relative_path, working_directory, icon_location, icon_index, show_command, hot_key
//   file_size, item_path, local_path, network_path, drive_type, volume_serial, volume_label
//   machine_id, droid_volume, droid_file, birth_droid_volume, birth_droid_file, mac_address
//   environment_target, environment_icon, known_folder, special_folder, darwin, shim, console_font, code_page
//   property (list, `SET/NUMBER = VALUE`), extra_blocks (list), appended_bytes

/// Reads Windows shell links.
public struct LNKStage: Stage {
    /// What it is, as data.
    public static let descriptor = StageDescriptor(
        name: "lnk", summary: "Reads Windows shell links: target, arguments, times, and the machine they were made on.",
        interest: .kinds("LNK"), module: "LNK", heuristics: LinkHeuristics.all,
        references: [
            "https://learn.microsoft.com/openspecs/windows_protocols/ms-shllink (MS-SHLLINK)",
            "https://learn.microsoft.com/openspecs/windows_protocols/ms-propstore (MS-PROPSTORE)",
            "https://github.com/libyal/libfwsi (Windows Shell Item format)",
        ],
        limitations: [
            "Text in a code page is read as Latin-1 where it is not UTF-8: links do not tell their code page.",
            "Shell items of control panel, portable devices and third parties are shown as `?` or by their GUID.",
            "Properties that are arrays or binary are named, their values are not shown.",
        ])

    /// Type of the records.
    public static let recordType = RecordType(
        "link info", module: "LNK",
        numbers: ["icon_index", "file_size", "appended_bytes", "show_command", "code_page", "special_folder"],
        lists: ["property", "extra_blocks"])

    /// Builds the stage.
    public init(options: NoOptions = NoOptions(), environment: StageEnvironment = StageEnvironment()) {}

    /// Reads one link.
    public func inspect(_ sample: Sample, _ state: inout NoState, _ out: inout Output) throws(StageError) {
        try out.checkpoint()
        let link: ShellLink
        do throws(ParseError) {
            link = try ShellLink(sample.bytes.span)
        } catch {
            throw StageError(error)
        }
        for problem in link.problems { out.note(.damaged, problem.message, offset: problem.offset) }
        try out.emit(Self.recordType, offset: 0) { builder throws(StageError) in
            link.write(to: &builder)
            let appended = sample.bytes.count - link.size
            if appended > 0 { builder.field("appended_bytes", appended) }
            for reason in LinkHeuristics.reasons(link, fileSize: sample.bytes.count, type: Self.recordType) {
                builder.report(reason)
            }
        }
    }
}

extension ShellLink {
    /// Adds the fields of the link to a record.
    public func write(to builder: inout RecordBuilder) {
        builder.field("target", target)
        builder.field("arguments", arguments)
        builder.field("command_line", commandLine)
        builder.field("created", header.created?.rfc3339(fractionDigits: 6))
        builder.field("modified", header.modified?.rfc3339(fractionDigits: 6))
        builder.field("accessed", header.accessed?.rfc3339(fractionDigits: 6))
        builder.field("description", description)
        builder.field("relative_path", relativePath)
        builder.field("working_directory", workingDirectory)
        builder.field("icon_location", iconLocation)
        if iconLocation != nil { builder.field("icon_index", Int(header.iconIndex)) }
        builder.field("show_command", Int(header.showCommand))
        if header.hotKey != 0 { builder.field("hot_key", "0x" + String(header.hotKey, radix: 16)) }
        builder.field("file_size", Int(header.fileSize))
        builder.field("item_path", itemPath)
        writeInfo(to: &builder)
        writeExtra(to: &builder)
    }

    private func writeInfo(to builder: inout RecordBuilder) {
        guard let info else { return }
        builder.field("local_path", info.localBasePath)
        builder.field("network_path", info.networkName)
        builder.field("network_device", info.deviceName)
        builder.field("drive_type", info.driveTypeName)
        if let serial = info.volumeSerial {
            let digits = String(serial, radix: 16, uppercase: true)
            builder.field("volume_serial", String(repeating: "0", count: max(0, 8 - digits.count)) + digits)
        }
        if let label = info.volumeLabel, !label.isEmpty { builder.field("volume_label", label) }
    }

    private func writeExtra(to builder: inout RecordBuilder) {
        builder.field("machine_id", extra.machineID)
        if let droid = extra.droid {
            builder.field("droid_volume", droid.volume.description)
            builder.field("droid_file", droid.file.description)
        }
        if let droid = extra.birthDroid {
            builder.field("birth_droid_volume", droid.volume.description)
            builder.field("birth_droid_file", droid.file.description)
        }
        builder.field("mac_address", extra.droid?.macAddress)
        builder.field("environment_target", extra.environmentTarget)
        builder.field("environment_icon", extra.environmentIcon)
        builder.field("known_folder", extra.knownFolder)
        if let folder = extra.specialFolder { builder.field("special_folder", Int(folder)) }
        builder.field("darwin", extra.darwin)
        builder.field("shim", extra.shim)
        builder.field("console_font", extra.consoleFont)
        if let page = extra.codePage { builder.field("code_page", Int(page)) }
        for property in extra.properties { builder.field("property", "\(property.name) = \(property.value)") }
        for block in extra.blocks { builder.field("extra_blocks", block) }
    }
}
