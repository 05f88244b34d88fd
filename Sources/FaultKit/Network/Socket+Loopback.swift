internal import Foundation
internal import Glibc

extension Socket {
    /// Binds 127.0.0.1 without listening; port 0 selects a free one. Returns the socket and its port.
    static func bound(to port: Int = 0) throws -> (Socket, Int) {
        let number = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard number >= 0 else { throw FaultKitError.system("make a socket") }
        let result = Socket(number)
        var yes: Int32 = 1
        setsockopt(number, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        let status = withLoopback(port) { bind(number, $0, $1) }
        guard status == 0 else { throw FaultKitError.system("bind 127.0.0.1:\(port)") }
        var address = sockaddr_in()
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        _ = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(number, $0, &size) }
        }
        return (result, Int(UInt16(bigEndian: address.sin_port)))
    }

    /// Binds 127.0.0.1 and listens. Returns the socket and its port.
    package static func listening(on port: Int = 0) throws -> (Socket, Int) {
        let (result, port) = try bound(to: port)
        guard listen(result.number, 128) == 0 else { throw FaultKitError.system("listen on 127.0.0.1:\(port)") }
        _ = fcntl(result.number, F_SETFL, O_NONBLOCK)
        return (result, port)
    }

    /// Accepts the next connection, or returns nil if none waits or the socket is closed.
    package func accepted() -> Socket? {
        let number = use { accept($0, nil, nil) } ?? -1
        guard number >= 0 else { return nil }
        _ = fcntl(number, F_SETFD, FD_CLOEXEC)
        return Socket(number).withoutDelay()
    }

    /// Connects to a port of 127.0.0.1.
    package static func connected(to port: Int) throws -> Socket {
        let number = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard number >= 0 else { throw FaultKitError.system("make a socket") }
        let result = Socket(number)
        let status = withLoopback(port) { connect(number, $0, $1) }
        guard status == 0 else { throw FaultKitError.system("connect to 127.0.0.1:\(port)") }
        return result.withoutDelay()
    }

    /// Connects to a Unix domain socket.
    static func connected(toPath path: String) throws -> Socket {
        let number = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard number >= 0 else { throw FaultKitError.system("make a socket") }
        let result = Socket(number)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix($0.count - 1)) }
        let status = withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(number, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard status == 0 else { throw FaultKitError.system("connect to \(path)") }
        return result
    }

    /// Disables Nagle's algorithm: small packets leave at once, which a cut after byte n requires.
    private func withoutDelay() -> Socket {
        var yes: Int32 = 1
        setsockopt(number, Int32(IPPROTO_TCP), TCP_NODELAY, &yes, socklen_t(MemoryLayout<Int32>.size))
        return self
    }

    private static func withLoopback(_ port: Int, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        return withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }
}
