import CBufferedIO
import Glibc
import TestSupport
import Testing

@Suite("writing through a buffer")
struct WritingTests {
    @Test(
        "loses, doubles and reorders nothing, whatever the sizes and however the peer reads",
        arguments: Seed.fresh(10)
    )
    func order(seed: Seed) throws {
        var random = seed.random
        let bytes = random.bytes(1_500_000)
        let pair = try SocketPair()
        var written = 0
        var read: [UInt8] = []
        var refusals = 0
        for _ in 0..<1_000_000 where read.count < bytes.count {
            switch random.below(4) {
            case 0, 1:
                let piece = bytes.piece(from: written, random.size())
                do {
                    if !piece.isEmpty { written += try pair.write(piece) }
                } catch let failure as SystemFailure {
                    try #require(failure.number == EAGAIN, "\(seed)")
                    refusals += 1
                }
            case 2:
                let error = pair.flush()
                try #require(error == 0 || error == EAGAIN, "\(seed)")
                try #require((pair.unsent == 0) == (error == 0), "\(seed)")
            default:
                // Reads less than is written, or the socket would never be full.
                read += try pair.peerReads(random.size() / 2 + 1) ?? []
            }
            try #require(pair.unsent <= 65_536 && written >= read.count + pair.unsent, "\(seed)")
        }
        #expect(isSame(read, bytes), "\(seed)")
        #expect(written == bytes.count)
        #expect(refusals > 0, "the socket was never full; \(seed)")
    }

    @Test("keeps what is written until it is flushed")
    func kept() throws {
        let pair = try SocketPair()
        #expect(try pair.write([1, 2]) == 2)
        #expect(try pair.write([3]) == 1)
        #expect(pair.unsent == 3)
        #expect(try pair.peerReads() == nil)
        #expect(pair.flush() == 0)
        #expect(pair.unsent == 0)
        #expect(try pair.peerReads() == [1, 2, 3])
        #expect(pair.flush() == 0)
        #expect(try pair.peerReads() == nil)
    }

    @Test("sends 10,000 small packets in a dozen system calls")
    func calls() throws {
        let pair = try SocketPair(.packets)
        var sent: [Int] = []
        for _ in 0..<10_000 {
            #expect(try pair.write([UInt8](repeating: 7, count: 64)) == 64)
            if let packet = try pair.peerReads() { sent.append(packet.count) }
        }
        #expect(pair.flush() == 0)
        while let packet = try pair.peerReads() { sent.append(packet.count) }
        #expect(sent.reduce(0, +) == 640_000)
        #expect(sent.count == 10)
    }

    @Test("into a full socket says EAGAIN, takes nothing then, and loses nothing of before")
    func full() throws {
        var random = SplitMix64(seed: 2)
        let bytes = random.bytes(2_000_000)
        let pair = try SocketPair()
        var written = 0
        // A socket that is nearly full takes smaller pieces still.
        for size in [10_000, 10_000, 1_000, 1_000, 1, 1] {
            #expect(throws: SystemFailure(number: EAGAIN)) {
                while written < bytes.count { written += try pair.write(bytes.piece(from: written, size)) }
            }
        }
        #expect(pair.unsent == 65_536)
        #expect(pair.flush() == EAGAIN)
        #expect(throws: SystemFailure(number: EAGAIN)) { try pair.write(bytes.piece(from: written, 10_000)) }
        #expect(throws: SystemFailure(number: EAGAIN)) { try pair.write(bytes.piece(from: written, 100_000)) }
        #expect(pair.unsent == 65_536)
        var read: [UInt8] = []
        for _ in 0..<10_000 where read.count < written {
            read += try pair.peerReads() ?? []
            let error = pair.flush()
            #expect(error == 0 || error == EAGAIN)
        }
        #expect(isSame(read, bytes[..<written]))
    }

    @Test("what is larger than the buffer leaves behind what was buffered, and at once")
    func large() throws {
        var random = SplitMix64(seed: 3)
        let bytes = random.bytes(80_010)
        let pair = try SocketPair()
        #expect(try pair.write(bytes[..<10]) == 10)
        #expect(try pair.write(bytes[10...]) == 80_000)
        #expect(pair.unsent == 0)
        #expect(isSame(try pair.peerReads(), bytes))
    }

    @Test("writing through sends before the call returns, behind what was buffered")
    func through() throws {
        let pair = try SocketPair()
        #expect(try pair.write([1, 2]) == 2)
        buffered_io_write_through(pair.ours)
        #expect(try pair.peerReads() == nil)
        #expect(try pair.write([3]) == 1)
        #expect(pair.unsent == 0)
        #expect(try pair.peerReads() == [1, 2, 3])
        #expect(try pair.write([4]) == 1)
        #expect(try pair.peerReads() == [4])
    }

    @Test("writing through into a full socket says EAGAIN until there is room")
    func throughFull() throws {
        let pair = try SocketPair()
        let bytes = [UInt8](repeating: 1, count: 50_000)
        var written = 0
        #expect(throws: SystemFailure(number: EAGAIN)) { for _ in 0..<100 { written += try pair.write(bytes) } }
        buffered_io_write_through(pair.ours)
        #expect(throws: SystemFailure(number: EAGAIN)) { try pair.write([2]) }
        var read: [UInt8] = []
        for _ in 0..<10_000 where read.count < written {
            read += try pair.peerReads() ?? []
            _ = pair.flush()
        }
        #expect(try pair.write([2]) == 1)
        #expect(try pair.peerReads() == [2])
        #expect(isSame(read, [UInt8](repeating: 1, count: written)))
    }

    /// In a process of its own, where nobody has switched the signal off: libmosquitto does.
    @Test("to a peer that is gone says EPIPE, and raises no signal")
    func brokenPipe() async {
        await #expect(processExitsWith: .success) {
            signal(SIGPIPE, SIG_DFL)
            let pair = try SocketPair()
            #expect(try pair.write([1]) == 1)
            pair.deafenPeer()
            #expect(pair.flush() == EPIPE, "by flushing")
            #expect(pair.flush() == EPIPE, "by flushing again")

            let large = try SocketPair()
            large.deafenPeer()
            #expect(throws: SystemFailure(number: EPIPE)) { try large.write([UInt8](repeating: 1, count: 100_000)) }

            let through = try SocketPair()
            buffered_io_write_through(through.ours)
            through.deafenPeer()
            #expect(throws: SystemFailure(number: EPIPE)) { try through.write([1]) }
        }
    }

    @Test("tells that a descriptor is none")
    func closed() {
        // So high that nobody in this process has it.
        let nobodys: Int32 = 65_001
        #expect(buffered_io_attach(nobodys))
        defer { buffered_io_detach(nobodys) }
        #expect(buffered_write(nobodys, [1], 1) == 1)
        #expect(buffered_io_flush(nobodys) == EBADF)
    }
}
