/// Runs tasks only when told to, on the thread that tells: when a step is over, every task given to it is done or
/// suspended. Shows that something suspends, without waiting for it not to happen.
public final class StepExecutor: TaskExecutor {
    private struct State {
        var jobs: [UnownedJob] = []
        var isFree = false
    }

    private let state = Locked(State())

    /// An executor without tasks.
    public init() {}

    /// Takes a job, to run it with the next step.
    public func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let isFree = state.withLock { state in
            state.jobs.append(job)
            return state.isFree
        }
        // Owned by nobody: ends with the job that it runs.
        if isFree { Task.detached { self.step() } }
    }

    /// Runs until nobody can go on.
    public func step() {
        while let job = state.withLock({ $0.jobs.isEmpty ? nil : $0.jobs.removeFirst() }) {
            job.runSynchronously(on: asUnownedTaskExecutor())
        }
    }

    /// From now on everything runs as soon as it can.
    public func runFreely() {
        state.withLock { $0.isFree = true }
        step()
    }
}
