import Pipeline

// What is suspicious about a file by its name, place and outer form, whatever rules are loaded: each check with its id
// and score. Scores follow how often honest files show the same: 70 and more hardly ever, 40 to 55 now and then.

enum FileHeuristics {
    static let programUnderOtherName = Heuristic(
        "FileProgramHarmlessExtension", score: 65,
        "A program has the extension of a picture, document or other data", tags: ["T1036.008"],
        falsePositives: ["Resource libraries that a vendor gave an extension of its own"])
    static let scriptUnderOtherName = Heuristic(
        "FileScriptHarmlessExtension", score: 55,
        "A script has the extension of a picture, film, font or office document", tags: ["T1036.008"])
    static let archiveUnderOtherName = Heuristic(
        "FileArchiveHarmlessExtension", score: 45,
        "An archive has the extension of a picture, film, font or plain text", tags: ["T1036.008"],
        falsePositives: ["Formats of games and office programs that are archives inside"])
    static let doubleExtension = Heuristic(
        "FileDoubleExtension", score: 60,
        "The extension of a document or picture stands before that of a program or script",
        tags: ["T1036.007"], falsePositives: ["Scripts named after the file that they make"])
    static let directionOverride = Heuristic(
        "FileDirectionOverride", score: 75,
        "The name holds a character that turns the direction of writing", tags: ["T1036.002"],
        falsePositives: ["Arabic and Hebrew names that a program marked up"])
    static let invisibleCharacter = Heuristic(
        "FileInvisibleCharacter", score: 65,
        "The name of a program or script holds a character that is not shown", tags: ["T1036"])
    static let lookalikeLetters = Heuristic(
        "FileLookalikeLetters", score: 60,
        "A word in the name of a program or script mixes Latin letters with lookalikes",
        tags: ["T1036.005"], falsePositives: ["Brand names written with letters of two scripts"])
    static let blanksBeforeExtension = Heuristic(
        "FileBlanksBeforeExtension", score: 70,
        "Blanks push the extension of a program or script out of sight", tags: ["T1036.006"])
    static let trailingBlankOrDot = Heuristic(
        "FileTrailingBlankOrDot", score: 55,
        "The name of a program ends with a blank or a dot", tags: ["T1036.006"])
    static let mockFolder = Heuristic(
        "FileMockFolder", score: 80,
        "The path holds a system folder with a blank at the end of its name", tags: ["T1548.002"])
    static let systemName = Heuristic(
        "FileSystemNameElsewhere", score: 60,
        "A program with the name of a part of Windows lies outside its folder", tags: ["T1036.005"],
        falsePositives: ["Copies that a backup or an analyst put elsewhere"])
    static let unusualPlace = Heuristic(
        "FileProgramUnusualPlace", score: 55,
        "A program or script lies in a folder where programs do not belong", tags: ["T1036.005"],
        falsePositives: ["Installers that users kept in a public folder"])
    static let serverScript = Heuristic(
        "FileServerScriptInUploadFolder", score: 45,
        "A script for a web server lies in a folder for uploads or pictures", tags: ["T1505.003"],
        falsePositives: ["Applications that serve pictures with a script"])
    static let programInStream = Heuristic(
        "FileProgramInStream", score: 75, "A program or script lies in an alternate data stream",
        tags: ["T1564.004"])
    static let unknownStream = Heuristic(
        "FileUnknownStream", score: 35, "An alternate data stream has a name that no system uses",
        tags: ["T1564.004"], falsePositives: ["Cloud storage and security products that keep notes in streams"])
    static let longLine = Heuristic(
        "FileScriptLongLine", score: 45, "A script has a line of extreme length", tags: ["T1027"],
        falsePositives: ["Scripts that carry a picture or a certificate as text"])
    static let highEntropy = Heuristic(
        "FileScriptHighEntropy", score: 45, "The text of a script is packed or encoded",
        tags: ["T1027.002"], falsePositives: ["Installers that are a script with an archive behind it"])
    static let padded = Heuristic(
        "FilePaddedProgram", score: 55,
        "A program was blown up with one repeated byte, beyond what scanners look at", tags: ["T1027.001"])

    /// All of them, for the descriptor.
    static let all = [
        programUnderOtherName, scriptUnderOtherName, archiveUnderOtherName, doubleExtension, directionOverride,
        invisibleCharacter, lookalikeLetters, blanksBeforeExtension, trailingBlankOrDot, mockFolder, systemName,
        unusualPlace, serverScript, programInStream, unknownStream, longLine, highEntropy, padded,
    ]
}
