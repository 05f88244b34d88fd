internal import AsyncEventBus
internal import DequeModule
internal import Glibc
package import MQTTBridge
internal import FaultKit

/// Runs all tasks and queues of a simulation on one thread, in an order that a seed determines.
///
/// A hook of the Swift runtime (`swift_task_enqueueGlobal_hook`) enqueues tasks here instead of on the thread pool. The loop
/// draws the next work item at random from all ready items. When none is ready, the clock advances to the next due time.
/// `Task.sleep` is not simulated, since the runtime (6.3) hands it to Dispatch without a hook; use ``SimulatedClock``.
/// Hashing must be the same in each run: set the environment variable `SWIFT_DETERMINISTIC_HASHING`.
///
/// A process runs one event loop at a time, and nothing else meanwhile.
// SAFETY: used by the one thread of the simulation.
package final class EventLoop: @unchecked Sendable {
    /// A serial queue of work items.
    fileprivate struct Source {
        /// The work items, by due time.
        var waiting = Deque<(due: Duration, work: () -> Void)>()
        /// Whether the source discards all work.
        var isClosed = false
    }

    private var random: SplitMix64
    private var tasks: [UnownedJob] = []
    fileprivate var sources: [Source] = []
    /// The sources with work, in ascending order.
    private var busy: [Int] = []
    /// The simulated time since the start.
    package private(set) var time: Duration = .zero
    /// The number of work items that have run.
    package private(set) var steps = 0
    private let epoch = ContinuousClock.now
    private let executor = JobExecutor()
    private lazy var sleepers = makeSource()

    /// - Parameter seed: Determines the order of all work.
    package init(seed: UInt64) {
        random = SplitMix64(seed: seed)
    }

    // MARK: Work

    /// Creates a serial source of work and returns its index.
    package func makeSource() -> Int {
        sources.append(Source())
        return sources.count - 1
    }

    /// Adds a work item to a source, after all items that are due no later.
    package func add(_ source: Int, after delay: Duration = .zero, _ work: @escaping () -> Void) {
        guard !sources[source].isClosed else { return }
        if sources[source].waiting.isEmpty {
            busy.insert(source, at: busy.firstIndex { $0 > source } ?? busy.count)
        }
        let due = time + delay
        let later = sources[source].waiting.lastIndex { $0.due <= due }.map { $0 + 1 } ?? 0
        sources[source].waiting.insert((due, work), at: later)
    }

    /// Closes a source: discards its pending and all future work.
    package func close(_ source: Int) {
        sources[source] = Source(isClosed: true)
        busy.removeAll { $0 == source }
    }

    fileprivate func enqueue(_ job: UnownedJob) { tasks.append(job) }

    /// Schedules the end of a task's sleep.
    func addSleeper(after span: Duration, _ work: @escaping () -> Void) { add(sleepers, after: span, work) }

    /// Returns a random number in `0..<limit`.
    package func draw(below limit: Int) -> Int { random.below(limit) }

    // MARK: Running

    /// Runs one work item, advancing the clock if none is ready. Returns false if no work is due until `end`.
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

    /// Runs for a time span, or until `limit` work items have run. Returns whether the time span has passed.
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

    // MARK: Replacing the system

    /// Returns the clock, the queues and the jitter of a simulated bridge.
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

    /// Runs all tasks of this process on a new event loop until `body` returns.
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

/// Collects the sources of a simulated process, to close them when the process is killed.
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

/// The executor on which the loop runs jobs; a job enqueued on it returns to the loop.
private final class JobExecutor: SerialExecutor {
    func enqueue(_ job: consuming ExecutorJob) { EventLoop.current?.enqueue(UnownedJob(job)) }
}

/// The hook of the Swift runtime that redirects tasks from its thread pool.
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
