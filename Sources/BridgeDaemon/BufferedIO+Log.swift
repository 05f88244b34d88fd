package import BufferedIO
package import Logging

extension BufferedIO {
    /// Switches it on, and logs where that cannot be.
    package static func enable(_ logger: Logger) {
        guard case .off(let reason) = enable() else { return }
        logger.info("libmosquitto reads and writes without buffers of ours", metadata: ["reason": "\(reason)"])
    }
}
