internal import AsyncEventBus
internal import DequeModule
internal import Glibc
package import MQTTBridge
internal import FaultKit

/// Runs everything that a simulation does, on one thread, in an order that a seed determines.
///
/// Swift's tasks come here in the place of the thread pool, by the hook of the runtime (`swift_task_enqueueGlobal_hook`), and
/// so does the work of queues. Of all that is ready a piece is drawn at random; when nothing is ready, the clock goes on to
/// the next piece that waits for its time. `Task.sleep` is not simulated, since the runtime (6.3) hands it to Dispatch without
/// a hook; ``SimulatedClock`` is. Sets and dictionaries must hash alike in each run: the environment variable `SWIFT_DETERMINISTIC_HASHING` does that.
///
/// There is one at a time in a process, which does nothing else meanwhile.
// SAFETY: used by the one thread of the simulation.
package final class EventLoop: @unchecked Sendable {
    /// A serial source of work: one piece of it runs after the other.
    fileprivate struct Source {
        /// In the order in which it is due.
        var waiting = Deque<(due: Duration, work: () -> Void)>()
        /// Whether it is over: its work is thrown away.
        var isClosed = false
    }

    private var random: SplitMix64
    private var tasks: [UnownedJob] = []
    fileprivate var sources: [Source] = []
    /// The sources with work, in order.
    private var busy: [Int] = []
    /// The time since the beginning.
    package private(set) var time: Duration = .zero
    /// How many pieces of work have run.
    package private(set) var steps = 0
    private let epoch = ContinuousClock.now
    private let executor = JobExecutor()
    private lazy var sleepers = makeSource()

    /// - Parameter seed: Determines the order of everything.
    package init(seed: UInt64) {
        random = SplitMix64(seed: seed)
    }

    // MARK: What is to run

    /// Makes a serial source of work. Returns its number.
    package func makeSource() -> Int {
        sources.append(Source())
        return sources.count - 1
    }

    /// Adds work to a source.
    package func add(_ source: Int, after delay: Duration = .zero, _ work: @escaping () -> Void) {
        guard !sources[source].isClosed else { return }
        if sources[source].waiting.isEmpty {
            busy.insert(source, at: busy.firstIndex { $0 > source } ?? busy.count)
        }
        let due = time + delay
        let later = sources[source].waiting.lastIndex { $0.due <= due }.map { $0 + 1 } ?? 0
        sources[source].waiting.insert((due, work), at: later)
    }

    /// Throws the work of a source away, now and from now on.
    package func close(_ source: Int) {
        sources[source] = Source(isClosed: true)
        busy.removeAll { $0 == source }
    }

    fileprivate func enqueue(_ job: UnownedJob) { tasks.append(job) }

    /// Runs work after a while, for a task that sleeps.
    func addSleeper(after span: Duration, _ work: @escaping () -> Void) { add(sleepers, after: span, work) }

    /// A number from 0 up to a limit, which is not reached.
    package func draw(below limit: Int) -> Int { random.below(limit) }

    // MARK: Running

    /// Runs one piece of work; goes on to the next time if nothing is ready. Returns false if nothing is left until then.
    private func step(until end: Duration) -> Bool {
        var ready = readySources()
        if tasks.isEmpty, ready.isEmpty {
            guard let next = nextTime, next <= end else { return false }
            time = next
            ready = readySources()
        }
        steps += 1
        let choice = random.below(tasks.count + ready.count)
        if choice < tasks.count {
            run(tasks.remove(at: choice))
        } else {
            let source = ready[choice - tasks.count]
            let work = sources[source].waiting.removeFirst().work
            if sources[source].waiting.isEmpty { busy.removeAll { $0 == source } }
            work()
        }
        return true
    }

    private func run(_ job: UnownedJob) { job.runSynchronously(on: executor.asUnownedSerialExecutor()) }

    /// Runs for so long, at the most so many pieces of work. Returns whether the time has come to its end.
    package func run(for span: Duration, limit: Int = 200_000) -> Bool {
        let end = time + span
        for _ in 0..<limit where !step(until: end) {
            time = end
            return true
        }
        return false
    }

    private var nextTime: Duration? { busy.map { sources[$0].waiting[0].due }.min() }

    private func readySources() -> [Int] { busy.filter { sources[$0].waiting[0].due <= time } }

    // MARK: In the place of the system

    /// The clock and the queues of a bridge in this simulation.
    package func timing(owner: QueueOwner) -> Timing {
        let loop = self
        let epoch = epoch
        return Timing(
            now: { epoch + loop.time },
            makeQueue: { _ in
                let source = loop.makeSource()
                owner.add(source)
                return SimulatedQueue(loop: loop, source: source)
            },
            chance: { Double(loop.draw(below: 1_001)) / 1_000 }
        )
    }

    /// Takes the tasks of this process until `body` returns.
    package static func with<Result>(seed: UInt64, _ body: (EventLoop) throws -> Result) rethrows -> Result {
        precondition(current == nil, "one simulation at a time")
        let loop = EventLoop(seed: seed)
        current = loop
        WorkerClock.isStopped = true
        RuntimeHook.install()
        defer {
            RuntimeHook.remove()
            current = nil
        }
        return try body(loop)
    }

    // SAFETY: set before the hooks are installed and after they are removed, by the one thread of the simulation.
    nonisolated(unsafe) fileprivate static var current: EventLoop?
}

/// Knows which sources belong to a process, so that they end with it.
// SAFETY: used by the one thread of the simulation.
package final class QueueOwner: @unchecked Sendable {
    private(set) var sources: [Int] = []

    package init() {}

    func add(_ source: Int) { sources.append(source) }
}

// SAFETY: used by the one thread of the simulation.
private struct SimulatedQueue: WorkQueue, @unchecked Sendable {
    let loop: EventLoop
    let source: Int

    func run(_ work: @escaping @Sendable () -> Void) { loop.add(source, work) }

    func run(after delay: Duration, _ work: @escaping @Sendable () -> Void) { loop.add(source, after: delay, work) }
}

/// What jobs run on: wherever they are, they are where they should be.
private final class JobExecutor: SerialExecutor {
    func enqueue(_ job: consuming ExecutorJob) { EventLoop.current?.enqueue(UnownedJob(job)) }
}

/// The hook of Swift's runtime that gives tasks to somebody else than its thread pool.
private enum RuntimeHook {
    private typealias Original = @convention(thin) (UnownedJob) -> Void
    private typealias Hook = @convention(thin) (UnownedJob, Original) -> Void

    static func install() { hook.pointee = { job, _ in EventLoop.current?.enqueue(job) } }

    static func remove() { hook.pointee = nil }

    private static var hook: UnsafeMutablePointer<Hook?> {
        guard let address = dlsym(nil, "swift_task_enqueueGlobal_hook") else {
            preconditionFailure("the runtime has no hook for tasks")
        }
        return address.assumingMemoryBound(to: Hook?.self)
    }
}
