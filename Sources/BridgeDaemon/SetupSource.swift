internal import UnixSignals

/// Where the setup of a daemon is read, and read again at each SIGHUP. From its creation on, SIGHUP does not end the process.
package struct SetupSource: Sendable {
    let requests: UnixSignalsSequence
    /// The setup that was read first.
    package let initial: Setup
    /// Reads the setup again; nil if there is no file.
    let read: (@Sendable () throws -> Setup)?

    /// Reads the setup.
    ///
    /// - Parameter isFile: Whether `read` reads a file, which may change.
    /// - Throws: The error of `read`.
    package init(isFile: Bool, _ read: @escaping @Sendable () throws -> Setup) async throws {
        requests = await UnixSignalsSequence(trapping: .sighup)
        initial = try read()
        self.read = isFile ? read : nil
    }
}
