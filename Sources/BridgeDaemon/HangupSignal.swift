internal import Dispatch
internal import Glibc
package import Logging

/// SIGHUP asks a daemon to read its configuration again. This one cannot yet: it says so, and does not end.
package final class HangupSignal {
    private let source: any DispatchSourceSignal

    /// From now on, as long as this object lives; what comes later is ignored without a word.
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
