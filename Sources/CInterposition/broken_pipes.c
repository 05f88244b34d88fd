#include "broken_pipes.h"

#include <signal.h>
#include <stddef.h>

bool ignore_broken_pipes(void) {
    struct sigaction action;
    if (sigaction(SIGPIPE, NULL, &action) != 0) return false;
    bool is_ours = !(action.sa_flags & SA_SIGINFO) && action.sa_handler == SIG_DFL;
    if (is_ours) signal(SIGPIPE, SIG_IGN);
    return is_ours || (!(action.sa_flags & SA_SIGINFO) && action.sa_handler == SIG_IGN);
}
