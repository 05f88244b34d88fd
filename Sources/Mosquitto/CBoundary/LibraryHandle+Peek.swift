internal import CMosquitto
internal import Glibc

extension LibraryHandle {
    /// The first bytes in the receive buffer, which stay there; at most 64. Not for TLS, where they belong to the
    /// handshake.
    func peek() -> [UInt8] {
        let descriptor = socket
        guard descriptor >= 0 else { return [] }
        return unsafe [UInt8](unsafeUninitializedCapacity: 64) { buffer, count in
            let flags = Int32(MSG_PEEK) | Int32(MSG_DONTWAIT)
            // SAFETY: `recv` writes at most `buffer.count` bytes.
            count = max(0, unsafe recv(descriptor, buffer.baseAddress, buffer.count, flags))
        }
    }
}
