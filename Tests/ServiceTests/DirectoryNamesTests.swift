import Foundation
import Glibc
import Testing

@testable import ThunderstormService

struct DirectoryNamesTests {
    // Names of all lengths fill the buffer of the C library, so that entries end at its end.
    @Test func namesOfAllLengths() throws {
        let folder = try TemporaryFolder()
        let names = (0..<3_000).map { number in
            let start = "\(number)-"
            return start + String(repeating: "n", count: number % (256 - start.utf8.count))
        }
        for name in names { try folder.write(name, "") }
        #expect(entries(of: folder.path).sorted() == names.sorted())
        #expect(try DirectoryFiles(path: folder.path).names().sorted() == names.sorted())
        #expect(entries(of: folder.path + "/none").isEmpty)
    }
}
