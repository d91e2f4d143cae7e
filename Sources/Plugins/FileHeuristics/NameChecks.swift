import Pipeline

// Checks of the name and the place. Each gives the part of the path that is the reason.

struct NameChecks {
    private let file: FileName
    private let content: ContentChecks
    private(set) var findings: [(heuristic: Heuristic, text: String)] = []

    init(_ file: FileName, _ content: ContentChecks) {
        self.file = file
        self.content = content
        checkExtension()
        checkCharacters()
        checkFolder()
        checkStream()
    }

    private mutating func add(_ heuristic: Heuristic, _ text: String) { findings.append((heuristic, text)) }

    // MARK: Extension

    private mutating func checkExtension() {
        let last = file.fileExtension
        if file.stream == nil {
            switch content.form {
            case .program
            where pictureExtensions.contains(last) || officeExtensions.contains(last) || textExtensions.contains(last):
                add(FileHeuristics.programUnderOtherName, file.name)
            case .script where pictureExtensions.contains(last) || officeExtensions.contains(last):
                add(FileHeuristics.scriptUnderOtherName, file.name)
            case .archive where pictureExtensions.contains(last) || last == "txt" || last == "log" || last == "pdf":
                add(FileHeuristics.archiveUnderOtherName, file.name)
            default: break
            }
        }
        if hasDoubleExtension { add(FileHeuristics.doubleExtension, file.name) }
        if content.form == .program, let end = file.name.unicodeScalars.last, end == "." || isBlank(end) {
            add(FileHeuristics.trailingBlankOrDot, file.name)
        }
    }

    private var hasDoubleExtension: Bool {
        guard file.extensions.count >= 2, clickableExtensions.contains(file.fileExtension) else { return false }
        var inner = file.extensions[file.extensions.count - 2]
        while let end = inner.unicodeScalars.last, isBlank(end) { inner.removeLast() }
        guard officeExtensions.contains(inner) || pictureExtensions.contains(inner) || ["txt", "csv"].contains(inner)
        else { return false }
        // Windows names its links to recent files this way, and links without a folder may be some of them.
        if file.fileExtension == "lnk" { return file.folders.count > 0 && !file.place.contains("\\recent") }
        // A web page's script may be named after what it draws (`icon.svg.js`).
        return !(file.fileExtension == "js" && pictureExtensions.contains(inner))
    }

    // MARK: Characters

    private mutating func checkCharacters() {
        let scalars = Array(file.name.unicodeScalars)
        if scalars.contains(where: { Self.turnsDirection($0) }) { add(FileHeuristics.directionOverride, file.name) }
        let isProgram = file.isRunnable || content.form == .program || content.form == .script
        guard isProgram else { return }
        if scalars.contains(where: { Self.isInvisible($0) }) { add(FileHeuristics.invisibleCharacter, file.name) }
        if mixesLookalikes(scalars) { add(FileHeuristics.lookalikeLetters, file.name) }
        if file.isRunnable, let dot = scalars.lastIndex(of: ".") {
            let blanks = scalars[..<dot].reversed().prefix { isBlank($0) }.count
            if blanks >= 5 { add(FileHeuristics.blanksBeforeExtension, file.name) }
        }
    }

    private static func turnsDirection(_ scalar: Unicode.Scalar) -> Bool {
        (0x202A...0x202E).contains(scalar.value) || (0x2066...0x2069).contains(scalar.value)
    }

