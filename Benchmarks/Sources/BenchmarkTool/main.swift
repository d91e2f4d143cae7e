import Glibc

// What the benchmark scripts need and a shell cannot do well: files of a stated size mix, and a client that uploads
// them over several connections while using little of the processor itself.

let arguments = CommandLine.arguments.dropFirst()
switch arguments.first {
case "generate" where arguments.count == 3:
    try generate(into: arguments[2], megabytes: Int(arguments[3]) ?? 64)
case "generate-small" where arguments.count == 3:
    try generateSmall(into: arguments[2], count: Int(arguments[3]) ?? 1000)
case "upload" where (5...6).contains(arguments.count):
    let files = try readList(arguments[5])
    let seconds = try upload(
        files, port: UInt16(arguments[2]) ?? 8080, path: arguments[3], connections: Int(arguments[4]) ?? 2,
        status: arguments.count == 6 ? Int(arguments[6]) ?? 200 : 200)
    let bytes = files.reduce(0) { $0 + $1.content.count }
    print("\(files.count) \(bytes) \(seconds)")
case "queue" where arguments.count == 4:
    let files = try readList(arguments[4])
    let (submission, total) = try queue(
        files, port: UInt16(arguments[2]) ?? 8080, connections: Int(arguments[3]) ?? 2)
    print("\(files.count) \(submission) \(total)")
default:
    print(
        """
        generate DIR MEGABYTES                  write files of the standard size mix
        generate-small DIR COUNT                write files of 4 KB, each another
        upload PORT PATH CONNECTIONS LISTFILE [STATUS]
                                                upload the listed files, each answered with the status (200); prints:
                                                files bytes seconds
        queue PORT CONNECTIONS LISTFILE         upload the listed files async and wait until all are scanned; prints:
                                                files, seconds to the last answer, seconds to the last scan
        """)
    exit(2)
}
