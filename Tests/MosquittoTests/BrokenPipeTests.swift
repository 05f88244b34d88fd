import Glibc
import Testing

@testable import Mosquitto

/// In processes of their own: the disposition of a signal is a process's.
@Suite("a peer that is gone")
struct BrokenPipeTests {
    @Test("does not end the process, from the first client on")
    func ignored() async {
        await #expect(processExitsWith: .success) {
            signal(SIGPIPE, SIG_DFL)
            _ = try Client(brokers: [BrokerURL("mqtt://127.0.0.1")], delegate: Recorder(), logger: .silent)
            var ends: [Int32] = [0, 0]
            #expect(pipe(&ends) == 0)
            close(ends[0])
            #expect(write(ends[1], [1], 1) == -1 && errno == EPIPE)
        }
    }

    @Test("is left to a program that wants to hear of it")
    func handled() async {
        await #expect(processExitsWith: .exitCode(7)) {
            signal(SIGPIPE) { _ in _exit(7) }
            _ = try Client(brokers: [BrokerURL("mqtt://127.0.0.1")], delegate: Recorder(), logger: .silent)
            raise(SIGPIPE)
        }
    }
}
