internal import ServiceLifecycle

/// Ends the daemon when nobody reads standard output any more.
struct OutputWatch: Service {
    let output: EventOutput
    let countdown: EndWatch.Countdown

    func run() async throws {
        await cancelWhenGracefulShutdown {
            await output.becomeUnread()
            // The shutdown may hang, as after a signal.
            if !Task.isCancelled { countdown.begin() }
        }
    }
}
