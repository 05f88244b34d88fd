import ArgumentParser
import BridgeDaemon

extension EventFormat: ExpressibleByArgument {}
