internal import CMosquitto
internal import Glibc

/// The operating system's words for an error number.
enum SystemError {
    static func text(_ number: Int32) -> String {
        unsafe String(cString: strerror(number))
    }
}

/// Why a file could not be read.
struct FileError: Error {
    let text: String
}

enum Files {
    /// The bytes of a file, which may have at most `limit` of them.
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

    /// Whether a file can be opened for reading; nil if it can.
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

/// Runs a function on a thread of its own, which ends with it.
func startThread(named name: String, _ body: @escaping @Sendable () -> Void) {
    final class Box: Sendable {
        let name: String
        let body: @Sendable () -> Void
        init(name: String, body: @escaping @Sendable () -> Void) { (self.name, self.body) = (name, body) }
    }
    var thread = pthread_t()
    let box = unsafe Unmanaged.passRetained(Box(name: name, body: body)).toOpaque()
    // SAFETY: the reference is given to the thread, which takes it over as its first act.
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
