import CBufferedIO
import Glibc
import TestSupport
import Testing

@Suite("reading through a buffer")
struct ReadingTests {
    @Test("gives all that the peer wrote, in order, whatever the sizes", arguments: Seed.fresh(10))
    func order(seed: Seed) throws {
        var random = seed.random
        let bytes = random.bytes(600_000)
        let pair = try SocketPair()
        var written = 0
        var read: [UInt8] = []
        for _ in 0..<1_000_000 where read.count < bytes.count {
            if written < bytes.count, random.chance(1, in: 2) {
                written += try pair.peerWrites(bytes.piece(from: written, random.size()))
                continue
            }
            do {
                let piece = try pair.read(random.size())
                try #require(!piece.isEmpty, "an end where there is none; \(seed)")
                read += piece
            } catch let failure as SystemFailure {
                try #require(failure.number == EAGAIN, "\(seed)")
                try #require(read.count == written, "nothing was read where there is something; \(seed)")
            }
        }
        #expect(isSame(read, bytes), "\(seed)")
        #expect(pair.unread == 0)
        pair.endPeer()
        #expect(try pair.read(10) == [])
    }

    @Test("says EAGAIN when nothing is there, and that it was tried")
    func nothing() throws {
        let pair = try SocketPair()
        #expect(!buffered_io_is_used(pair.ours))
        #expect(throws: SystemFailure(number: EAGAIN)) { try pair.read(10) }
        #expect(throws: SystemFailure(number: EAGAIN)) { try pair.read(100_000) }
        #expect(buffered_io_is_used(pair.ours))
    }

    @Test("takes from the system all that has arrived, and says how much of that waits")
    func unread() throws {
        let pair = try SocketPair()
        #expect(try pair.peerWrites([1, 2, 3, 4, 5]) == 5)
        #expect(pair.unread == 0)
        #expect(try pair.read(1) == [1])
        #expect(pair.unread == 4)
        #expect(try pair.peerWrites([6]) == 1)
        #expect(try pair.read(10) == [2, 3, 4, 5])
        #expect(pair.unread == 0)
        #expect(try pair.read(10) == [6])
    }

    @Test("comes to the end of the stream only behind the last byte, and stays there")
    func end() throws {
        let pair = try SocketPair()
        #expect(try pair.peerWrites([1, 2, 3]) == 3)
        #expect(try pair.read(1) == [1])
        #expect(try pair.peerWrites([4]) == 1)
        pair.endPeer()
        #expect(try pair.read(1) == [2])
        #expect(try pair.read(9) == [3])
        #expect(try pair.read(9) == [4])
        #expect(try pair.read(9) == [])
        #expect(try pair.read(100_000) == [])
    }

    @Test("tells a reset by its number, and only behind the bytes that had come")
    func reset() throws {
        let pair = try SocketPair()
        #expect(try pair.peerWrites([1, 2, 3]) == 3)
        #expect(try pair.read(1) == [1])
        #expect(try pair.write([9]) == 1)
        #expect(pair.flush() == 0)
        pair.closePeer()
        #expect(try pair.read(9) == [2, 3])
        #expect(throws: SystemFailure(number: ECONNRESET)) { try pair.read(9) }
    }

    @Test("tells that a descriptor is none", arguments: [1, 100_000])
    func closed(count: Int) {
        // So high that nobody in this process has it.
        let nobodys: Int32 = 65_000
        #expect(buffered_io_attach(nobodys))
        defer { buffered_io_detach(nobodys) }
        #expect(throws: SystemFailure(number: EBADF)) { try bufferedRead(nobodys, count) }
    }

    @Test("of 64 KiB or more goes past an empty buffer, and first takes what is in a full one")
    func large() throws {
        var random = SplitMix64(seed: 1)
        let bytes = random.bytes(150_000)
        let pair = try SocketPair()
        #expect(try pair.peerWrites(bytes) == bytes.count)
        // More than a buffer holds, at once.
        #expect(isSame(try pair.read(70_000), bytes[..<70_000]))
        #expect(pair.unread == 0)
        #expect(isSame(try pair.read(65_535), bytes[70_000..<135_535]))
        #expect(pair.unread == 1)
        #expect(try pair.read(70_000) == [bytes[135_535]])
        #expect(pair.unread == 0)
        #expect(isSame(try pair.read(70_000), bytes[135_536...]))
    }
}
