import CBufferedIO
import Glibc
import TestSupport
import Testing

@Suite("descriptors with and without buffers")
struct DescriptorTests {
    @Test("those that were not attached are read and written at once")
    func notAttached() throws {
        let pair = try SocketPair(isAttached: false)
        #expect(try pair.peerWrites([1, 2, 3]) == 3)
        #expect(try pair.read(1) == [1])
        #expect(pair.unread == 0)
        #expect(try pair.write([4]) == 1)
        #expect(try pair.peerReads() == [4])
        #expect(pair.unsent == 0)
        #expect(pair.flush() == 0)
        buffered_io_write_through(pair.ours)
        buffered_io_detach(pair.ours)
        #expect(!buffered_io_is_used(pair.ours))
        pair.endPeer()
        #expect(try pair.read(9) == [2, 3])
        #expect(try pair.read(9) == [])
    }

    @Test("those without a place in the table are refused, and left to the system", arguments: [-1, 65_536, .max])
    func outside(descriptor: Int32) {
        #expect(!buffered_io_attach(descriptor))
        buffered_io_detach(descriptor)
        buffered_io_write_through(descriptor)
        #expect(!buffered_io_is_used(descriptor))
        #expect(buffered_io_unread(descriptor) == 0)
        #expect(buffered_io_unsent(descriptor) == 0)
        #expect(buffered_io_flush(descriptor) == 0)
        #expect(throws: SystemFailure(number: EBADF)) { try bufferedRead(descriptor, 1) }
        #expect(throws: SystemFailure(number: EBADF)) { try checked { buffered_write(descriptor, [1], 1) } }
        #expect(throws: SystemFailure(number: EBADF)) { try checked { Int(buffered_close(descriptor)) } }
    }

    @Test("one from which the buffers were taken is read and written at once")
    func detached() throws {
        let pair = try SocketPair()
        buffered_io_detach(pair.ours)
        #expect(try pair.peerWrites([1, 2]) == 2)
        #expect(try pair.read(1) == [1])
        #expect(pair.unread == 0)
        #expect(try pair.write([3]) == 1)
        #expect(try pair.peerReads() == [3])
    }

    /// In a process of its own, and with a number that nobody else takes there.
    @Test("one that was closed leaves nothing to the next of its number")
    func reuse() async {
        await #expect(processExitsWith: .success) {
            let lowest: Int32 = 512
            var number: Int32 = -1
            do {
                let pair = try SocketPair(lowest: lowest)
                number = pair.ours
                #expect(try pair.peerWrites([1, 2, 3]) == 3)
                #expect(try pair.read(1) == [1])
                #expect(try pair.write([4]) == 1)
                #expect(pair.unread == 2 && pair.unsent == 1)
            }
            let plain = try SocketPair(isAttached: false, lowest: lowest)
            #expect(plain.ours == number, "the number was not given again")
            #expect(plain.unread == 0 && plain.unsent == 0 && !buffered_io_is_used(number), "it has old buffers")
            #expect(try plain.write([5]) == 1)
            #expect(try plain.peerReads() == [5], "it is buffered")

            #expect(buffered_io_attach(number))
            #expect(try plain.write([6]) == 1)
            #expect(plain.unsent == 1)
            // A second time, as after a close that went past the table: begins anew.
            #expect(buffered_io_attach(number))
            #expect(plain.unsent == 0 && plain.unread == 0 && !buffered_io_is_used(number))
            #expect(try plain.write([7]) == 1)
            #expect(plain.flush() == 0)
            #expect(try plain.peerReads() == [7])
        }
    }

    @Test("two of two threads do not disturb each other")
    func threads() async throws {
        try await withThrowingTaskGroup { group in
            for seed in Seed.fresh(2) {
                group.addTask { try await onThread { try Self.exchange(seed) } }
            }
            try await group.waitForAll()
        }
    }

    /// Sends bytes there, back, and to where they came from.
    private static func exchange(_ seed: Seed) throws {
        var random = seed.random
        for _ in 0..<20 {
            let bytes = random.bytes(100_000)
            let pair = try SocketPair()
            var (written, echoed) = (0, 0)
            var (there, back): ([UInt8], [UInt8]) = ([], [])
            for _ in 0..<100_000 where back.count < bytes.count {
                let piece = bytes.piece(from: written, random.below(3_000) + 1)
                if !piece.isEmpty { written += (try? pair.write(piece)) ?? 0 }
                if written == bytes.count || random.chance(1, in: 10) { _ = pair.flush() }
                there += try pair.peerReads(random.size()) ?? []
                echoed += try pair.peerWrites(there[echoed...])
                back += (try? pair.read(random.below(5_000) + 1)) ?? []
            }
            guard back == bytes else { throw FaultKitError("\(back.count) bytes came back, or others; \(seed)") }
        }
    }

    // MARK: The pair that wakes nobody

    @Test("the library's own pair, made with a handle of ours, swallows the byte that would wake it")
    func swallowed() throws {
        let before = try pair()
        buffered_io_set_making(true)
        let inside = try pair()
        buffered_io_set_making(false)
        let after = try pair()
        defer { [before, inside, after].forEach(closeBoth) }
        for _ in 0..<1_000 { #expect(buffered_write(inside.1, [0], 1) == 1) }
        #expect(throws: SystemFailure(number: EAGAIN)) { try bufferedRead(inside.0, 1) }
        #expect(buffered_io_unsent(inside.1) == 0)
        #expect(buffered_io_unread(inside.0) == 0)
        #expect(buffered_io_flush(inside.1) == 0)
        #expect(!buffered_io_is_used(inside.0))
        for other in [before, after] {
            #expect(buffered_write(other.1, [7], 1) == 1)
            #expect(try bufferedRead(other.0, 1) == [7])
        }
    }

    @Test("a pair that another thread makes meanwhile carries its bytes")
    func otherThread() async throws {
        let begun = ThreadGate()
        let over = ThreadGate()
        let making = Task {
            try await onThread {
                buffered_io_set_making(true)
                defer { buffered_io_set_making(false) }
                begun.open()
                over.wait()
            }
        }
        let made = try await onThread {
            begun.wait()
            return try pair()
        }
        over.open()
        try await making.value
        defer { closeBoth(made) }
        #expect(buffered_write(made.1, [7], 1) == 1)
        #expect(try bufferedRead(made.0, 1) == [7])
    }

    /// In a process of its own, where few others take the numbers.
    @Test("the next descriptors of the pair's numbers carry their bytes")
    func reuseOfPair() async {
        await #expect(processExitsWith: .success) {
            var (first, second): ((Int32, Int32), (Int32, Int32)) = ((-1, -1), (-2, -2))
            // Another thread may have been quicker.
            for _ in 0..<1_000 where first != second {
                buffered_io_set_making(true)
                first = try pair()
                buffered_io_set_making(false)
                closeBoth(first)
                second = try pair()
                if first != second { closeBoth(second) }
            }
            #expect(first == second, "the numbers were not given again")
            #expect(buffered_write(second.1, [7], 1) == 1)
            #expect(try bufferedRead(second.0, 1) == [7])
        }
    }
}

/// Two sockets as libmosquitto makes them: it writes the second and reads the first.
private func pair() throws -> (Int32, Int32) {
    var pair: [Int32] = [0, 0]
    let type = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue)
    _ = try checked { Int(buffered_socketpair(AF_UNIX, type, 0, &pair)) }
    return (pair[0], pair[1])
}

private func closeBoth(_ pair: (Int32, Int32)) {
    _ = buffered_close(pair.0)
    _ = buffered_close(pair.1)
}
