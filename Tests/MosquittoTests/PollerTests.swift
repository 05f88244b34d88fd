import Glibc
import TestSupport
import Testing

@testable import Mosquitto

@Suite("Poller")
struct PollerTests {
    /// Two ends of a connection.
    private final class Pair: Sendable {
        let ours: Int32
        let theirs: Int32

        init() throws {
            var ends: [Int32] = [-1, -1]
            guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0 else {
                throw FaultKitError("socketpair: \(errno)")
            }
            (ours, theirs) = (ends[0], ends[1])
        }

        deinit {
            close(ours)
            close(theirs)
        }
    }

    private let poller = Poller(waker: Waker())

    @Test("where nothing is to be read, what waits to be read does not end the wait")
    func notReading() throws {
        let pair = try Pair()
        #expect(send(pair.theirs, "x", 1, 0) == 1)
        let start = ContinuousClock.now
        let ready = poller.wait(socket: pair.ours, wantsRead: false, wantsWrite: false, timeout: .milliseconds(30))
        #expect(start.duration(to: .now) >= .milliseconds(30))
        #expect(!ready.readable && !ready.failed && !ready.writable)
        let reading = poller.wait(socket: pair.ours, wantsRead: true, wantsWrite: false, timeout: .seconds(5))
        #expect(reading.readable)
    }

    @Test("where nothing is to be read, a peer that has closed its end ends the wait, whatever waits before that")
    func hangUp() throws {
        let pair = try Pair()
        #expect(send(pair.theirs, "x", 1, 0) == 1)
        #expect(shutdown(pair.theirs, Int32(SHUT_WR)) == 0)
        let ready = poller.wait(socket: pair.ours, wantsRead: false, wantsWrite: false, timeout: .seconds(5))
        #expect(ready.failed)
    }

    @Test("somebody who wakes the thread ends the wait")
    func waking() {
        poller.waker.wake()
        let start = ContinuousClock.now
        _ = poller.wait(socket: -1, wantsRead: false, wantsWrite: false, timeout: .seconds(5))
        #expect(start.duration(to: .now) < .seconds(4).stretched)
    }
}
