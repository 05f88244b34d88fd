/// The side of a ``Receipt`` on which a transport reports the deliveries that it makes of one event.
///
/// Only transports get one, from ``EventTransport/take(_:receipt:)``. It costs no more than a reference to the receipt,
/// may be kept while a delivery is in progress, and may be used on any thread.
///
/// A transport announces each delivery with ``willPublish()`` within the call of `take`. The delivery then ends once:
/// with ``didPublish(isUnheard:)``, ``didRefuse(_:endsStoring:)`` or ``didPostpone()``. If it never ends,
/// ``Receipt/published()`` never returns.
public struct TransportReceipt: Sendable {
    private let receipt: Receipt

    init(_ receipt: Receipt) {
        self.receipt = receipt
    }

    /// Announces a delivery.
    public func willPublish() { receipt.apply { $0.willPublish() } }

    /// Reports that a delivery is complete.
    ///
    /// - Parameter isUnheard: Whether the other side has said that nobody there receives the event.
    public func didPublish(isUnheard: Bool = false) { receipt.apply { $0.didPublish(isUnheard: isUnheard) } }

    /// Reports that a delivery has failed for good.
    ///
    /// - Parameter endsStoring: Whether storing has failed too: it was announced by ``willStore()`` and is not
    ///   complete. Has no effect if no storing is in progress. Pass false for a delivery that was not to be stored, or
    ///   is stored, so that it does not end the storing of another transport.
    public func didRefuse(_ error: any Error, endsStoring: Bool = true) {
        receipt.apply { $0.didRefuse(error, endsStoring: endsStoring) }
    }

    /// Reports that a delivery is on disk, and left to the next process.
    public func didPostpone() { receipt.apply { $0.didPostpone() } }

    /// Announces that the delivery just announced by ``willPublish()`` will be stored on disk first. Call it within
    /// `take`.
    public func willStore() { receipt.apply { $0.willStore() } }

    /// Reports that a delivery announced by ``willStore()`` is on disk.
    public func didStore() { receipt.apply { $0.didStore() } }
}
