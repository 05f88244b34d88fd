internal import Logging
internal import ServiceLifecycle
internal import UnixSignals

/// The services of a daemon.
///
/// The error of the bridge is the error of the daemon. Before the bridge ends, only ``OutputWatch`` may return by itself,
/// which shuts the daemon down gracefully.
struct DaemonServices {
    let bridge: any Service
    let ready: ReadyNotice
    let output: OutputWatch
    /// Nil if standard input is not read.
    let input: StandardInputService?
    /// Nil if nobody asks for it.
    var reload: ReloadService?

    /// Returns a group of all services. SIGTERM and SIGINT shut it down, in reverse order.
    func group(logger: Logger) -> ServiceGroup {
        var quiet = logger
        quiet.logLevel = max(logger.logLevel, .warning)
        var configuration = ServiceGroupConfiguration(
            services: ([bridge, ready, output, input, reload] as [(any Service)?]).compactMap { $0 }.map {
                ServiceGroupConfiguration.ServiceConfiguration(
                    service: $0,
                    successTerminationBehavior: .gracefullyShutdownGroup,
                    failureTerminationBehavior: .gracefullyShutdownGroup
                )
            },
            gracefulShutdownSignals: [.sigterm, .sigint],
            logger: quiet
        )
        configuration.maximumGracefulShutdownDuration = .milliseconds(4_500)
        return ServiceGroup(configuration: configuration)
    }
}
