// Interposes on functions that libmosquitto calls, without a change to the library.
#pragma once
#include "broken_pipes.h"
#include "packet_gate.h"
#include "redirect.h"
