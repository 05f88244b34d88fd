internal import Glibc
internal import Locking

/// A TCP socket on 127.0.0.1 that is closed once. Reads and writes do not block.
final class Socket: Sendable {
    let number: Int32
    private let isOpen = Locked(true)

    init(_ number: Int32) {
        self.number = number
        var yes: Int32 = 1
        setsockopt(number, Int32(IPPROTO_TCP), TCP_NODELAY, &yes, socklen_t(MemoryLayout<Int32>.size))
        _ = fcntl(number, F_SETFL, O_NONBLOCK)
    }

    deinit { close() }

    /// Binds a port, a free one for 0, without listening: it is kept from everybody who does not share addresses.
    static func bound(to port: Int = 0) throws -> (socket: Socket, port: Int) {
        let number = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard number >= 0 else { throw Failure.system("make a socket") }
        let result = Socket(number)
        var yes: Int32 = 1
        // As mosquitto does, so that it can listen on a port that is held for it.
        setsockopt(number, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        guard withLoopback(port, { bind(number, $0, $1) }) == 0 else { throw Failure.system("bind 127.0.0.1:\(port)") }
        var address = sockaddr_in()
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        _ = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(number, $0, &size) }
        }
        return (result, Int(UInt16(bigEndian: address.sin_port)))
    }

    static func listening() throws -> (socket: Socket, port: Int) {
        let (socket, port) = try bound()
        guard listen(socket.number, 64) == 0 else { throw Failure.system("listen on 127.0.0.1:\(port)") }
        return (socket, port)
    }

    /// Connects; nil when nobody listens there.
    static func connected(to port: Int) -> Socket? {
        let number = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard number >= 0 else { return nil }
        guard withLoopback(port, { connect(number, $0, $1) }) == 0 else {
            Glibc.close(number)
            return nil
        }
        return Socket(number)
    }

    /// The next connection, or nil when none waits.
    func accepted() -> Socket? {
        let number = accept(number, nil, nil)
        guard number >= 0 else { return nil }
        _ = fcntl(number, F_SETFD, FD_CLOEXEC)
        return Socket(number)
    }

    /// What `read` found.
    enum Input {
        case bytes([UInt8])
        case nothing
        case end
    }

    func read(atMost limit: Int) -> Input {
        var buffer = [UInt8](repeating: 0, count: limit)
        let count = recv(number, &buffer, limit, Int32(MSG_DONTWAIT))
        if count > 0 { return .bytes(Array(buffer[..<count])) }
        return count < 0 && (errno == EAGAIN || errno == EINTR) ? .nothing : .end
    }

    /// Sends what there is room for; nil when the peer is gone.
    func write(_ bytes: ArraySlice<UInt8>) -> Int? {
        let flags = Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT)
        let count = bytes.withUnsafeBytes { send(number, $0.baseAddress, $0.count, flags) }
        if count >= 0 { return count }
        return errno == EAGAIN || errno == EINTR ? 0 : nil
    }

    func isReadable(within milliseconds: Int32) -> Bool {
        var entry = pollfd(fd: number, events: Int16(POLLIN), revents: 0)
        return poll(&entry, 1, milliseconds) > 0
    }

    func close() {
        isOpen.withLock { isOpen in
            if isOpen { Glibc.close(number) }
            isOpen = false
        }
    }

    /// Closes it with RST in the place of FIN.
    func reset() {
        var linger = linger(l_onoff: 1, l_linger: 0)
        setsockopt(number, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<linger>.size))
        close()
    }

    private static func withLoopback(_ port: Int, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }
}
