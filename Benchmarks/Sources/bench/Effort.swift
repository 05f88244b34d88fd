/// How long is measured.
struct Effort: Encodable {
    /// How often each configuration runs; its median counts.
    let repeats: Int
    /// About how long one run is to take.
    let secondsPerRun: Double
    /// Whether only a first impression is wanted, without the peers that take long.
    var isQuick = false

    static let thorough = Effort(repeats: 5, secondsPerRun: 0.5)
    static let quick = Effort(repeats: 3, secondsPerRun: 0.2, isQuick: true)

    /// For what is counted, not timed: it is the same each time.
    var counting: Effort { Effort(repeats: isQuick ? 1 : 3, secondsPerRun: secondsPerRun, isQuick: isQuick) }

    /// For runs that take long whatever is wanted, and for many conditions: a first impression has one repeat.
    var brief: Effort { Effort(repeats: isQuick ? 1 : repeats, secondsPerRun: secondsPerRun, isQuick: isQuick) }

    /// Those of the peers that are measured.
    func choose(_ peers: [Peer]) -> [Peer] { peers.filter { !isQuick || !$0.isSlow } }
}