    private static func isInvisible(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0xAD, 0x34F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180E, 0x200B, 0x2060...0x2064, 0x3164, 0xFEFF, 0xFFA0:
            true
        default: scalar.value < 0x20
        }
    }

    // Cyrillic and Greek letters that look like Latin ones.
    private static let lookalikes = Set(
        "АВЕКМНОРСТУХаеорсухіѕјԁһӏІЈЅΑΒΕΖΗΙΚΜΝΟΡΤΥΧονρ".unicodeScalars.map(\.value))

    // A run of letters with a lookalike beside a Latin letter. Whole words of another script are a language.
    private func mixesLookalikes(_ scalars: [Unicode.Scalar]) -> Bool {
        var hasLatin = false
        var hasLookalike = false
        var hasOther = false
        for scalar in scalars + ["."] {
            if scalar.properties.isAlphabetic {
                if scalar.value < 0x250 {
                    hasLatin = true
                } else if Self.lookalikes.contains(scalar.value) {
                    hasLookalike = true
                } else {
                    hasOther = true
                }
                continue
            }
            if hasLatin && hasLookalike && !hasOther { return true }
            (hasLatin, hasLookalike, hasOther) = (false, false, false)
        }
        return false
    }

    // MARK: Folder

    private mutating func checkFolder() {
        if let folder = file.folders.first(where: { Self.isMock($0) }) { add(FileHeuristics.mockFolder, folder) }
        let isScript = content.form == .script
        let isProgram = content.form == .program
        let lower = file.name.lowercased()
        if isProgram || file.fileExtension == "exe", file.isWindows, file.folders.count > 0,
            systemNames.contains(lower), !homePlaces.contains(where: { file.place.contains($0) }),
            !(lower == "explorer.exe" && file.place.hasSuffix("\\windows\\"))
        {
            add(FileHeuristics.systemName, file.name)
        }
        let isRunnable = file.isRunnable && file.fileExtension != "lnk"
        if isProgram || isScript || isRunnable, isOddPlace {
            add(FileHeuristics.unusualPlace, file.directory)
        }
        if serverScriptExtensions.contains(file.fileExtension), !lower.hasPrefix("index."), let folder = uploadFolder {
            add(FileHeuristics.serverScript, folder)
        }
    }

    private static func isMock(_ folder: String) -> Bool {
        guard let end = folder.unicodeScalars.last, isBlank(end) else { return false }
        return ["windows", "system32", "syswow64", "program files"].contains(trimmedBlanks(folder.lowercased()))
    }

    private var isOddPlace: Bool {
        if file.place.contains("\\$recycle.bin\\") || file.place.contains("\\recycler\\") {
            // `$RABC123.exe` is a program that somebody deleted; so is what lies below such a folder.
            return !(file.folders + [file.name]).contains { Self.isDeleted($0) }
        }
        if file.isWindows, oddPlaces.contains(where: { file.place.contains($0) }) { return true }
        // On other systems places are whole paths.
        let unix = "/" + file.folders.map { $0.lowercased() + "/" }.joined()
        if unixPlaces.contains(where: { unix.hasPrefix($0) }) { return true }
        for place in ["/tmp/.", "/var/tmp/."] where unix.hasPrefix(place) {
            return !unix.dropFirst(place.count).prefix { $0 != "/" }.hasSuffix("-unix")
        }
        return false
    }

    private static func isDeleted(_ name: String) -> Bool {
        let base = name.prefix { $0 != "." }.lowercased()
        return base.utf8.count == 8 && base != "$recycle" && (base.hasPrefix("$r") || base.hasPrefix("$i"))
    }

    private var uploadFolder: String? {
        let names: Set<String> = ["uploads", "upload", "avatars", "images", "img", "attachments"]
        let lower = file.folders.map { $0.lowercased() }
        if lower.contains("node_modules") || lower.contains("vendor") || file.place.contains("\\usr\\share\\") {
            return nil
        }
        return lower.last { names.contains($0) }
    }

    // MARK: Stream

    private mutating func checkStream() {
        guard let stream = file.stream else { return }
        let type = stream.split(separator: ".").last.map { $0.lowercased() } ?? ""
        if content.form == .program || content.form == .script || clickableExtensions.contains(type) {
            add(FileHeuristics.programInStream, stream)
        } else if !knownStreams.contains(where: { stream.lowercased().hasPrefix($0) }) {
            add(FileHeuristics.unknownStream, stream)
        }
    }
}

private let systemNames: Set<String> = [
    "svchost.exe", "lsass.exe", "csrss.exe", "winlogon.exe", "services.exe", "smss.exe", "wininit.exe", "spoolsv.exe",
    "lsaiso.exe", "taskhostw.exe", "taskhost.exe", "conhost.exe", "dllhost.exe", "rundll32.exe", "regsvr32.exe",
    "wuauclt.exe", "ctfmon.exe", "userinit.exe", "dwm.exe", "fontdrvhost.exe", "sihost.exe", "runtimebroker.exe",
    "audiodg.exe", "wmiprvse.exe", "explorer.exe", "searchindexer.exe", "logonui.exe", "werfault.exe",
]

private let homePlaces = [
    "\\system32\\", "\\syswow64\\", "\\sysarm32\\", "\\sysnative\\", "\\winsxs\\", "\\servicing\\", "\\windows.old\\",
    "\\$windows.~bt\\", "\\$windows.~ws\\", "\\softwaredistribution\\", "\\servicepackfiles\\", "\\dllcache\\",
    "\\prefetch\\", "\\lcu\\", "\\winre\\",
]

private let oddPlaces = [
    "\\perflogs\\", "\\users\\public\\", "\\windows\\fonts\\", "\\windows\\debug\\", "\\windows\\tracing\\",
    "\\windows\\tasks\\", "\\windows\\media\\", "\\windows\\cursors\\", "\\windows\\addins\\",
    "\\windows\\system32\\spool\\drivers\\color\\", "\\system volume information\\", "\\intel\\logs\\",
    "\\windows\\system32\\tasks\\",
]

private let unixPlaces = ["/dev/", "/run/shm/", "/lost+found/", "/usr/share/fonts/", "/usr/share/icons/"]

private let knownStreams = [
    "zone.identifier", "favicon", "smartscreen", "encryptable", "com.dropbox", "ms-properties", "oecustomproperty",
    "wofcompresseddata", "afp_afpinfo", "afp_resource", "com.apple.", "\u{5}", "win32app", "msverificationdata",
    "ocs", "streamedfilestate", "$", "ntfsinfo",
]
