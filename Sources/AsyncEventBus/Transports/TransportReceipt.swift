/// The side of a ``Receipt`` on which a transport says what becomes of the deliveries that it makes of one event.
///
/// Only transports get one, from ``EventTransport/take(_:receipt:)``. It costs no more than a reference to the receipt,
/// may be kept as long as a delivery is under way, and may be used on any thread.
///
/// Each delivery is announced with ``willPublish()`` within the call of `take`, and then ends once: with
/// ``didPublish()``, ``didRefuse(_:endsStoring:)`` or ``didPostpone()``. A delivery that never ends keeps whoever awaits
/// ``Receipt/published()`` waiting.
public struct TransportReceipt: Sendable {
    private let receipt: Receipt

    init(_ receipt: Receipt) {
        self.receipt = receipt
    }

    /// One more delivery is to be awaited.
    public func willPublish() { receipt.apply { $0.willPublish() } }

    /// A delivery is done.
    public func didPublish() { receipt.apply { $0.didPublish() } }

    /// A delivery has failed for good.
    ///
    /// - Parameter endsStoring: Whether a storing that was announced by ``willStore()``, and is not done, has failed
    ///   with it. Without effect if no storing is under way; false for a delivery that was not to be stored, or is
    ///   stored, so that it is not mistaken for that of another transport.
    public func didRefuse(_ error: any Error, endsStoring: Bool = true) {
        receipt.apply { $0.didRefuse(error, endsStoring: endsStoring) }
    }

    /// A delivery is on disk, and left to the next process.
    public func didPostpone() { receipt.apply { $0.didPostpone() } }

    /// The delivery just announced by ``willPublish()`` is to be on disk before it is tried. Called within `take`.
    public func willStore() { receipt.apply { $0.willStore() } }

    /// A delivery announced by ``willStore()`` is on disk.
    public func didStore() { receipt.apply { $0.didStore() } }
}
