import MessageStore

/// The call counts of a progress row, packed into one column: failed calls in the lower 32 bits, interrupted calls in
/// the upper 32 bits. Files of earlier versions have 0 in the upper half.
struct CallCounts {
    let attempts: Int
    let interruptions: Int

    init(_ progress: ListenerProgress) {
        attempts = progress.attempts
        interruptions = progress.interruptions
    }

    init(packed: Int64) {
        attempts = Int(packed & Int64(UInt32.max))
        interruptions = Int(packed >> 32)
    }

    var packed: Int64 { Int64(UInt32(clamping: attempts)) | Int64(Int32(clamping: interruptions)) << 32 }
}
