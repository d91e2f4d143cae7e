import Crypto
import Glibc
import PipelineTesting
import Testing

@testable import Pipeline

struct BytesTests {
    @Test func slicesShareAndCheckBounds() {
        let bytes = Bytes([0, 1, 2, 3, 4, 5])
        #expect(bytes.slice(at: 2, count: 3)?.array == [2, 3, 4])
        #expect(bytes.slice(at: 6, count: 0)?.isEmpty == true)
        #expect(bytes.slice(at: 4, count: 3) == nil)
        #expect(bytes.slice(at: -1, count: 1) == nil)
        #expect(bytes.slice(at: 1, count: Int.max) == nil)
        #expect(bytes.slice(at: 2, count: 4)?.slice(at: 1, count: 2)?.array == [3, 4])
        #expect(bytes.suffix(from: 9).isEmpty)
        #expect(bytes.prefix(99).count == 6)
        #expect(bytes == Bytes([0, 1, 2, 3, 4, 5]))
        #expect(bytes != Bytes([0, 1, 2, 3, 4, 6]))
    }

    @Test func spanReadsAreChecked() {
        let bytes: [UInt8] = [1, 2, 3, 4, 5, 6, 7, 8, 9]
        let span = bytes.rawSpan
        #expect(span.uint16(at: 0) == 0x0201)
        #expect(span.bigEndianUInt32(at: 1) == 0x0203_0405)
        #expect(span.uint64(at: 1) == 0x0908_0706_0504_0302)
        #expect(span.uint64(at: 2) == nil)
        #expect(span.uint8(at: -1) == nil)
        #expect(span.uint32(at: Int.max) == nil)
        let offsets = [span.firstOffset(of: [5, 6]), span.firstOffset(of: [5, 6], from: 5), span.firstOffset(of: 9)]
        #expect(offsets == [4, nil, 8])
        let (inside, outside) = (span.matches([3, 4], at: 2), span.matches([3, 4], at: 8))
        #expect(inside && !outside)
    }

    @Test func readerNamesWhatIsMissing() {
        let bytes: [UInt8] = [1, 0, 2, 0]
        var reader = ByteReader(bytes.rawSpan, base: 0x1000)
        #expect(throws: Never.self) { try reader.uint16("first") }
        let error = #expect(throws: ParseError.self) { try reader.uint32("chunk header") }
        #expect(error?.description == "chunk header: need 4 bytes, have 2 (at 0x1002)")
        #expect(error == ParseError(.truncated, "anything", at: 0))
    }

    @Test(arguments: [0, 10, 64 << 10, (64 << 10) + 1, 3 << 20], [0, 2 << 20])
    func storeKeepsObjectsOfAllSizes(count: Int, memoryLimit: Int) throws {
        let store = ByteStore(memoryLimit: memoryLimit, largestInMemory: 1 << 30, temporaryDirectory: "/tmp")
        var generator = SplitMix64(seed: UInt64(count))
        let content = (0..<count).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
        var writer = store.makeWriter()
        var offset = 0
        while offset < count {
            let end = min(offset + 50_000, count)
            let part = Array(content[offset..<end])
            try writer.append(part.rawSpan)
            offset = end
        }
        #expect(try writer.finish().array == content)
        #expect(store.memoryInUse == 0, "the object is gone, its reservation too")
    }

    @Test func storeSpillsToDiskAboveItsLimit() throws {
        let store = ByteStore(memoryLimit: 1 << 20, largestInMemory: 1 << 30, temporaryDirectory: "/nonexistent")
        var writer = store.makeWriter()
        let chunk = [UInt8](repeating: 7, count: 900_000)
        try writer.append(chunk.rawSpan)
        let error = #expect(throws: SystemError.self) { try writer.append(chunk.rawSpan) }
        #expect(error?.description.contains("/nonexistent") == true)
    }

    private func object(_ count: Int, of byte: UInt8, in store: ByteStore) throws -> Bytes {
        var writer = store.makeWriter()
        try writer.append([UInt8](repeating: byte, count: count).rawSpan)
        return try writer.finish()
    }

    @Test func memoryFilesAreUsedAgain() throws {
        let store = ByteStore(memoryLimit: 4 << 20, temporaryDirectory: "/nonexistent")
        _ = try object(2 << 20, of: 7, in: store)
        let unused = try #require(store.unusedFile())
        #expect(unused.reserved == 2 << 20)
        store.takeBack(unused)
        #expect(store.memoryInUse == 0)
        // Shorter than what is in the file.
        let second = try object(100_001, of: 8, in: store)
        #expect(second.count == 100_001 && second.array.allSatisfy { $0 == 8 })
        #expect(store.unusedFile() == nil, "one file has one object at a time")
        let third = try object(200_000, of: 9, in: store)
        #expect(second.array.allSatisfy { $0 == 8 } && third.array.allSatisfy { $0 == 9 })
    }

