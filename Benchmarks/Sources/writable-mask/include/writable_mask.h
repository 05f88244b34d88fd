// To be loaded with LD_PRELOAD into Swift programs that run under valgrind. The main thread of an async program waits in
// sigsuspend with a mask in memory that cannot be written (libdispatch, queue.c); valgrind, up to 3.19 at least, writes to
// the mask and crashes.
#ifndef WRITABLE_MASK_H
#define WRITABLE_MASK_H

#endif
