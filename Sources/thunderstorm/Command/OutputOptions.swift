import ArgumentParser
import ThunderstormService

/// Flags of every command that logs events.
struct OutputOptions: ParsableArguments {
    @Option(name: .long, help: ArgumentHelp("Append events as text lines.", valueName: "file"))
    var logfile: String?

    @Option(name: .long, help: ArgumentHelp("Append events as JSON lines v3.", valueName: "file"))
    var jsonLogfile: String?

    @Option(name: .long, help: ArgumentHelp("Append events as KEY='value' lines.", valueName: "file"))
    var kvLogfile: String?

    @Option(name: .long, help: ArgumentHelp("Append findings as md5,path,score.", valueName: "file"))
    var csvLogfile: String?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Append every object that is looked at, with its relations, as gzipped JSON lines.", valueName: "file"))
    var auditTrail: String?

    @Option(
        name: [.customLong("remote-log"), .customLong("syslog")],
        help: ArgumentHelp(
            """
            Send events to HOST[:PORT[:FORMAT[:PROTOCOL]]] or http(s)://HOST[:PORT][/PATH][:FORMAT]; formats DEFAULT, \
            CEF, JSON, SYSLOGJSON, SYSLOGKV, protocols UDP (default), TCP, TCPTLS; @LEVEL behind it for the lowest \
            level sent. May be repeated.
            """, valueName: "target"))
    var remoteLog: [String] = []

    @Flag(name: .long, help: "Send events to this machine's syslog (/dev/log).")
    var localSyslog = false

    @Option(name: .long, help: ArgumentHelp("Put a log file aside at this size, as in 100MB.", valueName: "size"))
    var logRotateSize: String?

    @Option(name: .long, help: ArgumentHelp("Put a log file aside after so many hours.", valueName: "n"))
    var logRotateHours: Int?

    @Option(name: .long, help: ArgumentHelp("Old log files kept (default: 10).", valueName: "n"))
    var logRotateKeep: Int?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Most bytes that wait for each target, then events are dropped and counted (default: 64MB).",
            valueName: "size"))
    var remoteSpool: String?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Certificate authorities (PEM) that targets may have their certificate from, besides the system's.",
            valueName: "file"))
    var remoteCa: String?

    @Flag(name: .long, help: "Times of text lines in UTC.")
    var utc = false

    @Flag(name: .long, help: "Times of text lines as 2006-01-02T15:04:05Z.")
    var rfc3339 = false

    @Option(
        name: .long, help: ArgumentHelp("Longest value in text lines, in characters (default: 2048).", valueName: "n"))
    var truncate: Int?

    @Option(
        name: .long,
        help: ArgumentHelp(
            """
            JSON events for readers of `THOR finding` (finding, the default) or, with the published fields only, of \
            `THOR assessment` (assessment).
            """, valueName: "form"))
    var jsonForm: String?

    @Flag(name: .long, help: "Replace user names and user folders in everything that is logged.")
    var noPersonalData = false

    /// These flags as settings.
    var settings: OutputSettings {
        var settings = OutputSettings()
        settings.textLog = logfile
        settings.jsonLog = jsonLogfile
        settings.keyValueLog = kvLogfile
        settings.csvLog = csvLogfile
        settings.auditTrail = auditTrail
        settings.remoteLogs = remoteLog.isEmpty ? nil : remoteLog
        settings.localSyslog = localSyslog ? true : nil
        settings.rotateSize = logRotateSize
        settings.rotateHours = logRotateHours
        settings.rotateKeep = logRotateKeep
        settings.remoteSpool = remoteSpool
        settings.remoteAuthorities = remoteCa
        settings.utc = utc ? true : nil
        settings.rfc3339 = rfc3339 ? true : nil
        settings.truncate = truncate
        settings.jsonForm = jsonForm
        settings.hidesPersonalData = noPersonalData ? true : nil
        return settings
    }
}
