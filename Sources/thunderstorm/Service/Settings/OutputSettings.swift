import Pipeline

/// What flags and the configuration file say about logs and targets, before it is checked.
///
/// Its keys stand beside the others in the configuration file.
public struct OutputSettings: Sendable, Decodable, Equatable {
    /// Keys of the configuration file; each but `outputs` is a flag without its dashes.
    public enum CodingKeys: String, CodingKey, CaseIterable, Sendable {
        case textLog = "logfile"
        case jsonLog = "json-logfile"
        case keyValueLog = "kv-logfile"
        case csvLog = "csv-logfile"
        case auditTrail = "audit-trail"
        case remoteLogs = "remote-log"
        case localSyslog = "local-syslog"
        case outputs
        case rotateSize = "log-rotate-size"
        case rotateHours = "log-rotate-hours"
        case rotateKeep = "log-rotate-keep"
        case remoteSpool = "remote-spool"
        case remoteAuthorities = "remote-ca"
        case utc
        case rfc3339
        case truncate
        case jsonForm = "json-form"
        case hidesPersonalData = "no-personal-data"
    }

    /// One entry of `outputs`: a file or a target with a level of its own.
    public struct Entry: Sendable, Decodable, Equatable {
        /// Keys of an entry.
        public enum CodingKeys: String, CodingKey {
            case file, remote, format
            case minimumLevel = "min-level"
        }

        /// Path of a log file.
        public var file: String?
        /// Target as for `remote-log`.
        public var remote: String?
        /// Format of the file: text, json, kv or csv.
        public var format: String?
        /// Lowest level that is written.
        public var minimumLevel: String?
    }

    /// Text log.
    public var textLog: String?
    /// JSON lines log.
    public var jsonLog: String?
    /// Log of KEY='value' lines.
    public var keyValueLog: String?
    /// Log of `md5,path,score`.
    public var csvLog: String?
    /// File of every object that was looked at.
    public var auditTrail: String?
    /// Targets on other machines.
    public var remoteLogs: [String]?
    /// Whether the system's own log gets events.
    public var localSyslog: Bool?
    /// Files and targets with levels of their own.
    public var outputs: [Entry]?
    /// Size at which a file is put aside, as in `100MB`.
    public var rotateSize: String?
    /// Hours after which a file is put aside.
    public var rotateHours: Int?
    /// Old files kept.
    public var rotateKeep: Int?
    /// Most bytes that wait for a target, as in `64MB`.
    public var remoteSpool: String?
    /// PEM file of authorities that certificates of targets may be signed by, besides the system's.
    public var remoteAuthorities: String?
    /// Times in UTC.
    public var utc: Bool?
    /// Times as in RFC 3339.
    public var rfc3339: Bool?
    /// Longest value in text lines.
    public var truncate: Int?
    /// How JSON events are formed: `finding` or `assessment`.
    public var jsonForm: String?
    /// Whether names of persons are replaced.
    public var hidesPersonalData: Bool?

    /// Nothing set.
    public init() {}

    /// These settings, with the gaps filled from others.
    public func filled(from other: OutputSettings) -> OutputSettings {
        var all = self
        all.textLog = textLog ?? other.textLog
        all.jsonLog = jsonLog ?? other.jsonLog
        all.keyValueLog = keyValueLog ?? other.keyValueLog
        all.csvLog = csvLog ?? other.csvLog
        all.auditTrail = auditTrail ?? other.auditTrail
        all.remoteLogs = remoteLogs ?? other.remoteLogs
        all.localSyslog = localSyslog ?? other.localSyslog
        all.outputs = outputs ?? other.outputs
        all.rotateSize = rotateSize ?? other.rotateSize
        all.rotateHours = rotateHours ?? other.rotateHours
        all.rotateKeep = rotateKeep ?? other.rotateKeep
        all.remoteSpool = remoteSpool ?? other.remoteSpool
        all.remoteAuthorities = remoteAuthorities ?? other.remoteAuthorities
        all.utc = utc ?? other.utc
        all.rfc3339 = rfc3339 ?? other.rfc3339
        all.truncate = truncate ?? other.truncate
        all.jsonForm = jsonForm ?? other.jsonForm
        all.hidesPersonalData = hidesPersonalData ?? other.hidesPersonalData
        return all
    }

    // MARK: Checked values

    /// How lines are written.
    ///
    /// - Throws: `ConfigurationError` naming the key whose value cannot work.
    public func eventOptions() throws(ConfigurationError) -> EventOptions {
        var options = EventOptions()
        options.utc = utc ?? false
        options.rfc3339 = rfc3339 ?? false
        options.hidesPersonalData = hidesPersonalData ?? false
        if let jsonForm {
            guard let form = JSONForm(rawValue: jsonForm) else {
                let names = JSONForm.allCases.map(\.rawValue).joined(separator: ", ")
                throw ConfigurationError("json-form is '\(jsonForm)'; forms are: \(names)")
            }
            options.jsonForm = form
        }
        if let truncate {
            guard truncate >= 64 else { throw ConfigurationError("truncate is \(truncate); it must be at least 64") }
            options.truncateAt = truncate
        }
        return options
    }

