internal import CMosquitto
internal import Glibc

/// The operating system's message for an `errno` value.
enum SystemError {
    static func text(_ number: Int32) -> String {
        unsafe String(cString: strerror(number))
    }
}

struct FileError: Error {
    let text: String
}

enum Files {
    /// The content of a file of at most `limit` bytes.
    static func read(_ path: String, limit: Int) throws(FileError) -> [UInt8] {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileError(text: SystemError.text(errno)) }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: limit + 1)
        var count = 0
        while count < bytes.count {
            let read = unsafe bytes.withUnsafeMutableBytes { buffer in
                unsafe Glibc.read(descriptor, buffer.baseAddress! + count, buffer.count - count)
            }
            if read < 0, errno == EINTR { continue }
            guard read >= 0 else { throw FileError(text: SystemError.text(errno)) }
            guard read > 0 else { break }
            count += read
        }
        guard count <= limit else { throw FileError(text: "larger than \(limit) bytes") }
        return Array(bytes.prefix(count))
    }

    /// The `errno` value of a `connect` to a Unix domain socket; nil if it succeeds.
    static func refusal(ofSocket path: String) -> Int32? {
        var address = sockaddr_un()
        let name = Array(path.utf8)
        guard name.count < MemoryLayout.size(ofValue: address.sun_path) else { return ENAMETOOLONG }
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: name) }
        let descriptor = socket(
            AF_UNIX,
            Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue),
            0
        )
        guard descriptor >= 0 else { return errno }
        defer { close(descriptor) }
        let size = socklen_t(MemoryLayout<sockaddr_un>.size)
        let code = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe connect(descriptor, $0, size) }
        }
        return code == 0 ? nil : errno
    }

    /// Why a file cannot be read; nil if it can.
    static func problem(with path: String) -> String? {
        unsafe access(path, R_OK) == 0 ? nil : SystemError.text(errno)
    }
}

enum Environment {
    static func value(of name: String) -> String? {
        guard let value = unsafe getenv(name) else { return nil }
        return unsafe String(cString: value)
    }
}

/// Runs a function on a new, detached thread.
func startThread(named name: String, _ body: @escaping @Sendable () -> Void) {
    final class Box: Sendable {
        let name: String
        let body: @Sendable () -> Void
        init(name: String, body: @escaping @Sendable () -> Void) { (self.name, self.body) = (name, body) }
    }
    var thread = pthread_t()
    let box = unsafe Unmanaged.passRetained(Box(name: name, body: body)).toOpaque()
    // SAFETY: the thread takes over the reference as its first act.
    let code = unsafe pthread_create(
        &thread,
        nil,
        { context in
            let box = unsafe Unmanaged<Box>.fromOpaque(context!).takeRetainedValue()
            unsafe name_current_thread(box.name)
            box.body()
            return nil
        },
        box
    )
    precondition(code == 0, "cannot start a thread: \(SystemError.text(code))")
    pthread_detach(thread)
}
