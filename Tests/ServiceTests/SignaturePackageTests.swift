import Crypto
import Foundation
import Pipeline
import Testing

@testable import ThunderstormService

struct SignaturePackageTests {
    private let folder: TemporaryFolder
    private let key = Curve25519.Signing.PrivateKey()

    init() throws {
        folder = try TemporaryFolder()
        try folder.write("yara/a.yar", "rule a { condition: true }")
        try folder.write("iocs/b-hash-iocs.txt", "x")
    }

    private var package: SignaturePackage { SignaturePackage(directory: folder.path) }

    private func refusal() -> String {
        let error = #expect(throws: ConfigurationError.self) { try package.verify(with: [key.publicKey]) }
        return error?.description ?? ""
    }

    @Test func whatWasSignedIsAccepted() throws {
        #expect(try package.sign(with: key) == 2)
        #expect(try package.verify(with: [Curve25519.Signing.PrivateKey().publicKey, key.publicKey]) == 2)
        // The list is what sha256sum writes.
        let digest = SHA256.hash(data: Data("x".utf8)).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        #expect(try folder.read("SHA256SUMS").hasPrefix("\(digest)  iocs/b-hash-iocs.txt\n"))
    }

    @Test func anythingElseIsRefused() throws {
        #expect(refusal().contains("this is no signature package"))
        _ = try package.sign(with: Curve25519.Signing.PrivateKey())
        #expect(refusal().contains("not signed with any of the 1 pinned keys"))

        _ = try package.sign(with: key)
        try folder.write("yara/a.yar", "rule a { condition: false }")
        #expect(refusal().contains("yara/a.yar is not the file that was signed"))

        _ = try package.sign(with: key)
        try folder.write("yara/more.yar", "")
        #expect(refusal().contains("yara/more.yar is not on the signed list"))

        _ = try package.sign(with: key)
        try FileManager.default.removeItem(atPath: folder.path + "/yara/more.yar")
        #expect(refusal().contains("yara/more.yar is on the signed list, but missing"))

        _ = try package.sign(with: key)
        try FileManager.default.createSymbolicLink(
            atPath: folder.path + "/yara/link.yar", withDestinationPath: "/etc/hostname")
        #expect(refusal().contains("yara/link.yar is no plain file"))
    }

    @Test func aListThatLeavesTheFolderIsRefused() throws {
        let list = "\(String(repeating: "0", count: 64))  ../../etc/passwd\n"
        try folder.write("SHA256SUMS", list)
        try folder.write("SHA256SUMS.sig", try key.signature(for: Data(list.utf8)).base64EncodedString())
        #expect(refusal().contains("SHA256SUMS:1 cannot be read"))
    }

    @Test func keysAreFiles() throws {
        let name = folder.path + "/team"
        try SignaturePackage.makeKeys(name: name)
        let pair = try SignaturePackage.privateKey(file: name + ".key")
        #expect(
            pair.publicKey.rawRepresentation == (try SignaturePackage.publicKey(file: name + ".pub").rawRepresentation))
        let mode = try FileManager.default.attributesOfItem(atPath: name + ".key")[.posixPermissions] as? Int
        #expect(mode == 0o600)
        #expect(throws: ConfigurationError.self) { try SignaturePackage.makeKeys(name: name) }
        try folder.write("bad.pub", "# nothing\n")
        let error = #expect(throws: ConfigurationError.self) {
            try SignaturePackage.publicKey(file: folder.path + "/bad.pub")
        }
        #expect(error?.description.contains("bad.pub holds no Ed25519 public key") == true)
    }
}