    /// When log files are put aside.
    ///
    /// - Throws: `ConfigurationError` naming the key whose value cannot work.
    public func rotation() throws(ConfigurationError) -> LogRotation {
        var rotation = LogRotation()
        rotation.size = try Self.size(rotateSize, "log-rotate-size", atLeast: 1 << 10)
        if let rotateHours {
            guard (1...87_600).contains(rotateHours) else {
                throw ConfigurationError("log-rotate-hours is \(rotateHours); it must be 1 to 87600")
            }
            rotation.seconds = rotateHours * 3_600
        }
        if let rotateKeep {
            guard (0...1_000).contains(rotateKeep) else {
                throw ConfigurationError("log-rotate-keep is \(rotateKeep); it must be 0 to 1000")
            }
            rotation.kept = rotateKeep
        }
        return rotation
    }

    /// Opens all logs and targets.
    ///
    /// - Parameter minimumLevel: Lowest level of those that have none of their own.
    /// - Throws: `ConfigurationError` naming the key, or `SystemError` naming the file.
    public func sinks(minimumLevel: Level, hostname: String) throws -> [EventSink] {
        let options = try eventOptions()
        let rotation = try rotation()
        let spool = try Self.size(remoteSpool, "remote-spool", atLeast: 1 << 16) ?? 64 << 20
        func file(_ path: String, _ format: EventFormat, _ level: Level) throws -> EventSink {
            try EventSink(file: path, format: format, minimumLevel: level, options: options, rotation: rotation)
        }
        func target(_ address: TargetAddress, _ level: Level) throws -> EventSink {
            try EventSink(
                target: address, minimumLevel: level, options: options, spoolBytes: spool, hostname: hostname,
                authorities: remoteAuthorities)
        }
        var sinks: [EventSink] = []
        let files: [(String?, EventFormat)] = [
            (textLog, .text), (jsonLog, .json), (keyValueLog, .keyValue), (csvLog, .csv),
        ]
        for case (let path?, let format) in files { sinks.append(try file(path, format, minimumLevel)) }
        for text in remoteLogs ?? [] { sinks.append(try target(TargetAddress(text), minimumLevel)) }
        if localSyslog == true { sinks.append(try target(.localSyslog, minimumLevel)) }
        for entry in outputs ?? [] {
            let level = try entry.level() ?? minimumLevel
            switch (entry.file, entry.remote) {
            case (let path?, nil): sinks.append(try file(path, try entry.fileFormat(), level))
            case (nil, let text?): sinks.append(try target(TargetAddress(text), level))
            default: throw ConfigurationError("each entry of outputs names either a file or a remote target")
            }
        }
        return sinks
    }

    /// Opens the audit trail, if there is to be one.
    ///
    /// - Throws: `ConfigurationError` naming the key, or `SystemError` naming the file.
    public func trail(scanID: String, hostname: String) throws -> AuditTrail? {
        guard let auditTrail else { return nil }
        return try AuditTrail(
            path: auditTrail, scanID: scanID, hostname: hostname, hidesPersonalData: hidesPersonalData ?? false,
            rotation: try rotation())
    }

    private static func size(
        _ text: String?, _ key: String, atLeast least: Int
    ) throws(ConfigurationError) -> Int? {
        guard let text else { return nil }
        guard let bytes = byteCount(text), bytes >= least else {
            throw ConfigurationError("\(key) is '\(text)'; write a size of at least \(least) bytes, as in 64MB")
        }
        return bytes
    }
}

extension OutputSettings.Entry {
    fileprivate func level() throws(ConfigurationError) -> Level? {
        guard let minimumLevel else { return nil }
        return try Level(settingNamed: minimumLevel, key: "outputs: min-level")
    }

    fileprivate func fileFormat() throws(ConfigurationError) -> EventFormat {
        let known: [EventFormat] = [.text, .json, .keyValue, .csv]
        let name = format?.lowercased() ?? EventFormat.text.rawValue
        guard let format = known.first(where: { $0.rawValue == name }) else {
            let names = known.map(\.rawValue).joined(separator: ", ")
            throw ConfigurationError("outputs: format is '\(name)'; formats of files are: \(names)")
        }
        return format
    }
}

extension Level {
    /// The level that a setting names.
    ///
    /// - Throws: `ConfigurationError` that lists the levels.
    init(settingNamed name: String, key: String) throws(ConfigurationError) {
        guard let level = Level(name: name) else {
            let names = Level.allCases.map { $0.name.lowercased() }.joined(separator: ", ")
            throw ConfigurationError("\(key) is '\(name)'; levels are: \(names)")
        }
        self = level
    }
}
