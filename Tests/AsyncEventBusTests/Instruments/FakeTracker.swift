@testable import AsyncEventBus
import TestSupport

/// Remembers what it is told of one delivery.
final class FakeTracker: DeliveryTracker {
    let marksStart: Bool
    let uncounted: Int
    /// Before this is opened, no call begins.
    let gate: Gate
    let told = Journal<String>()
    private let transport: Owner
    private let withdrawn = Locked(false)
    /// The outcome, as often as it is told.
    let outcomes = Journal<String>()

    init(marksStart: Bool = false, uncounted: Int = 0, gate: Gate? = nil, owner: Owner? = nil) {
        transport = owner ?? Self.anybody
        self.uncounted = uncounted
        self.marksStart = marksStart
        self.gate = gate ?? Gate()
        if gate == nil { self.gate.open() }
    }

    private static let anybody = Owner()

    /// A transport that takes deliveries back.
    final class Owner: Sendable {}

    var owner: AnyObject { transport }

    var isWithdrawn: Bool {
        get { withdrawn.withLock { $0 } }
        set { withdrawn.withLock { $0 = newValue } }
    }

    func willRun(attempt: Int) async {
        told.write("will run \(attempt)")
        await gate.pass()
    }

    func attemptFailed(_ attempt: Int, error: String) { told.write("failed \(attempt): \(error)") }

    func ended(_ outcome: DeliveryOutcome) {
        let text =
            switch outcome {
            case .finished: "finished"
            case .failed(let error, let attempts): "given up after \(attempts): \(error)"
            case .removed: "removed"
            }
        told.write(text)
        outcomes.write(text)
    }
}
