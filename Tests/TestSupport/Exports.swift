// A test that imports this target sees the instruments of FaultKit, with their lock.
@_exported public import FaultKit
@_exported public import Locking
