/// Median and range of what several runs measured, and each of them.
struct Figures: Encodable {
    let median: Double
    let minimum: Double
    let maximum: Double
    /// In the order of the runs.
    let values: [Double]

    /// - Precondition: There is at least one value.
    init(_ values: [Double]) {
        let sorted = values.sorted()
        let middle = sorted.count / 2
        median = sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
        minimum = sorted[0]
        maximum = sorted[sorted.count - 1]
        self.values = values
    }
}
