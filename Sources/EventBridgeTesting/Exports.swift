// A test of a program that embeds the bridge names events and messages as the program does: one import is enough.
@_exported public import MQTTBridge
