import Crypto
import Foundation
import Pipeline

// Signature packages: a folder of signatures with a list of the SHA-256 of every file (`SHA256SUMS`, as sha256sum
// writes it) and an Ed25519 signature over that list (`SHA256SUMS.sig`, 64 bytes in base64). Whoever installs one has
// the public keys pinned in files; nothing inside a package is believed before its list is.

/// A folder of signatures that was signed.
public struct SignaturePackage: Sendable {
    /// Name of the list.
    public static let listName = "SHA256SUMS"
    /// Name of the signature over the list.
    public static let signatureName = "SHA256SUMS.sig"
    private static let listLimit = 16 << 20

    /// Folder of the package.
    public let directory: String

    /// A package at a path; nothing is read yet.
    public init(directory: String) { self.directory = directory }

    /// Signs the files below the folder: writes the list and its signature.
    ///
    /// - Returns: Number of files.
    /// - Throws: `ConfigurationError` when something in the folder cannot be part of a package.
    public func sign(with key: Curve25519.Signing.PrivateKey) throws -> Int {
        let files = try contents()
        guard !files.isEmpty else { throw ConfigurationError("\(directory) holds no files to sign") }
        var list = ""
        for file in files { list += "\(try digest(of: file))  \(file)\n" }
        let signature = try key.signature(for: Data(list.utf8)).base64EncodedString()
        try write(list, to: Self.listName)
        try write(signature + "\n", to: Self.signatureName)
        return files.count
    }

    /// Checks that the list was signed with one of the keys, and that the folder holds exactly the files of the list.
    ///
    /// - Returns: Number of files.
    /// - Throws: `ConfigurationError` that says what is wrong, and with which file.
    public func verify(with keys: [Curve25519.Signing.PublicKey]) throws -> Int {
        let list = try read(Self.listName)
        let signature = try read(Self.signatureName).trimmingCharacters(in: .whitespacesAndNewlines)
        guard let signatureBytes = Data(base64Encoded: signature) else {
            throw ConfigurationError("\(directory)/\(Self.signatureName) is not base64; the package is damaged")
        }
        guard keys.contains(where: { $0.isValidSignature(signatureBytes, for: Data(list.utf8)) }) else {
            throw ConfigurationError(
                "\(directory)/\(Self.listName) is not signed with any of the \(keys.count) pinned keys: do not use this "
                    + "package; if its publisher has a new key, pin that")
        }
        var expected: [String: String] = [:]
        for (number, line) in list.split(separator: "\n").enumerated() {
            let digest = String(line.prefix(64))
            let name = String(line.dropFirst(66))
            guard line.dropFirst(64).prefix(2) == "  ", Self.isSafe(name), expected[name] == nil else {
                throw ConfigurationError("\(directory)/\(Self.listName):\(number + 1) cannot be read: '\(line)'")
            }
            expected[name] = digest
        }
        let present = try contents()
        for file in present {
            guard let digest = expected.removeValue(forKey: file) else {
                throw ConfigurationError("\(directory)/\(file) is not on the signed list: someone added it")
            }
            guard try self.digest(of: file) == digest else {
                throw ConfigurationError("\(directory)/\(file) is not the file that was signed")
            }
        }
        if let missing = expected.keys.min() {
            throw ConfigurationError("\(directory)/\(missing) is on the signed list, but missing")
        }
        return present.count
    }

    // MARK: Keys

    /// Reads a public key: 32 bytes in base64 on the first line that is no comment.
    ///
    /// - Throws: `ConfigurationError` naming the file.
    public static func publicKey(file: String) throws -> Curve25519.Signing.PublicKey {
        guard let bytes = Data(base64Encoded: try keyText(file)),
            let key = try? Curve25519.Signing.PublicKey(rawRepresentation: bytes)
        else { throw ConfigurationError("\(file) holds no Ed25519 public key (32 bytes in base64)") }
        return key
    }

    /// Reads a private key: 32 bytes in base64 on the first line that is no comment.
    ///
    /// - Throws: `ConfigurationError` naming the file.
    public static func privateKey(file: String) throws -> Curve25519.Signing.PrivateKey {
        guard let bytes = Data(base64Encoded: try keyText(file)),
            let key = try? Curve25519.Signing.PrivateKey(rawRepresentation: bytes)
        else { throw ConfigurationError("\(file) holds no Ed25519 private key (32 bytes in base64)") }
        return key
    }

    /// Makes a pair of keys: `NAME.key`, which only its owner may read, and `NAME.pub`.
    ///
    /// - Throws: `ConfigurationError` when one of the files is there already or cannot be written.
    public static func makeKeys(name: String) throws {
        let key = Curve25519.Signing.PrivateKey()
        let parts = [
            (name + ".key", key.rawRepresentation, 0o600), (name + ".pub", key.publicKey.rawRepresentation, 0o644),
        ]
        for (path, bytes, mode) in parts {
            let text = "# Ed25519, thunderstorm signature packages\n\(bytes.base64EncodedString())\n"
            let created =
                FileManager.default.fileExists(atPath: path)
                ? false
                : FileManager.default.createFile(
                    atPath: path, contents: Data(text.utf8), attributes: [.posixPermissions: mode])
            guard created else { throw ConfigurationError("\(path) is there already or cannot be written") }
        }
    }

    private static func keyText(_ file: String) throws -> String {
        let text = try ByteStore().read(file: file).prefix(4_096).span.utf8Text
        return text.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
            .first { !$0.isEmpty && !$0.hasPrefix("#") } ?? ""
    }

    // MARK: Files

    // All files below the folder, sorted, without the list and its signature.
    private func contents() throws -> [String] {
        var files: [String] = []
        var folders = [""]
        while let folder = folders.popLast() {
            let path = folder.isEmpty ? directory : directory + "/" + folder
            guard let names = try? FileManager.default.contentsOfDirectory(atPath: path) else {
                throw ConfigurationError("cannot list \(path): name a folder that can be read")
            }
            for name in names.sorted() where name != ".git" {
                let relative = folder.isEmpty ? name : folder + "/" + name
                let type = try FileManager.default.attributesOfItem(atPath: directory + "/" + relative)[.type]
                switch type as? FileAttributeType {
                case .typeDirectory?: folders.append(relative)
                case .typeRegular? where Self.isSafe(relative): files.append(relative)
                default:
                    throw ConfigurationError(
                        "\(directory)/\(relative) is no plain file with a plain name: a package holds files and folders only"
                    )
                }
            }
        }
        return files.filter { $0 != Self.listName && $0 != Self.signatureName }.sorted()
    }

    private static func isSafe(_ name: String) -> Bool {
        !name.isEmpty && !name.hasPrefix("/") && !name.split(separator: "/").contains("..")
            && name.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F && $0 != 0x5C }
    }

    private func digest(of file: String) throws -> String {
        Digests(of: try ByteStore().read(file: directory + "/" + file)).sha256
    }

    private func read(_ name: String) throws -> String {
        let bytes: Bytes
        do {
            bytes = try ByteStore().read(file: directory + "/" + name)
        } catch {
            throw ConfigurationError("\(error): this is no signature package")
        }
        guard bytes.count <= Self.listLimit else { throw ConfigurationError("\(directory)/\(name) is too large") }
        return bytes.span.utf8Text
    }

    private func write(_ text: String, to name: String) throws {
        do {
            try Data(text.utf8).write(to: URL(filePath: directory).appending(path: name), options: .atomic)
        } catch {
            throw ConfigurationError("cannot write \(directory)/\(name): \(error.localizedDescription)")
        }
    }
}
