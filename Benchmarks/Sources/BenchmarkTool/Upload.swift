import Dispatch
import Glibc
import Synchronization

/// A file in memory, ready to be sent.
struct UploadFile: Sendable {
    let path: String
    let content: [UInt8]
}

func readList(_ path: String) throws -> [UploadFile] {
    var known: [String: UploadFile] = [:]
    return try String(decoding: readAll(path), as: UTF8.self).split(separator: "\n").map { line in
        let name = String(line)
        if let file = known[name] { return file }
        let file = UploadFile(path: name, content: try readAll(name))
        known[name] = file
        return file
    }
}

private func readAll(_ path: String) throws -> [UInt8] {
    guard let file = fopen(path, "r") else { throw BenchmarkError("cannot read \(path)") }
    defer { fclose(file) }
    var content: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
        let got = fread(&buffer, 1, buffer.count, file)
        if got == 0 { return content }
        content += buffer[..<got]
    }
}

private final class SharedWork: Sendable {
    let next = Atomic<Int>(0)
    let failure = Mutex<String?>(nil)
}

/// Uploads every file once, over so many connections that are kept; the seconds from the first byte to the last answer.
func upload(_ files: [UploadFile], port: UInt16, path: String, connections: Int, status: Int) throws -> Double {
    let work = SharedWork()
    let started = now()
    // A thread for each: concurrentPerform would run as many at one time as there are processors.
    let all = DispatchGroup()
    for connection in 0..<connections {
        DispatchQueue(label: "connection-\(connection)").async(group: all) {
            do {
                let connection = try Connection(port: port)
                while work.failure.withLock({ $0 }) == nil {
                    let index = work.next.add(1, ordering: .relaxed).oldValue
                    guard index < files.count else { return }
                    try connection.post(files[index], to: path, expecting: status)
                }
            } catch {
                work.failure.withLock { $0 = "\(error)" }
            }
        }
    }
    all.wait()
    if let failure = work.failure.withLock({ $0 }) { throw BenchmarkError(failure) }
    return now() - started
}

/// Uploads every file for a scan later; the seconds from the first byte to the last answer, and to the last scan.
///
/// Asks for the state of the scans on one connection; seldom, since a service with thousands of samples has other things to
/// do: half of the time that the rest will take goes by between two questions.
func queue(_ files: [UploadFile], port: UInt16, connections: Int) throws -> (submission: Double, total: Double) {
    let connection = try Connection(port: port)
    let before = try connection.scannedSamples()
    let started = now()
    let submission = try upload(files, port: port, path: "/api/checkAsync", connections: connections, status: 200)
    while true {
        let scanned = try connection.scannedSamples() - before
        let passed = now() - started
        if scanned >= files.count { return (submission, passed) }
        let left = passed / Double(max(scanned, 1)) * Double(files.count - scanned)
        usleep(UInt32(min(max(left / 2, 0.002), 1) * 1e6))
    }
}

private func now() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

/// One kept connection to 127.0.0.1.
final class Connection {
    private let socketDescriptor: Int32
    private var buffer = [UInt8](repeating: 0, count: 1 << 16)

