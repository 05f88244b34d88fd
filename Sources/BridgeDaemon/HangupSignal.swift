internal import Dispatch
internal import Glibc
package import Logging

/// Handles SIGHUP, the usual request to reload a configuration: logs that there is no reload yet, and keeps running.
package final class HangupSignal {
    private let source: any DispatchSourceSignal

    /// Handles the signal from now on, for as long as this object lives; afterwards it is ignored silently.
    package init(_ logger: Logger) {
        signal(SIGHUP, SIG_IGN)
        source = DispatchSource.makeSignalSource(signal: SIGHUP, queue: .global())
        source.setEventHandler {
            logger.warning("SIGHUP: there is no reload yet; restart the daemon to read the configuration again")
        }
        source.activate()
    }

    deinit { source.cancel() }
}