    // Begins in the memory of the object before, and goes on in the file behind it.
    @Test func aFileIsUsedAgainByALargerObjectInPieces() throws {
        let store = ByteStore(memoryLimit: 16 << 20, temporaryDirectory: "/nonexistent")
        _ = try object(1 << 20, of: 7, in: store)
        var generator = SplitMix64(seed: 1)
        let content = (0..<(3 << 20) + 5).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
        for end in [content.count, (2 << 20) + 1] {
            var writer = store.makeWriter()
            for start in stride(from: 0, to: end, by: 70_001) {
                try writer.append(Array(content[start..<min(start + 70_001, end)]).rawSpan)
            }
            let bytes = try writer.finish()
            #expect(bytes.array == content[..<end].map { $0 })
            guard end < content.count else { continue }
            // An engine reads the file, not the memory.
            let read = bytes.withFile { descriptor, _ -> [UInt8] in
                var buffer = [UInt8](repeating: 0, count: content.count)
                let got = unsafe pread(descriptor, &buffer, buffer.count, 0)
                return Array(buffer.prefix(max(got, 0)))
            }
            #expect(read == content[..<end].map { $0 })
        }
    }

    @Test func unusedMemoryFilesMakeRoom() throws {
        let store = ByteStore(memoryLimit: 4 << 20, temporaryDirectory: "/nonexistent")
        var objects = [try object(2 << 20, of: 1, in: store), try object(2 << 20, of: 2, in: store)]
        objects = []
        #expect(try object(4 << 20, of: 3, in: store).array.allSatisfy { $0 == 3 }, "\(objects) wait in two files")
        #expect(store.memoryInUse == 0)
    }

    @Test(arguments: [4 << 20, 64 << 20]) func aSmallObjectKeepsALargeFileOnlyWhileThereIsRoom(limit: Int) throws {
        let store = ByteStore(memoryLimit: limit, temporaryDirectory: "/nonexistent")
        _ = try object(3 << 20, of: 7, in: store)
        do {
            let small = try object(100_001, of: 8, in: store)
            #expect(store.memoryInUse == (limit == 4 << 20 ? 1 << 20 : 3 << 20))
            #expect(small.array.allSatisfy { $0 == 8 })
        }
        #expect(try object(3 << 20, of: 9, in: store).array.allSatisfy { $0 == 9 })
        #expect(store.memoryInUse == 0)
    }

    @Test func fewMemoryFilesWait() throws {
        let store = ByteStore()
        var objects: [Bytes] = []
        for _ in 0..<40 { objects.append(try object(1 << 20, of: 1, in: store)) }
        objects = []
        var waiting = 0
        while let file = store.unusedFile() {
            waiting += file.reserved
            close(file.descriptor)
        }
        #expect(waiting == 16 << 20, "\(objects) are gone")
    }

    @Test func aFileForOthersIsTheObjectAndNoMore() throws {
        let store = ByteStore()
        _ = try object(3 << 20, of: 7, in: store)
        do {
            let shared = try object(100_001, of: 8, in: store)
            let isLooked: Bool? = shared.withFile { descriptor, offset in
                var info = stat()
                #expect(unsafe fstat(descriptor, &info) == 0 && info.st_size == 100_001 && offset == 0)
                #expect(unsafe pwrite(descriptor, [1], 1, 0) == -1, "nobody writes it")
                #expect(ftruncate(descriptor, 10) == -1, "nobody cuts it")
                let memory = unsafe mmap(nil, 1, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0)
                #expect(unsafe memory == MAP_FAILED, "nobody maps it to write")
                return true
            }
            #expect(isLooked == true)
        }
        #expect(store.unusedFile() == nil, "others may still have it")
        #expect(store.memoryInUse == 0)
    }

    @Test func missingFileIsNamed() {
        let error = #expect(throws: SystemError.self) { try ByteStore().read(file: "/nonexistent/file") }
        #expect(error?.description == "cannot open /nonexistent/file: No such file or directory")
    }

    @Test func digestsOfKnownText() {
        let digests = Digests(of: Bytes(utf8: "abc"))
        #expect(digests.md5 == "900150983cd24fb0d6963f7d28e17f72")
        #expect(digests.sha1 == "a9993e364706816aba3e25717850c26c9cd0d89d")
        #expect(digests.sha256 == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    }

    @Test func digestsOfAllLengthsInPieces() {
        let all = (0..<400).map { UInt8(truncatingIfNeeded: $0 * 73 + $0 / 7) }
        for count in Array(0...200) + [400] {
            let bytes = Array(all.prefix(count))
            var pass = DigestPass()
            var position = 0
            for size in [0, 3, 61, 64, 1, 130, 400] {
                pass.update(bytes.rawSpan.suffix(from: position).prefix(size))
                position = min(position + size, count)
            }
            let digests = pass.finish()
            #expect(digests.md5 == hexadecimal(Insecure.MD5.hash(data: bytes)))
            #expect(digests.sha1 == hexadecimal(Insecure.SHA1.hash(data: bytes)))
            #expect(digests.sha256 == hexadecimal(SHA256.hash(data: bytes)))
        }
    }

    private func hexadecimal(_ digest: some Sequence<UInt8>) -> String { String(hex: Array(digest).rawSpan) }
}
