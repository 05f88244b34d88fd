// The patterns and topics of the comparison; those of the Swift program are the same, with dots.
#include <string>

// 100 buildings with 100 rooms; of three patterns one fixes the room, one the device, one the room and anything below.
inline std::string pattern(int number) {
    std::string building = "building" + std::to_string(number / 100 % 100), part = std::to_string(number % 100);
    switch (number % 3) {
    case 0: return building + "/room" + part + "/+/value";
    case 1: return building + "/+/device" + part + "/value";
    default: return building + "/room" + part + "/#";
    }
}

inline std::string topic(int number) {
    return "building" + std::to_string(number / 100 % 100) + "/room" + std::to_string(number % 100) + "/device" +
           std::to_string(number % 100) + "/value";
}
