import Locking

/// Opens a connection on a separate thread: a name look-up blocks without a limit.
///
/// At most one thread per client: while a look-up hangs, no other begins.
final class Connector: Sendable {
    /// A handle whose socket is open or opening, and the number of addresses of the host.
    struct Opened {
        let handle: LibraryHandle
        let addresses: Int
    }

    /// Moves the handle from the thread that creates it to the client's thread.
    // SAFETY: the maker gives up its reference when it has put the handle in, and each handle is taken out once.
    private struct Handover: @unchecked Sendable {
        let result: Result<Opened, ConnectFailure>
    }

    private enum State {
        case idle
        case lookingUp
        case opening
        case done(Handover)
        case abandoned(isOpening: Bool)
    }

    private let state = Locked(State.idle)
    private let waker: Waker

    init(waker: Waker) {
        self.waker = waker
    }

    /// Begins an attempt. Returns false while the thread of an abandoned attempt still hangs.
    func begin(_ plan: ConnectPlan) -> Bool {
        let isFree = state.withLock { state in
            guard case .idle = state else { return false }
            state = .lookingUp
            return true
        }
        guard isFree else { return false }
        startThread(named: "mqtt-connect") { [self] in
            let isWanted = handOver(Self.open(plan, afterLookUp: goOn))
            guard !isWanted else { return waker.wake() }
            Library.leaveThread()
            state.withLock { $0 = .idle }
        }
        return true
    }

    private static func open(_ plan: ConnectPlan, afterLookUp: () -> Bool) -> Handover {
        defer { Library.leaveThread() }
        return Handover(result: LibraryHandle.open(plan, afterLookUp: afterLookUp))
    }

    /// Returns whether the outcome is still wanted. If not, the handle is destroyed on return.
    private func handOver(_ handover: consuming Handover) -> Bool {
        state.withLock { state in
            if case .abandoned = state { return false }
            state = .done(handover)
            return true
        }
    }

    /// Called after the name look-up. Returns whether the attempt is still wanted.
    private func goOn() -> Bool {
        state.withLock { state in
            guard case .lookingUp = state else { return false }
            state = .opening
            return true
        }
    }

    /// Whether the thread may be inside OpenSSL: the process must not exit then, since OpenSSL tears itself down.
    /// Short, because the look-up is over.
    var isOpening: Bool {
        state.withLock { state in
            switch state {
            case .opening, .abandoned(isOpening: true): true
            case .idle, .lookingUp, .done, .abandoned: false
            }
        }
    }

    /// The outcome, once it is known.
    func take() -> Result<Opened, ConnectFailure>? {
        let handover = state.withLock { state -> Handover? in
            guard case .done(let handover) = state else { return nil }
            state = .idle
            return handover
        }
        return handover?.result
    }

    /// Drops the outcome. The thread ends when the name service returns.
    func abandon() {
        state.withLock { state in
            switch state {
            case .lookingUp: state = .abandoned(isOpening: false)
            case .opening: state = .abandoned(isOpening: true)
            case .done: state = .idle
            case .idle, .abandoned: break
            }
        }
    }
}

/// The error of an attempt, and the number of addresses of the host, if known.
struct ConnectFailure: Error {
    let error: ClientError
    let addresses: Int?
}

struct ConnectPlan: Sendable {
    let url: BrokerURL
    let address: Int
    let options: ClientOptions
}
