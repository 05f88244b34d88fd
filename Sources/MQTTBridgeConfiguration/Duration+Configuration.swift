extension Duration {
    /// A duration as a configuration writes it, as in `30s` or `2h`; nil if the text is none.
    package init?(configurationText text: String) {
        guard let duration = try? Quantity.duration(text) else { return nil }
        self = duration
    }

    /// The units that ``init(configurationText:)`` knows, for messages.
    package static var configurationUnits: String { Quantity.durationUnits }
}
