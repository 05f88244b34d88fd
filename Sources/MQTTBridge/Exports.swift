// A program that embeds the bridge uses the bus and the options of the client beside it: one import is enough.
@_exported public import AsyncEventBus
@_exported public import Mosquitto