    init(port: UInt16) throws {
        socketDescriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(socketDescriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else { throw BenchmarkError("cannot connect to 127.0.0.1:\(port)") }
        var one: Int32 = 1
        setsockopt(socketDescriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
    }

    deinit { close(socketDescriptor) }

    func post(_ file: UploadFile, to path: String, expecting expected: Int) throws {
        let boundary = "thunderstorm-bench"
        let head = "--\(boundary)\r\nContent-Disposition: form-data; name=\"file\"; filename=\"\(file.path)\"\r\n\r\n"
        let tail = "\r\n--\(boundary)--\r\n"
        let length = head.utf8.count + file.content.count + tail.utf8.count
        let request =
            "POST \(path) HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: \(length)\r\n"
            + "Content-Type: multipart/form-data; boundary=\(boundary)\r\n\r\n" + head
        // A small request goes in one piece, as from clients that buffer what they write.
        if file.content.count <= 1 << 16 {
            try sendAll(Array(request.utf8) + file.content + Array(tail.utf8))
        } else {
            try sendAll(Array(request.utf8))
            try sendAll(file.content)
            try sendAll(Array(tail.utf8))
        }
        let status = try readAnswer().status
        guard status == expected else { throw BenchmarkError("\(path) answered \(status) to \(file.path)") }
    }

    /// What the service says of the samples it has scanned.
    func scannedSamples() throws -> Int {
        try sendAll(Array("GET /api/status HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".utf8))
        let text = String(decoding: try readAnswer().answer, as: UTF8.self)
        guard let field = text.components(after: "\"scanned_samples\":"), let count = Int(field.prefix { $0.isNumber })
        else { throw BenchmarkError("the status has no scanned_samples") }
        return count
    }

    private func sendAll(_ bytes: [UInt8]) throws {
        var done = 0
        while done < bytes.count {
            let sent = bytes.withUnsafeBytes { rest in
                send(socketDescriptor, rest.baseAddress.map { $0 + done }, rest.count - done, Int32(MSG_NOSIGNAL))
            }
            guard sent > 0 else {
                throw BenchmarkError("the service ended the connection while a file was sent: its log says why")
            }
            done += sent
        }
    }

    // Reads one answer with Content-Length, which the service always gives. By bytes: what texts cost here would be taken for
    // the service's time.
    private func readAnswer() throws -> (status: Int, answer: ArraySlice<UInt8>) {
        var filled = 0
        var wanted: Int?
        while wanted.map({ filled < $0 }) ?? true {
            if filled == buffer.count { buffer += [UInt8](repeating: 0, count: buffer.count) }
            let got = buffer.withUnsafeMutableBytes { free in
                recv(socketDescriptor, free.baseAddress.map { $0 + filled }, free.count - filled, 0)
            }
            guard got > 0 else { throw BenchmarkError("the connection broke while waiting for an answer") }
            filled += got
            if wanted == nil, let header = Self.header(buffer[..<filled]) {
                guard let count = Self.contentLength(header) else {
                    throw BenchmarkError("the answer has no Content-Length")
                }
                wanted = header.endIndex + count
            }
        }
        return (Self.number(buffer[..<filled].dropFirst("HTTP/1.1 ".utf8.count)) ?? 0, buffer[..<filled])
    }

    // The lines up to the empty one, with that.
    private static func header(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        guard bytes.count >= 4 else { return nil }
        for index in 0...(bytes.count - 4)
        where bytes[index] == 13 && bytes[index + 1] == 10 && bytes[index + 2] == 13 && bytes[index + 3] == 10 {
            return bytes[..<(index + 4)]
        }
        return nil
    }

    private static func contentLength(_ header: ArraySlice<UInt8>) -> Int? {
        for line in header.split(separator: 10)
        where line.count > lengthName.count && zip(line, lengthName).allSatisfy({ $0 | 0x20 == $1 | 0x20 }) {
            return number(line.dropFirst(lengthName.count).drop { $0 == 32 })
        }
        return nil
    }

    private static let lengthName = Array("content-length:".utf8)

    // The digits that come first.
    private static func number(_ bytes: ArraySlice<UInt8>) -> Int? {
        let digits = bytes.prefix { (48...57).contains($0) }
        return digits.isEmpty || digits.count > 15 ? nil : digits.reduce(0) { $0 * 10 + Int($1 - 48) }
    }
}

extension String {
    // What follows the first occurrence of a text.
    fileprivate func components(after mark: String) -> Substring? {
        var rest = self[...]
        while !rest.isEmpty {
            if rest.hasPrefix(mark) { return rest.dropFirst(mark.count) }
            rest = rest.dropFirst()
        }
        return nil
    }
}
