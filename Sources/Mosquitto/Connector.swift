import Locking

/// Opens a connection on a thread of its own, since looking a name up blocks for as long as the name service likes.
///
/// At most one such thread per client: as long as a look-up hangs, no other is begun.
final class Connector: Sendable {
    /// A handle whose socket is open or opening, and how many addresses the host has.
    struct Opened {
        let handle: LibraryHandle
        let addresses: Int
    }

    /// Carries the handle from the thread that made it to the thread that uses it from then on.
    // SAFETY: the maker gives up its reference when it has put the handle in, and each handle is taken out once.
    private struct Parcel: @unchecked Sendable {
        let result: Result<Opened, ConnectFailure>
    }

    private enum State {
        case idle
        case lookingUp
        case opening
        case done(Parcel)
        case abandoned(isOpening: Bool)
    }

    private let state = Locked(State.idle)
    private let waker: Waker

    init(waker: Waker) {
        self.waker = waker
    }

    /// Begins to open. Returns false while an abandoned attempt still hangs.
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

    private static func open(_ plan: ConnectPlan, afterLookUp: () -> Bool) -> Parcel {
        defer { Library.leaveThread() }
        return Parcel(result: LibraryHandle.open(plan, afterLookUp: afterLookUp))
    }

    /// Where it is not wanted any more, the handle is gone when this returns.
    private func handOver(_ parcel: consuming Parcel) -> Bool {
        state.withLock { state in
            if case .abandoned = state { return false }
            state = .done(parcel)
            return true
        }
    }

    /// The name is looked up: whether the rest is still wanted.
    private func goOn() -> Bool {
        state.withLock { state in
            guard case .lookingUp = state else { return false }
            state = .opening
            return true
        }
    }

    /// Whether the thread is inside of OpenSSL, perhaps: a process must not exit then, since OpenSSL tears itself down.
    /// Not for long: the name has been looked up.
    var isOpening: Bool {
        state.withLock { state in
            switch state {
            case .opening, .abandoned(isOpening: true): true
            case .idle, .lookingUp, .done, .abandoned: false
            }
        }
    }

    /// The outcome, once there is one.
    func take() -> Result<Opened, ConnectFailure>? {
        let parcel = state.withLock { state -> Parcel? in
            guard case .done(let parcel) = state else { return nil }
            state = .idle
            return parcel
        }
        return parcel?.result
    }

    /// The outcome is no longer wanted. The thread ends when the name service lets it.
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

/// Why no handle could be opened, and how many addresses the host has, as far as known.
struct ConnectFailure: Error {
    let error: ClientError
    let addresses: Int?
}

/// All that opening a connection needs.
struct ConnectPlan: Sendable {
    let url: BrokerURL
    let address: Int
    let options: ClientOptions
}
