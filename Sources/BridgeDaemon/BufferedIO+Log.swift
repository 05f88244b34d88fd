package import BufferedIO
package import Logging

extension BufferedIO {
    /// Enables buffering, or logs the reason why it stays off.
    package static func enable(_ logger: Logger) {
        guard case .off(let reason) = enable() else { return }
        logger.info("libmosquitto reads and writes without buffers of ours", metadata: ["reason": "\(reason)"])
    }
}
