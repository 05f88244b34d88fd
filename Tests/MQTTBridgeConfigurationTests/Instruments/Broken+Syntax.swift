extension Broken {
    static let syntax: [Broken] = [
        Broken("an empty file", "▸", says: "empty", advises: "brokers: {"),
        Broken("a file of comments", "▸# nothing\n", says: "empty", advises: "brokers: {"),
        Broken("a file of one word", "▸mqtt", says: "must be a mapping", advises: "brokers: {"),
        Broken("a tab", "brokers:\n▸\thome: 1\n", says: "cannot start any token", advises: "spaces, not tabs"),
        Broken("a colon too many", "brokers: a▸: b\n", says: "not allowed in this context", advises: "indentation"),
        Broken("a bracket left open", "brokers: {a: 1\n▸", says: "did not find expected", advises: "Close the bracket"),
        Broken("a quote left open", "brokers: 'a\n▸", says: "unexpected end of stream", advises: "Close the quotes"),
        Broken("two documents", "a: 1\n▸---\nb: 2\n", says: "another document", advises: "Keep one document"),
        Broken("a star without quotes", "brokers: *▸.x\n", says: "expected alphabetic", advises: "Quote a text"),
        Broken("an alias of nothing", "brokers: ▸*home\n", says: "undefined alias", advises: "Quote a text"),
        Broken(
            "an anchor",
            "brokers: ▸&b {home: {url: mqtt://h}}\n",
            says: "anchors (&)",
            advises: "Write the value out"
        ),
        Broken(
            "a tag",
            "brokers: {home: {url: mqtt://h, client_id: ▸!env ID}}\n",
            says: "not used here",
            advises: "quote a text"
        ),
        Broken("a control character", "brokers:\n  \"é▸\u{1}\": 1\n", says: "U+1 ", advises: "Remove it"),
        Broken(
            "a key that is a mapping",
            "brokers: {▸{a: b}: c, home: {url: mqtt://h}}\n",
            says: "a key",
            advises: "{"
        ),
        Broken(
            "no space after a colon",
            "brokers:\n  home:\n    url:mqtt://h\n    version▸: 5\n",
            says: "not",
            advises: "indent"
        ),
        Broken(
            "a variable that is not set",
            "brokers: {h: {url: \"a▸${NOPE}\"}}",
            says: "NOPE is not set",
            advises: ":-"
        ),
        Broken("a variable without a name", "brokers: {h: {url: \"▸${}\"}}", says: "and this is none", advises: "$${"),
        Broken("a variable without an end", "brokers: {h: {url: \"é▸${A\"}}", says: "none", advises: "${NAME}"),
    ]
}
