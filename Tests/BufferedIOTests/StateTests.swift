import BufferedIO
import Glibc
import Mosquitto
import Testing

/// In processes of their own: the switch is turned once a process.
@Suite("the switch")
struct StateTests {
    @Test("the environment variable leaves all as it was, and the reason names it")
    func variable() async {
        await #expect(processExitsWith: .success) {
            setenv(BufferedIO.environmentVariable, "off", 1)
            guard case .off(let reason) = BufferedIO.enable() else {
                Issue.record("they are on")
                return
            }
            #expect(reason.contains(BufferedIO.environmentVariable))
            unsetenv(BufferedIO.environmentVariable)
            #expect(BufferedIO.enable() == .off(reason: reason), "it was decided before")
        }
    }

    @Test("without the variable they are on where libmosquitto has none of its own")
    func on() async {
        await #expect(processExitsWith: .success) {
            unsetenv(BufferedIO.environmentVariable)
            let hasItsOwn = Library.version.major > 2 || Library.version.minor > 0
            let state = BufferedIO.enable()
            #expect((state == .on) == !hasItsOwn, "\(state)")
            #expect(BufferedIO.enable() == state)
        }
    }
}
