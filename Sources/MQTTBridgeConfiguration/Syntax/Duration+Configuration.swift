extension Duration {
    /// Parses a duration in the syntax of a configuration, such as `30s` or `2h`; nil if the text is not valid.
    package init?(configurationText text: String) {
        guard let duration = try? Quantity.duration(text) else { return nil }
        self = duration
    }

    /// The units that ``init(configurationText:)`` accepts, as text for messages.
    package static var configurationUnits: String { Quantity.durationUnits }
}
