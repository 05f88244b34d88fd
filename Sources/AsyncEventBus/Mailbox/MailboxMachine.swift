/// Decides what a mailbox does: which elements wait or are displaced, and when a worker starts or retires.
///
/// Pure: no lock, no clock, no task. The caller carries out the action that each input returns. The extension contains
/// the entrance, which is the same for all machines. The requests of workers are up to each machine:
/// ``KeyedStateMachine`` or ``ChunkedStateMachine``.
protocol MailboxMachine: Sendable {
    associatedtype Line: WaitingLine
    typealias Element = Line.Element

    var intake: Intake<Line> { get set }
    var workers: WorkerCount { get set }

    /// Whether the runnable elements need another worker.
    var needsWorker: Bool { get }
}

extension MailboxMachine {
    typealias Action = MailboxAction<Line.Element>

    /// The number of waiting elements, resting ones included.
    var count: Int { intake.line.count }

    /// The number of elements that were discarded because the mailbox was full.
    var dropped: UInt64 { intake.dropped }

    /// Whether producers wait for room.
    var hasProducers: Bool { intake.hasProducers }

    /// Whether a waiting element can run now.
    var canRun: Bool { intake.line.canRun }

    var isIdle: Bool { workers.count == 0 && count == 0 && !hasProducers }

    /// The number of workers added so far; nil while there is work. If equal at two moments, no work was done in
    /// between.
    var workersUntilIdle: UInt64? { isIdle ? workers.added : nil }

    /// The progress of calls, nil if none runs, and whether an element waits for the end of a call or for a worker.
    var look: (progress: ListenerLook.Progress?, isHeldUp: Bool) {
        // A worker that has not begun waits for a thread, which other listeners may occupy.
        guard workers.hasBegun else { return (nil, false) }
        return intake.line.look
    }

    // MARK: The entrance

    /// An element arrived from a producer that does not wait.
    ///
    /// A kept element waits even if the mailbox is full, is never displaced, and takes up no room. For other elements,
    /// the policy may displace elements that arrived by this method, but never a sent one.
    mutating func offered(_ element: Element, key: String?, isKept: Bool = false) -> Action.Offer {
        guard !intake.isClosed else { return .closed }
        let load = intake.line.ordinary
        intake.noteLoad(load)
        let size = isKept ? 0 : element.size
        guard !isKept, !intake.room.takes(size, beside: load) else {
            intake.line.append(element, key: key, size: size, isKept ? .kept : .displaceable)
            return .queued(startWorker: startsWorker())
        }
        guard intake.policy == .dropOldest, intake.room.takes(size, beside: intake.line.sent) else {
            intake.countDrop()
            return .discarded
        }
        var displaced: DisplacedElement<Element>?
        var others: [DisplacedElement<Element>] = []
        // Workers may make room at the same time.
        while !intake.hasRoom(for: size), let oldest = intake.line.removeOldest(preferring: key) {
            intake.countDrop()
            if displaced == nil { displaced = oldest } else { others.append(oldest) }
        }
        intake.line.append(element, key: key, size: size, .displaceable)
        let startWorker = startsWorker()
        guard let displaced else { return .queued(startWorker: startWorker) }
        return .displaced(displaced, others: others, startWorker: startWorker)
    }

    /// Elements arrived together from a producer that does not wait; none of them is kept.
    ///
    /// - Returns: Whether to start a worker. If nil, nothing has changed, and the caller offers the elements one by
    ///   one: there is not enough room, or the machine takes single elements.
    mutating func offeredTogether(_ elements: [Element]) -> Bool? {
        let load = intake.line.ordinary
        guard !intake.isClosed, elements.count <= intake.room.count - load.count,
            intake.line.append(contentsOf: elements, bytes: intake.room.bytes - load.bytes)
        else { return nil }
        intake.noteLoad(load)
        return startsWorker()
    }

    /// Returns whether the latest drop begins an overflow, and must be reported.
    mutating func beginsOverflow() -> Bool { intake.beginsOverflow() }

    /// An element arrived from a producer that waits while the mailbox is full.
    mutating func sent(_ element: Element, key: String?, token: UInt64) -> Action.Send {
        guard !intake.isClosed else { return .closed }
        let size = element.size
        guard intake.isOpen(for: size) else {
            intake.suspend(.init(token: token, element: element, key: key, size: size))
            return .suspended
        }
        intake.line.append(element, key: key, size: size, .sent)
        return .queued(startWorker: startsWorker())
    }

    /// Like ``sent(_:key:token:)``, but changes nothing if the producer would have to wait.
    mutating func sentWithRoom(_ element: Element, key: String?) -> Action.Send {
        intake.isOpen(for: element.size) ? sent(element, key: key, token: 0) : .suspended
    }

    /// A waiting producer was cancelled. Returns its element if it still waited.
    mutating func sendCancelled(token: UInt64) -> Element? { intake.cancelProducer(token) }

    /// The mailbox is closed: no waiting element will run. Running calls run to their end.
    mutating func closed() -> Action.Close {
        let outside = intake.close()
        let waiting = intake.line.removeAll()
        return Action.Close(
            discarded: waiting.elements + outside.map(\.element),
            rests: waiting.rests,
            producers: outside.map(\.token),
            isIdle: workers.count == 0
        )
    }

    /// Removes elements, which will not run. Running calls continue.
    mutating func withdrawn(
        where isMeant: (Element) -> Bool
    ) -> (elements: [Element], rests: [UInt64], startWorker: Bool) {
        let (elements, rests) = intake.line.removeAll(where: isMeant)
        return (elements, rests, startsWorker())
    }

    // MARK: Workers

    /// The requested worker has begun to run.
    mutating func workerStarted() { workers.started() }

    /// Returns whether to start a worker, and counts it.
    mutating func startsWorker() -> Bool {
        guard workers.canStart, canRun, needsWorker else { return false }
        workers.starting()
        return true
    }
}
